//! A semaphore that is released beyond its limit.

#![no_std]

use alarms::{
    Device, Request, WRONG, call,
    kernel::{Place, Semaphore},
    sys,
};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        call!(kernel::KeInitializeSemaphore(SEMAPHORE.get(), 0, 1));
        let adjustment = if WRONG { 2 } else { 1 };
        call!(kernel::KeReleaseSemaphore(
            SEMAPHORE.get(),
            0,
            adjustment,
            0
        ));
        request.answer()
    }
}

static SEMAPHORE: Place<Semaphore> = Place::new([0; 4]);
