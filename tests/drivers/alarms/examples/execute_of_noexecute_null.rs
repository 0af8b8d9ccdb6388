//! A driver object without a function for the requests of a kind.

#![no_std]

use alarms::{Device, WRONG, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn entry(driver: *mut sys::DRIVER_OBJECT) {
        if WRONG {
            // SAFETY: it is the driver object that the running `DriverEntry` got.
            unsafe { (*driver).MajorFunction[usize::from(sys::IRP_MJ_DEVICE_CONTROL)] = None };
        }
    }
}
