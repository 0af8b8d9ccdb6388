//! A virtual miniport that does not sleep when it is told to.

#![no_std]

use alarms::{Adapter, Intermediate, WRONG, miniport, sys};

alarms::driver!(im: Driver);

struct Driver;

impl Intermediate for Driver {
    fn oid(adapter: &'static Adapter, request: *mut sys::NDIS_OID_REQUEST) -> sys::NDIS_STATUS {
        if WRONG && miniport::code(request) == sys::OID_PNP_SET_POWER {
            return sys::NDIS_STATUS_NOT_ACCEPTED;
        }
        adapter.answer(request)
    }
}
