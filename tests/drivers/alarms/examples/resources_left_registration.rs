//! A registration that is not undone before the driver is unloaded.

#![no_std]

use alarms::{Adapter, Miniport, WRONG};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn unload(adapter: &'static Adapter) {
        if !WRONG {
            adapter.deregister();
        }
    }
}
