//! A work item that is freed twice.

#![no_std]

use alarms::{Device, Request, WRONG, call, device, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let item = call!(kernel::IoAllocateWorkItem(device::object().cast()));
        call!(kernel::IoFreeWorkItem(item));
        if WRONG {
            call!(kernel::IoFreeWorkItem(item));
        }
        request.answer()
    }
}
