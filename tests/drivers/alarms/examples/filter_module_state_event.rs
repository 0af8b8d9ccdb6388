//! An event that cannot fail fails.

#![no_std]

use alarms::{Filter, Module, WRONG, call, protocol::code, sys};

alarms::driver!(filter: Driver);

struct Driver;

impl Filter for Driver {
    fn event(
        module: &'static Module,
        notification: *mut sys::NET_PNP_EVENT_NOTIFICATION,
    ) -> sys::NDIS_STATUS {
        if WRONG && code(notification) == sys::NetEventSetPower {
            return sys::NDIS_STATUS_FAILURE;
        }
        call!(NdisFNetPnPEvent(module.handle(), notification))
    }
}
