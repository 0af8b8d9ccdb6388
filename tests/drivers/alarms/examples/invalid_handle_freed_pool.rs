//! An NBL pool that is freed twice.

#![no_std]

use alarms::{Adapter, Miniport, WRONG};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn halt(adapter: &'static Adapter) {
        adapter.close();
        if WRONG {
            adapter.close();
        }
    }
}
