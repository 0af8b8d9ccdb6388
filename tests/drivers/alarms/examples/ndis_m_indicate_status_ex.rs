//! A status that is indicated after halt.

#![no_std]

use alarms::{Adapter, Miniport, WRONG};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn halt(adapter: &'static Adapter) {
        if !WRONG {
            adapter.indicate_status(|_| {});
        }
        adapter.close();
    }

    fn unload(adapter: &'static Adapter) {
        if WRONG {
            adapter.indicate_status(|_| {});
        }
        adapter.deregister();
    }
}
