//! A block of pool that is not freed before the driver is unloaded.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, frame};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn unload(adapter: &'static Adapter) {
        let block = frame::allocate(64);
        if !WRONG {
            frame::free(block);
        }
        adapter.deregister();
    }
}
