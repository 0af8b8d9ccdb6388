//! A timer of the driver that is set when the driver is unloaded.

#![no_std]

use core::ptr;

use alarms::{Device, WRONG, call, device, kernel::Place, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn entry(_driver: *mut sys::DRIVER_OBJECT) {
        call!(kernel::KeInitializeTimer(TIMER.get()));
        call!(kernel::KeSetTimer(TIMER.get(), HOUR, ptr::null_mut()));
    }

    fn unload() {
        if !WRONG {
            call!(kernel::KeCancelTimer(TIMER.get()));
        }
        device::delete_link();
        device::delete_device();
    }
}

static TIMER: Place<sys::KTIMER> = Place::new(sys::KTIMER::zeroed());

/// An hour from now, in units of 100 ns.
const HOUR: i64 = -36_000_000_000;
