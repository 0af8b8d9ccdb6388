//! An instruction that no processor has, as compilers put it where code cannot come.

#![no_std]

use core::arch::asm;

use alarms::{Device, Request, WRONG, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        if WRONG {
            // SAFETY: none is claimed, as for `call!`.
            unsafe { asm!("ud2") };
        }
        request.answer()
    }
}
