//! A request that is marked pending by a dispatch routine that returns another status.

#![no_std]

use alarms::{Device, Request, WRONG, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        if WRONG {
            request.mark_pending();
        }
        request.answer()
    }
}
