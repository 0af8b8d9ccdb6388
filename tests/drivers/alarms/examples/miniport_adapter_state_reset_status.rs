//! A start of a reset that the miniport indicates itself.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, frame::Nbl, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        adapter.indicate_status(|indication| {
            if WRONG {
                indication.StatusCode = sys::NDIS_STATUS_RESET_START;
            }
        });
        adapter.complete(nbls);
    }
}
