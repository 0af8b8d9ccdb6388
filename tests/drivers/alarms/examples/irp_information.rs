//! A request that is completed with more bytes than its buffer has.

#![no_std]

use alarms::{Device, Request, SUCCESS, WRONG, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        request.complete(SUCCESS, request.room() + usize::from(WRONG))
    }
}
