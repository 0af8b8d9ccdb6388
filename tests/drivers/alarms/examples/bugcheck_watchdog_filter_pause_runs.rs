//! A pause that does not return.

#![no_std]

use alarms::{Filter, Module, WRONG, event, sys};

alarms::driver!(filter: Driver);

struct Driver;

impl Filter for Driver {
    fn pause(_module: &'static Module) -> sys::NDIS_STATUS {
        if WRONG {
            event::forever();
        }
        sys::NDIS_STATUS_SUCCESS
    }
}
