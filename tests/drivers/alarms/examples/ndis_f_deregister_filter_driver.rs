//! A filter driver that does not deregister when it is unloaded.

#![no_std]

use alarms::{Filter, WRONG, filter};

alarms::driver!(filter: Driver);

struct Driver;

impl Filter for Driver {
    fn unload() {
        if !WRONG {
            filter::deregister();
        }
    }
}
