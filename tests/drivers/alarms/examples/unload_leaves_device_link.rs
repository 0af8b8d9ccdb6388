//! A symbolic link that is left when the driver is unloaded.

#![no_std]

use alarms::{Device, WRONG, device};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn unload() {
        if !WRONG {
            device::delete_link();
        }
        device::delete_device();
    }
}
