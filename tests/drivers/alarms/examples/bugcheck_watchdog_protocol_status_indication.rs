//! A status indication whose handler does not return.

#![no_std]

use alarms::{Binding, Protocol, WRONG, event, sys};

alarms::driver!(protocol: Driver);

struct Driver;

impl Protocol for Driver {
    fn status(_binding: &'static Binding, _indication: *mut sys::NDIS_STATUS_INDICATION) {
        if WRONG {
            event::forever();
        }
    }
}
