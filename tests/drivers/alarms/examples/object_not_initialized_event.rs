//! An event that is set without having been initialized.

#![no_std]

use alarms::{Device, Request, WRONG, call, kernel::Place, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        if !WRONG {
            call!(KeInitializeEvent(EVENT.get(), 0, 0));
        }
        call!(KeSetEvent(EVENT.get(), 0, 0));
        request.answer()
    }
}

static EVENT: Place<sys::KEVENT> = Place::new(sys::KEVENT::zeroed());
