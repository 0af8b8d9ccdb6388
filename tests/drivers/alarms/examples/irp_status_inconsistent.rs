//! A dispatch routine that returns another status than it completed the request with.

#![no_std]

use alarms::{Device, Request, WRONG, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let status = request.answer();
        if WRONG {
            sys::STATUS_INVALID_PARAMETER
        } else {
            status
        }
    }
}
