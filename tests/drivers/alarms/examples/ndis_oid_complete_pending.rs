//! An OID request that is completed with the status that it is pending.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, call, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn oid(adapter: &'static Adapter, request: *mut sys::NDIS_OID_REQUEST) -> sys::NDIS_STATUS {
        let status = adapter.answer(request);
        let status = if WRONG {
            sys::NDIS_STATUS_PENDING
        } else {
            status
        };
        call!(NdisMOidRequestComplete(adapter.handle(), request, status));
        sys::NDIS_STATUS_PENDING
    }
}
