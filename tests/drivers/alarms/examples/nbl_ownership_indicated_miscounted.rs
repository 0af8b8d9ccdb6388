//! One frame that is indicated as two.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, call, frame::Nbl, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        if let Some(nbl) = Nbl::frame(adapter.handle(), adapter.pool(), adapter.handle()) {
            call!(NdisMIndicateReceiveNetBufferLists(
                adapter.handle(),
                nbl.0,
                0,
                if WRONG { 2 } else { 1 },
                sys::NDIS_RECEIVE_FLAGS_RESOURCES,
            ));
            nbl.free();
        }
        adapter.complete(nbls);
    }
}
