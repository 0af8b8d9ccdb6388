//! A filter that attaches without telling NDIS its context.

#![no_std]

use alarms::{Filter, Module, SUCCESS, WRONG, sys};

alarms::driver!(filter: Driver);

struct Driver;

impl Filter for Driver {
    fn attach(module: &'static Module) -> sys::NDIS_STATUS {
        if WRONG {
            SUCCESS
        } else {
            module.set_attributes()
        }
    }
}
