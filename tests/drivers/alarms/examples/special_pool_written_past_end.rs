//! A byte that is written behind a block of pool, where the page goes on.

#![no_std]

use alarms::{Device, Request, WRONG, frame, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let block = frame::allocate(61);
        let at = if WRONG { 63 } else { 60 };
        frame::write(block, at, 1);
        frame::free(block);
        request.answer()
    }
}
