//! A block of pool that is freed with another tag than its own.

#![no_std]

use alarms::{Device, Request, TAG, WRONG, call, frame, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let block = frame::allocate(64);
        let tag = if WRONG { TAG + 1 } else { TAG };
        call!(ExFreePoolWithTag(block.cast(), tag));
        request.answer()
    }
}
