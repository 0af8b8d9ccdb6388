//! A dispatch routine that returns STATUS_PENDING and has not marked the request.

#![no_std]

use alarms::{Device, Request, WRONG, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn wait(request: Request) -> sys::NTSTATUS {
        if !WRONG {
            request.mark_pending();
        }
        request.set_cancel(Some(cancel));
        sys::STATUS_PENDING
    }
}

unsafe extern "efiapi" fn cancel(_device: *mut sys::DEVICE_OBJECT, request: *mut sys::IRP) {
    Driver::cancelled(Request(request));
}
