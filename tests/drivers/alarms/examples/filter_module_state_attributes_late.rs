//! The attributes of a module are set when it restarts.

#![no_std]

use alarms::{Filter, Module, WRONG, sys};

alarms::driver!(filter: Driver);

struct Driver;

impl Filter for Driver {
    fn restart(module: &'static Module) -> sys::NDIS_STATUS {
        if WRONG {
            module.set_attributes();
        }
        sys::NDIS_STATUS_SUCCESS
    }
}
