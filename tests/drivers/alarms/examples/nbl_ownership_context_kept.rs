//! An NBL that is freed with context space of the driver in it.

#![no_std]

use alarms::{Adapter, Miniport, SUCCESS, TAG, WRONG, call, frame::Nbl};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        if let Some(nbl) = Nbl::frame(adapter.handle(), adapter.pool(), adapter.handle()) {
            let status = call!(NdisAllocateNetBufferListContext(nbl.0, BYTES, 0, TAG));
            if status == SUCCESS && !WRONG {
                call!(NdisFreeNetBufferListContext(nbl.0, BYTES));
            }
            nbl.free();
        }
        adapter.complete(nbls);
    }
}

const BYTES: u16 = 16;
