//! A block of pool that is freed with a timer in it that is set.

#![no_std]

use core::ptr;

use alarms::{Device, Request, WRONG, call, frame, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let block = frame::allocate(size_of::<sys::KTIMER>());
        call!(kernel::KeInitializeTimer(block.cast()));
        call!(kernel::KeSetTimer(block.cast(), HOUR, ptr::null_mut()));
        if !WRONG {
            call!(kernel::KeCancelTimer(block.cast()));
        }
        frame::free(block);
        request.answer()
    }
}

/// An hour from now, in units of 100 ns.
const HOUR: i64 = -36_000_000_000;
