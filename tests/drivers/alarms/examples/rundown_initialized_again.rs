//! A protection that starts anew without its run-down having ended.

#![no_std]

use core::sync::atomic::AtomicUsize;

use alarms::{Device, Request, WRONG, call, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        call!(kernel::ExInitializeRundownProtection(REFERENCE.as_ptr()));
        if !WRONG {
            call!(kernel::ExWaitForRundownProtectionRelease(
                REFERENCE.as_ptr()
            ));
        }
        call!(kernel::ExReInitializeRundownProtection(REFERENCE.as_ptr()));
        request.answer()
    }
}

static REFERENCE: AtomicUsize = AtomicUsize::new(0);
