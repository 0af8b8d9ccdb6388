//! A division by zero.

#![no_std]

use core::arch::asm;

use alarms::{Device, Request, WRONG, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let by = u32::from(!WRONG);
        // SAFETY: none is claimed, as for `call!`.
        unsafe { asm!("div {0:e}", in(reg) by, inout("eax") 7 => _, inout("edx") 0 => _) };
        request.answer()
    }
}
