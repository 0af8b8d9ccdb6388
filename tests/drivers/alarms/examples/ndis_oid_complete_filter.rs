//! A filter that completes a request with the status that it is pending.

#![no_std]

use alarms::{Filter, Module, WRONG, call, sys};

alarms::driver!(filter: Driver);

struct Driver;

impl Filter for Driver {
    fn oid_complete(
        module: &'static Module,
        request: *mut sys::NDIS_OID_REQUEST,
        status: sys::NDIS_STATUS,
    ) {
        let original = module.passed_on(request);
        let status = if WRONG {
            sys::NDIS_STATUS_PENDING
        } else {
            status
        };
        call!(NdisFOidRequestComplete(module.handle(), original, status));
    }
}
