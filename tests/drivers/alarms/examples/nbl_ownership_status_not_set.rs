//! A send that is completed without a status.

#![no_std]

use alarms::{Adapter, Miniport, SUCCESS, WRONG, call, frame::Nbl};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        if !WRONG {
            nbls.set_status(SUCCESS);
        }
        call!(NdisMSendNetBufferListsComplete(adapter.handle(), nbls.0, 0));
    }
}
