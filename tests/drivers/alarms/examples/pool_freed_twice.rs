//! A block of pool that is freed twice.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, frame, frame::Nbl};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        let block = frame::allocate(64);
        frame::free(block);
        if WRONG {
            frame::free(block);
        }
        adapter.complete(nbls);
    }
}
