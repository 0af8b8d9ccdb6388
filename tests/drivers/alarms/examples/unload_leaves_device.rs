//! A device that is left when the driver is unloaded.

#![no_std]

use alarms::{Device, WRONG, device};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn unload() {
        device::delete_link();
        if !WRONG {
            device::delete_device();
        }
    }
}
