//! A dispatch routine that completes a request and returns STATUS_PENDING.

#![no_std]

use alarms::{Device, Request, WRONG, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let status = request.answer();
        if WRONG { sys::STATUS_PENDING } else { status }
    }
}
