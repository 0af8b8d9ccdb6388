//! A filter propagates a pause.

#![no_std]

use alarms::{Filter, Module, WRONG, call, protocol, sys};

alarms::driver!(filter: Driver);

struct Driver;

impl Filter for Driver {
    fn restart(module: &'static Module) -> sys::NDIS_STATUS {
        if WRONG {
            let mut event = protocol::notification(sys::NetEventPause);
            call!(NdisFNetPnPEvent(module.handle(), &raw mut event));
        }
        sys::NDIS_STATUS_SUCCESS
    }
}
