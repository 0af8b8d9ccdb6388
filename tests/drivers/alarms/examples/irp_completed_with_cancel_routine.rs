//! A request that is completed with its cancel routine still set.

#![no_std]

use alarms::{Device, Request, WRONG, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        request.set_cancel(Some(cancel));
        if !WRONG {
            request.set_cancel(None);
        }
        request.answer()
    }
}

unsafe extern "efiapi" fn cancel(_device: *mut sys::DEVICE_OBJECT, request: *mut sys::IRP) {
    Driver::cancelled(Request(request));
}
