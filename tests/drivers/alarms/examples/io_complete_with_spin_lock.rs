//! A request that is completed while a spin lock is held.

#![no_std]

use core::sync::atomic::AtomicUsize;

use alarms::{Device, Request, WRONG, call, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let irql = call!(KeAcquireSpinLockRaiseToDpc(LOCK.as_ptr()));
        if WRONG {
            request.answer();
        }
        call!(KeReleaseSpinLock(LOCK.as_ptr(), irql));
        request.answer()
    }
}

static LOCK: AtomicUsize = AtomicUsize::new(0);
