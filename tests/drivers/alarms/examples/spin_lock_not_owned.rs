//! A spin lock that is released by another thread than the one that holds it.

#![no_std]

use core::{
    ffi::c_void,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use alarms::{Device, Request, WRONG, call, sys, thread::Thread};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        if let Some(thread) = Thread::start(hold) {
            while !HELD.load(Ordering::Acquire) {
                call!(kernel::KeStallExecutionProcessor(10));
            }
            if WRONG {
                let irql = call!(KfRaiseIrql(sys::DISPATCH_LEVEL));
                call!(KeReleaseSpinLock(LOCK.as_ptr(), irql));
            }
            DONE.store(true, Ordering::Release);
            thread.join();
            thread.release();
        }
        request.answer()
    }
}

unsafe extern "efiapi" fn hold(_: *mut c_void) {
    let irql = call!(KeAcquireSpinLockRaiseToDpc(LOCK.as_ptr()));
    HELD.store(true, Ordering::Release);
    while !DONE.load(Ordering::Acquire) {
        call!(kernel::KeStallExecutionProcessor(10));
    }
    call!(KeReleaseSpinLock(LOCK.as_ptr(), irql));
}

static LOCK: AtomicUsize = AtomicUsize::new(0);

/// Whether the thread has the lock.
static HELD: AtomicBool = AtomicBool::new(false);

/// Whether the thread may give it back.
static DONE: AtomicBool = AtomicBool::new(false);
