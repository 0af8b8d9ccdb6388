//! A reader-writer spin lock that is released by a writer who never acquired it.

#![no_std]

use core::sync::atomic::AtomicU32;

use alarms::{Device, Request, WRONG, call, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let irql = if WRONG {
            call!(KfRaiseIrql(sys::DISPATCH_LEVEL))
        } else {
            call!(kernel::ExAcquireSpinLockExclusive(LOCK.as_ptr()))
        };
        call!(kernel::ExReleaseSpinLockExclusive(LOCK.as_ptr(), irql));
        request.answer()
    }
}

static LOCK: AtomicU32 = AtomicU32::new(0);
