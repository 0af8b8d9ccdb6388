//! A wait for an event that nobody ever sets.

#![no_std]

use core::ptr;

use alarms::{Device, Request, WRONG, call, kernel::Place, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let state = if WRONG { 0 } else { 1 };
        call!(KeInitializeEvent(EVENT.get(), 0, state));
        call!(KeWaitForSingleObject(
            EVENT.get().cast(),
            0,
            0,
            0,
            ptr::null_mut()
        ));
        request.answer()
    }
}

static EVENT: Place<sys::KEVENT> = Place::new(sys::KEVENT::zeroed());
