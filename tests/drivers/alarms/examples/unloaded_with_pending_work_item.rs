//! A work item that goes on after the driver is unloaded.

#![no_std]

use core::ffi::c_void;

use alarms::{Device, WRONG, call, device, event::Event, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn unload() {
        DONE.clear();
        let item = call!(kernel::IoAllocateWorkItem(device::object().cast()));
        if !item.is_null() {
            call!(kernel::IoQueueWorkItem(item, Some(work), DELAYED, item));
            STARTED.wait();
            if !WRONG {
                DONE.wait();
            }
        }
        device::delete_link();
        device::delete_device();
    }

    fn entry(_driver: *mut sys::DRIVER_OBJECT) {
        STARTED.clear();
    }
}

unsafe extern "efiapi" fn work(_device: *mut c_void, item: *mut c_void) {
    call!(kernel::IoFreeWorkItem(item));
    STARTED.set();
    let mut second = SECOND;
    call!(KeDelayExecutionThread(0, 0, &raw mut second));
    DONE.set();
}

static STARTED: Event = Event::new();

static DONE: Event = Event::new();

/// DelayedWorkQueue.
const DELAYED: i32 = 1;

/// From now, in units of 100 ns.
const SECOND: i64 = -10_000_000;
