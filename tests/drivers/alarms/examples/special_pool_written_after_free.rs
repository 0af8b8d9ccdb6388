//! A byte that is written into a block of pool that was freed, where each block is not alone on its
//! page.

#![no_std]

use alarms::{Device, Request, WRONG, frame, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let block = frame::allocate(64);
        if !WRONG {
            frame::write(block, 5, 1);
        }
        frame::free(block);
        if WRONG {
            frame::write(block, 5, 1);
        }
        request.answer()
    }
}
