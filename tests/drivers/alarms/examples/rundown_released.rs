//! A protection that is released and was not acquired.

#![no_std]

use core::sync::atomic::AtomicUsize;

use alarms::{Device, Request, WRONG, call, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        call!(kernel::ExInitializeRundownProtection(REFERENCE.as_ptr()));
        if !WRONG {
            call!(kernel::ExAcquireRundownProtection(REFERENCE.as_ptr()));
        }
        call!(kernel::ExReleaseRundownProtection(REFERENCE.as_ptr()));
        request.answer()
    }
}

static REFERENCE: AtomicUsize = AtomicUsize::new(0);
