//! A miniport makes an event that is not one of ports.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, call, protocol, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn restart(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        if WRONG {
            let mut event = protocol::notification(sys::NetEventReconfigure);
            call!(NdisMNetPnPEvent(adapter.handle(), &raw mut event));
        }
        adapter.restart()
    }
}
