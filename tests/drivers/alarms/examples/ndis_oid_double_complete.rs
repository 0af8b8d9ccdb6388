//! An OID request that is completed twice.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, call, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn oid(adapter: &'static Adapter, request: *mut sys::NDIS_OID_REQUEST) -> sys::NDIS_STATUS {
        let status = adapter.answer(request);
        call!(NdisMOidRequestComplete(adapter.handle(), request, status));
        if WRONG {
            call!(NdisMOidRequestComplete(adapter.handle(), request, status));
        }
        sys::NDIS_STATUS_PENDING
    }
}
