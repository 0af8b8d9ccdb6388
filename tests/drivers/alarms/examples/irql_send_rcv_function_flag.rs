//! Sends are completed at PASSIVE_LEVEL with the flag of DISPATCH_LEVEL.

#![no_std]

use alarms::{Adapter, Miniport, SUCCESS, WRONG, call, frame::Nbl, irql, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        nbls.set_status(SUCCESS);
        let complete = || {
            call!(NdisMSendNetBufferListsComplete(
                adapter.handle(),
                nbls.0,
                sys::NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL,
            ));
        };
        if WRONG {
            complete();
        } else {
            irql::at(irql::DISPATCH, complete);
        }
    }
}
