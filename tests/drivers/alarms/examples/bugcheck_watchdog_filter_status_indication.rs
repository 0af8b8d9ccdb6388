//! A status indication whose handler does not return.

#![no_std]

use alarms::{Filter, Module, WRONG, call, event, sys};

alarms::driver!(filter: Driver);

struct Driver;

impl Filter for Driver {
    fn status(module: &'static Module, indication: *mut sys::NDIS_STATUS_INDICATION) {
        if WRONG {
            event::forever();
        }
        call!(NdisFIndicateStatus(module.handle(), indication));
    }
}
