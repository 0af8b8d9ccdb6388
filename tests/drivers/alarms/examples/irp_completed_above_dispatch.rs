//! A request that is completed above DISPATCH_LEVEL.

#![no_std]

use alarms::{Device, Request, WRONG, call, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let irql = call!(KfRaiseIrql(sys::DISPATCH_LEVEL + u8::from(WRONG)));
        let status = request.answer();
        call!(KeLowerIrql(irql));
        status
    }
}
