//! An OID request that is completed, and answered with a status as well.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, call, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn oid(adapter: &'static Adapter, request: *mut sys::NDIS_OID_REQUEST) -> sys::NDIS_STATUS {
        let status = adapter.answer(request);
        call!(NdisMOidRequestComplete(adapter.handle(), request, status));
        if WRONG {
            status
        } else {
            sys::NDIS_STATUS_PENDING
        }
    }
}
