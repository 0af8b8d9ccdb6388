//! An NBL that is freed twice.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, call, frame::Nbl};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        if let Some(nbl) = Nbl::frame(adapter.handle(), adapter.pool(), adapter.handle()) {
            nbl.free();
            if WRONG {
                call!(NdisFreeNetBufferList(nbl.0));
            }
        }
        adapter.complete(nbls);
    }
}
