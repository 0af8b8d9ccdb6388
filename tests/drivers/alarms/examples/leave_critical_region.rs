//! A critical region that is left without having been entered.

#![no_std]

use alarms::{Device, Request, WRONG, call, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        if !WRONG {
            call!(KeEnterCriticalRegion());
        }
        call!(KeLeaveCriticalRegion());
        request.answer()
    }
}
