//! A halt that does not return.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, event};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn halt(adapter: &'static Adapter) {
        if WRONG {
            event::forever();
        }
        adapter.close();
    }
}
