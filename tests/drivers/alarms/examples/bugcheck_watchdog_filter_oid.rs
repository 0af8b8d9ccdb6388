//! An OID request that a filter keeps.

#![no_std]

use alarms::{Filter, Module, WRONG, sys};

alarms::driver!(filter: Driver);

struct Driver;

impl Filter for Driver {
    fn oid(module: &'static Module, request: *mut sys::NDIS_OID_REQUEST) -> sys::NDIS_STATUS {
        if WRONG {
            return sys::NDIS_STATUS_PENDING;
        }
        module.pass_on(request)
    }
}
