//! A spin lock whose word is overwritten while it is held.

#![no_std]

use core::sync::atomic::{AtomicUsize, Ordering};

use alarms::{Device, Request, WRONG, call, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let irql = call!(KeAcquireSpinLockRaiseToDpc(LOCK.as_ptr()));
        if WRONG {
            LOCK.store(1, Ordering::Relaxed);
        }
        call!(KeReleaseSpinLock(LOCK.as_ptr(), irql));
        request.answer()
    }
}

static LOCK: AtomicUsize = AtomicUsize::new(0);
