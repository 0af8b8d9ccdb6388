//! A fast mutex that is released and is not held.

#![no_std]

use alarms::{
    Device, Request, WRONG, call,
    kernel::{FastMutex, Place},
    sys,
};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        if WRONG {
            call!(KfRaiseIrql(sys::APC_LEVEL));
        } else {
            call!(kernel::ExAcquireFastMutex(MUTEX.get()));
        }
        call!(kernel::ExReleaseFastMutex(MUTEX.get()));
        request.answer()
    }
}

static MUTEX: Place<FastMutex> = Place::new(FastMutex::new());
