//! A pause that is not completed in time.

#![no_std]

use alarms::{Filter, Module, WRONG, sys};

alarms::driver!(filter: Driver);

struct Driver;

impl Filter for Driver {
    fn pause(_module: &'static Module) -> sys::NDIS_STATUS {
        if WRONG {
            return sys::NDIS_STATUS_PENDING;
        }
        sys::NDIS_STATUS_SUCCESS
    }
}
