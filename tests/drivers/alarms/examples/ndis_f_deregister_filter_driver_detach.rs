//! A filter driver deregisters when its module is detached.

#![no_std]

use alarms::{Filter, Module, WRONG, filter};

alarms::driver!(filter: Driver);

struct Driver;

impl Filter for Driver {
    fn detach(_module: &'static Module) {
        if WRONG {
            filter::deregister();
        }
    }
}
