//! A byte that is written behind a block of pool.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, frame, frame::Nbl};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        let block = frame::allocate(64);
        frame::write(block, if WRONG { 64 } else { 63 }, 1);
        frame::free(block);
        adapter.complete(nbls);
    }
}
