//! A query of whether the adapter may sleep that fails.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, miniport, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn oid(adapter: &'static Adapter, request: *mut sys::NDIS_OID_REQUEST) -> sys::NDIS_STATUS {
        if WRONG && miniport::code(request) == sys::OID_PNP_QUERY_POWER {
            return sys::NDIS_STATUS_NOT_ACCEPTED;
        }
        adapter.answer(request)
    }
}
