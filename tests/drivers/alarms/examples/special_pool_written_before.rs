//! A byte that is written before a block of pool.

#![no_std]

use alarms::{Device, Request, WRONG, frame, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let block = frame::allocate(64);
        let start = if WRONG { block.wrapping_sub(8) } else { block };
        frame::write(start, 0, 1);
        frame::free(block);
        request.answer()
    }
}
