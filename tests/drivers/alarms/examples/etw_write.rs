//! An event that is written by a trace provider after it was unregistered.

#![no_std]

use core::ptr;

use alarms::{Device, Request, WRONG, call, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let handle = register();
        if !WRONG {
            write(handle);
        }
        call!(kernel::EtwUnregister(handle));
        if WRONG {
            write(handle);
        }
        request.answer()
    }
}

fn register() -> u64 {
    let mut handle = 0;
    let null = ptr::null_mut();
    call!(kernel::EtwRegister(
        &raw const PROVIDER,
        null,
        null,
        &raw mut handle
    ));
    handle
}

fn write(handle: u64) {
    let event = (&raw const EVENT).cast();
    call!(kernel::EtwWrite(handle, event, ptr::null(), 0, ptr::null()));
}

static PROVIDER: [u8; 16] = *b"a provider of it";

/// An EVENT_DESCRIPTOR of no level and no keyword.
static EVENT: [u64; 2] = [0; 2];
