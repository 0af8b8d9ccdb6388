//! A query that says it wrote more than there was room for.

#![no_std]

use alarms::{Adapter, Miniport, SUCCESS, WRONG, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn oid(adapter: &'static Adapter, request: *mut sys::NDIS_OID_REQUEST) -> sys::NDIS_STATUS {
        let status = adapter.answer(request);
        if status == SUCCESS && WRONG {
            // SAFETY: NDIS lends the request until it is completed.
            let data = unsafe { &mut (*request).DATA };
            // SAFETY: the lengths of a query and of a set are numbers in the same places.
            unsafe { data.QUERY_INFORMATION.BytesWritten += 1 };
        }
        status
    }
}
