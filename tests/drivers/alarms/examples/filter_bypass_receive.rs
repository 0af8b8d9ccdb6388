//! A filter indicates that has no function for the return.

#![no_std]

use alarms::{Filter, WRONG, sys};

alarms::driver!(filter: Driver);

struct Driver;

impl Filter for Driver {
    fn characteristics(characteristics: &mut sys::NDIS_FILTER_DRIVER_CHARACTERISTICS) {
        if WRONG {
            characteristics.ReturnNetBufferListsHandler = None;
        }
    }
}
