//! An address inside of a block of pool that is freed.

#![no_std]

use alarms::{Device, Request, WRONG, frame, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let block = frame::allocate(64);
        let offset = if WRONG { 16 } else { 0 };
        frame::free(block.wrapping_add(offset));
        request.answer()
    }
}
