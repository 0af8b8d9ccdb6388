//! A dispatch routine that returns success and has not completed the request.

#![no_std]

use alarms::{Device, Request, SUCCESS, WRONG, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        if WRONG {
            return SUCCESS;
        }
        request.answer()
    }
}
