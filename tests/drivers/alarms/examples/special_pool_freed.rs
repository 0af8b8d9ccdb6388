//! A byte that is read from a block of pool that was freed.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, frame, frame::Nbl};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        let block = frame::allocate(64);
        if !WRONG {
            frame::read(block, 0);
        }
        frame::free(block);
        if WRONG {
            frame::read(block, 0);
        }
        adapter.complete(nbls);
    }
}
