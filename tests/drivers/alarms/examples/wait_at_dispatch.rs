//! A wait that may block, at DISPATCH_LEVEL.

#![no_std]

use core::ptr;

use alarms::{Device, Request, WRONG, call, kernel::Place, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        call!(KeInitializeEvent(EVENT.get(), 0, 1));
        let level = if WRONG {
            sys::DISPATCH_LEVEL
        } else {
            sys::PASSIVE_LEVEL
        };
        let irql = call!(KfRaiseIrql(level));
        call!(KeWaitForSingleObject(
            EVENT.get().cast(),
            0,
            0,
            0,
            ptr::null_mut()
        ));
        call!(KeLowerIrql(irql));
        request.answer()
    }
}

static EVENT: Place<sys::KEVENT> = Place::new(sys::KEVENT::zeroed());
