//! An event that is copied elsewhere and waited for there.

#![no_std]

use core::ptr;

use alarms::{Device, Request, WRONG, call, kernel::Place, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        call!(KeInitializeEvent(EVENT.get(), 0, 1));
        let event = if WRONG { COPY.get() } else { EVENT.get() };
        // SAFETY: both are this driver's alone.
        unsafe { COPY.get().copy_from_nonoverlapping(EVENT.get(), 1) };
        call!(KeWaitForSingleObject(
            event.cast(),
            0,
            0,
            0,
            ptr::null_mut()
        ));
        request.answer()
    }
}

static EVENT: Place<sys::KEVENT> = Place::new(sys::KEVENT::zeroed());

static COPY: Place<sys::KEVENT> = Place::new(sys::KEVENT::zeroed());
