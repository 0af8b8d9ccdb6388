//! An event is made inside the handler of an OID request.

#![no_std]

use alarms::{Filter, Module, WRONG, call, protocol, sys};

alarms::driver!(filter: Driver);

struct Driver;

impl Filter for Driver {
    fn oid(module: &'static Module, request: *mut sys::NDIS_OID_REQUEST) -> sys::NDIS_STATUS {
        if WRONG {
            let mut event = protocol::notification(sys::NetEventReconfigure);
            call!(NdisFNetPnPEvent(module.handle(), &raw mut event));
        }
        module.pass_on(request)
    }
}
