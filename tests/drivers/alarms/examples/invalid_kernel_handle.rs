//! A handle that is closed twice.

#![no_std]

use core::ffi::c_void;

use alarms::{Device, Request, WRONG, call, sys, thread::Thread};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        if let Some(thread) = Thread::start(run) {
            thread.join();
            thread.release();
            if WRONG {
                call!(kernel::ZwClose(thread.handle));
            }
        }
        request.answer()
    }
}

unsafe extern "efiapi" fn run(_: *mut c_void) {}
