//! An event whose handler does not return.

#![no_std]

use alarms::{Filter, Module, WRONG, call, event, sys};

alarms::driver!(filter: Driver);

struct Driver;

impl Filter for Driver {
    fn event(
        module: &'static Module,
        notification: *mut sys::NET_PNP_EVENT_NOTIFICATION,
    ) -> sys::NDIS_STATUS {
        if WRONG {
            event::forever();
        }
        call!(NdisFNetPnPEvent(module.handle(), notification))
    }
}
