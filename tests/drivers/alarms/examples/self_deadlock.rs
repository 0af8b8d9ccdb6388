//! A fast mutex that is acquired by the thread that holds it.

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
        call!(kernel::ExAcquireFastMutex(MUTEX.get()));
        if WRONG {
            call!(kernel::ExAcquireFastMutex(MUTEX.get()));
        }
        call!(kernel::ExReleaseFastMutex(MUTEX.get()));
        request.answer()
    }
}

static MUTEX: Place<FastMutex> = Place::new(FastMutex::new());
