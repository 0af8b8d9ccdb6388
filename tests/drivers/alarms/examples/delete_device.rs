//! A device that is deleted twice.

#![no_std]

use alarms::{Device, WRONG, device};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn unload() {
        device::delete_link();
        device::delete_device();
        if WRONG {
            device::delete_device();
        }
    }
}
