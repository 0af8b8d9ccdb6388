//! An NBL pool that is not freed before the driver is unloaded.

#![no_std]

use alarms::{Adapter, Miniport, WRONG};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn halt(adapter: &'static Adapter) {
        if !WRONG {
            adapter.close();
        }
    }
}
