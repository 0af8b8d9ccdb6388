//! An entry of the event log that has bytes of data and no pointer to them.

#![no_std]

use core::ptr;

use alarms::{Device, Request, WRONG, call, device, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let null = ptr::null_mut();
        let bytes = if WRONG { 4 } else { 0 };
        call!(NdisWriteEventLogEntry(
            device::object().cast(),
            1,
            0,
            0,
            null,
            bytes,
            null
        ));
        request.answer()
    }
}
