//! A filter's pause that is never completed.

#![no_std]

use alarms::{Filter, Module, SUCCESS, WRONG, sys};

alarms::driver!(filter: Driver);

struct Driver;

impl Filter for Driver {
    fn pause(_module: &'static Module) -> sys::NDIS_STATUS {
        if WRONG {
            sys::NDIS_STATUS_PENDING
        } else {
            SUCCESS
        }
    }
}
