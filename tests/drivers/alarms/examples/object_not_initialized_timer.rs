//! A timer that is set without having been initialized.

#![no_std]

use core::ptr;

use alarms::{Device, Request, WRONG, call, kernel::Place, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        if !WRONG {
            call!(kernel::KeInitializeTimer(TIMER.get()));
        }
        call!(kernel::KeSetTimer(TIMER.get(), HOUR, ptr::null_mut()));
        call!(kernel::KeCancelTimer(TIMER.get()));
        request.answer()
    }
}

static TIMER: Place<sys::KTIMER> = Place::new(sys::KTIMER::zeroed());

/// An hour from now, in units of 100 ns.
const HOUR: i64 = -36_000_000_000;
