//! A pause that is completed and succeeds too.

#![no_std]

use alarms::{Filter, Module, WRONG, call, sys};

alarms::driver!(filter: Driver);

struct Driver;

impl Filter for Driver {
    fn pause(module: &'static Module) -> sys::NDIS_STATUS {
        if WRONG {
            call!(NdisFPauseComplete(module.handle()));
        }
        sys::NDIS_STATUS_SUCCESS
    }
}
