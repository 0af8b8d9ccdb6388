//! A NET_BUFFER that is freed by itself, though it came with its NBL.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, call, frame::Nbl};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        if let Some(nbl) = Nbl::frame(adapter.handle(), adapter.pool(), adapter.handle()) {
            if WRONG {
                call!(NdisFreeNetBuffer(nbl.get().FirstNetBuffer));
            }
            nbl.free();
        }
        adapter.complete(nbls);
    }
}
