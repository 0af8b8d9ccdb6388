//! A lookaside list that is deleted twice.

#![no_std]

use core::ptr;

use alarms::{
    Device, Request, TAG, WRONG, call,
    kernel::{Lookaside, Place},
    sys,
};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        initialize();
        call!(kernel::ExDeleteNPagedLookasideList(LIST.get()));
        if WRONG {
            call!(kernel::ExDeleteNPagedLookasideList(LIST.get()));
        }
        request.answer()
    }
}

fn initialize() {
    let null = ptr::null_mut();
    call!(kernel::ExInitializeNPagedLookasideList(
        LIST.get(),
        null,
        null,
        0,
        64,
        TAG,
        0
    ));
}

static LIST: Place<Lookaside> = Place::new([0; 16]);
