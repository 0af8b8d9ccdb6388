//! A check of a list that the compiler put into the driver, and that fails.

#![no_std]

use core::arch::asm;

use alarms::{Device, Request, WRONG, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        if WRONG {
            // SAFETY: none is claimed, as for `call!`.
            unsafe { asm!("int 29h", in("ecx") CORRUPT_LIST_ENTRY) };
        }
        request.answer()
    }
}

/// FAST_FAIL_CORRUPT_LIST_ENTRY.
const CORRUPT_LIST_ENTRY: u32 = 3;
