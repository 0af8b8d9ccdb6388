//! A work item that is queued after it was freed.

#![no_std]

use core::{ffi::c_void, ptr};

use alarms::{Device, Request, WRONG, call, device, event::Event, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        DONE.clear();
        let item = call!(kernel::IoAllocateWorkItem(device::object().cast()));
        if WRONG {
            call!(kernel::IoFreeWorkItem(item));
        }
        call!(kernel::IoQueueWorkItem(
            item,
            Some(work),
            DELAYED,
            ptr::null_mut()
        ));
        DONE.wait();
        call!(kernel::IoFreeWorkItem(item));
        request.answer()
    }
}

unsafe extern "efiapi" fn work(_device: *mut c_void, _context: *mut c_void) {
    DONE.set();
}

static DONE: Event = Event::new();

/// DelayedWorkQueue.
const DELAYED: i32 = 1;
