//! A filter passes on a request instead of a clone.

#![no_std]

use alarms::{Filter, Module, WRONG, call, sys};

alarms::driver!(filter: Driver);

struct Driver;

impl Filter for Driver {
    fn oid(module: &'static Module, request: *mut sys::NDIS_OID_REQUEST) -> sys::NDIS_STATUS {
        if WRONG {
            return call!(NdisFOidRequest(module.handle(), request));
        }
        module.pass_on(request)
    }
}
