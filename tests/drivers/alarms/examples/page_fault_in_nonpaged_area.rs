//! A byte that is read at NULL.

#![no_std]

use core::ptr;

use alarms::{Device, Request, WRONG, frame, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let byte = 7_u8;
        let from = if WRONG { ptr::null() } else { &raw const byte };
        frame::read(from, 0);
        request.answer()
    }
}
