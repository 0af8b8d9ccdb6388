//! A detach that does not return.

#![no_std]

use alarms::{Filter, Module, WRONG, event};

alarms::driver!(filter: Driver);

struct Driver;

impl Filter for Driver {
    fn detach(_module: &'static Module) {
        if WRONG {
            event::forever();
        }
    }
}
