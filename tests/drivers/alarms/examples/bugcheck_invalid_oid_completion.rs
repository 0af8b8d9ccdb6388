//! A completion of an OID request that nobody made.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, call, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn oid(adapter: &'static Adapter, request: *mut sys::NDIS_OID_REQUEST) -> sys::NDIS_STATUS {
        let status = adapter.answer(request);
        // SAFETY: NDIS lends the request until it is completed.
        let mut other = unsafe { *request };
        let completed = if WRONG { &raw mut other } else { request };
        call!(NdisMOidRequestComplete(adapter.handle(), completed, status));
        sys::NDIS_STATUS_PENDING
    }
}
