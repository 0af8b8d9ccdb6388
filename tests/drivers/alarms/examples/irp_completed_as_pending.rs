//! A request that is completed with STATUS_PENDING.

#![no_std]

use alarms::{Device, Request, SUCCESS, WRONG, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let status = if WRONG { sys::STATUS_PENDING } else { SUCCESS };
        request.complete(status, 0)
    }
}
