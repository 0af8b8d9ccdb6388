//! A request that is completed twice.

#![no_std]

use alarms::{Device, Request, WRONG, call, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let status = request.answer();
        if WRONG {
            call!(IofCompleteRequest(request.0, 0));
        }
        status
    }
}
