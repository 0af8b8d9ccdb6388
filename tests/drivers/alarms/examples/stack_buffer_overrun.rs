//! A check of the stack that the compiler put into the driver, and that fails.

#![no_std]

use core::arch::asm;

use alarms::{Device, Request, WRONG, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        if WRONG {
            // SAFETY: none is claimed, as for `call!`.
            unsafe { asm!("int 29h", in("ecx") STACK_COOKIE_CHECK_FAILURE) };
        }
        request.answer()
    }
}

/// FAST_FAIL_STACK_COOKIE_CHECK_FAILURE.
const STACK_COOKIE_CHECK_FAILURE: u32 = 2;
