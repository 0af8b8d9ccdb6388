//! An OID request that is not completed when the adapter is to halt.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, miniport, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn oid(adapter: &'static Adapter, request: *mut sys::NDIS_OID_REQUEST) -> sys::NDIS_STATUS {
        if WRONG && miniport::code(request) == sys::OID_GEN_STATISTICS {
            return sys::NDIS_STATUS_PENDING;
        }
        adapter.answer(request)
    }
}
