//! An OID request that is never completed.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn oid(adapter: &'static Adapter, request: *mut sys::NDIS_OID_REQUEST) -> sys::NDIS_STATUS {
        if WRONG {
            sys::NDIS_STATUS_PENDING
        } else {
            adapter.answer(request)
        }
    }
}
