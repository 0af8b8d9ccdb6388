//! A spin lock at an address that is not aligned.

#![no_std]

use alarms::{Device, Request, WRONG, call, kernel::Place, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let offset = if WRONG { 4 } else { 8 };
        let lock = MEMORY.get().wrapping_byte_add(offset).cast();
        call!(KeInitializeSpinLock(lock));
        let irql = call!(KeAcquireSpinLockRaiseToDpc(lock));
        call!(KeReleaseSpinLock(lock, irql));
        request.answer()
    }
}

static MEMORY: Place<[usize; 3]> = Place::new([0; 3]);
