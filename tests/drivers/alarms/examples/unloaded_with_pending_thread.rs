//! A thread that runs when the driver is unloaded.

#![no_std]

use core::ffi::c_void;

use alarms::{Device, WRONG, device, event::Event, thread::Thread};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn unload() {
        END.clear();
        if let Some(thread) = Thread::start(run) {
            if !WRONG {
                END.set();
                thread.join();
            }
            thread.release();
        }
        device::delete_link();
        device::delete_device();
    }
}

unsafe extern "efiapi" fn run(_: *mut c_void) {
    END.wait();
}

static END: Event = Event::new();
