//! Two threads that acquire two spin locks, each in another order.

#![no_std]

use core::{ffi::c_void, sync::atomic::AtomicUsize};

use alarms::{Device, Request, WRONG, call, sys, thread::Thread};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        if let Some(thread) = Thread::start(other) {
            let [first, second] = if WRONG {
                [&LOCKS[1], &LOCKS[0]]
            } else {
                [&LOCKS[0], &LOCKS[1]]
            };
            both(first, second);
            thread.join();
            thread.release();
        }
        request.answer()
    }
}

unsafe extern "efiapi" fn other(_: *mut c_void) {
    both(&LOCKS[0], &LOCKS[1]);
}

fn both(first: &AtomicUsize, second: &AtomicUsize) {
    let irql = call!(KeAcquireSpinLockRaiseToDpc(first.as_ptr()));
    // Long enough for the other thread to have its first one.
    call!(kernel::KeStallExecutionProcessor(50));
    call!(KeAcquireSpinLockAtDpcLevel(second.as_ptr()));
    call!(KeReleaseSpinLockFromDpcLevel(second.as_ptr()));
    call!(KeReleaseSpinLock(first.as_ptr(), irql));
}

static LOCKS: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];
