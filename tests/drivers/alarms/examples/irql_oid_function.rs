//! An OID request is completed above DISPATCH_LEVEL.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, call, irql, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn oid(adapter: &'static Adapter, request: *mut sys::NDIS_OID_REQUEST) -> sys::NDIS_STATUS {
        let status = adapter.answer(request);
        irql::at(LEVEL, || {
            call!(NdisMOidRequestComplete(adapter.handle(), request, status));
        });
        sys::NDIS_STATUS_PENDING
    }
}

/// Where the call is made.
const LEVEL: sys::KIRQL = if WRONG { irql::DEVICE } else { irql::DISPATCH };
