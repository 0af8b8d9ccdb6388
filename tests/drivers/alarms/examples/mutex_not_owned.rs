//! A mutex that is released by a thread that does not hold it.

#![no_std]

use core::ptr;

use alarms::{
    Device, Request, WRONG, call,
    kernel::{Mutex, Place},
    sys,
};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        call!(kernel::KeInitializeMutex(MUTEX.get(), 0));
        if !WRONG {
            call!(KeWaitForSingleObject(
                MUTEX.get().cast(),
                0,
                0,
                0,
                ptr::null_mut()
            ));
        }
        call!(kernel::KeReleaseMutex(MUTEX.get(), 0));
        request.answer()
    }
}

static MUTEX: Place<Mutex> = Place::new([0; 7]);
