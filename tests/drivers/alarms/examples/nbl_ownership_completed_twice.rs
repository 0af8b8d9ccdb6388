//! A send that is completed twice.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, call, frame::Nbl};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        adapter.complete(nbls);
        if WRONG {
            call!(NdisMSendNetBufferListsComplete(adapter.handle(), nbls.0, 0));
        }
    }
}
