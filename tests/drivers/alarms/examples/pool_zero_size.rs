//! An allocation of zero bytes.

#![no_std]

use alarms::{Device, Request, WRONG, frame, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let bytes = if WRONG { 0 } else { 1 };
        frame::free(frame::allocate(bytes));
        request.answer()
    }
}
