//! An event is made inside the handler of an OID request.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, call, protocol, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn oid(adapter: &'static Adapter, request: *mut sys::NDIS_OID_REQUEST) -> sys::NDIS_STATUS {
        if WRONG {
            let mut event = protocol::notification(sys::NetEventReconfigure);
            call!(NdisMNetPnPEvent(adapter.handle(), &raw mut event));
        }
        adapter.answer(request)
    }
}
