//! The attributes of a filter module are set at DISPATCH_LEVEL.

#![no_std]

use alarms::{Filter, Module, WRONG, irql, sys};

alarms::driver!(filter: Driver);

struct Driver;

impl Filter for Driver {
    fn attach(module: &'static Module) -> sys::NDIS_STATUS {
        irql::at(LEVEL, || module.set_attributes())
    }
}

/// Where the call is made.
const LEVEL: sys::KIRQL = if WRONG { irql::DISPATCH } else { irql::PASSIVE };
