//! A driver that stops the system.

#![no_std]

use alarms::{Device, Request, WRONG, call, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        if WRONG {
            call!(KeBugCheckEx(MANUALLY_INITIATED_CRASH, 1, 2, 3, 4));
        }
        request.answer()
    }
}

const MANUALLY_INITIATED_CRASH: u32 = 0xe2;
