//! A block of pool that is allocated with tag 0.

#![no_std]

use alarms::{Device, Request, TAG, WRONG, call, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let tag = if WRONG { 0 } else { TAG };
        let block = call!(kernel::ExAllocatePoolWithTag(NONPAGED, 64, tag));
        call!(ExFreePool(block));
        request.answer()
    }
}

/// NonPagedPoolNx.
const NONPAGED: u32 = 512;
