//! A spin lock that is acquired without having been initialized.

#![no_std]

use core::sync::atomic::AtomicUsize;

use alarms::{Device, Request, WRONG, call, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        if !WRONG {
            call!(KeInitializeSpinLock(LOCK.as_ptr()));
        }
        let irql = call!(KeAcquireSpinLockRaiseToDpc(LOCK.as_ptr()));
        call!(KeReleaseSpinLock(LOCK.as_ptr(), irql));
        request.answer()
    }
}

/// What the memory held before.
static LOCK: AtomicUsize = AtomicUsize::new(0xcdcd_cdcd);
