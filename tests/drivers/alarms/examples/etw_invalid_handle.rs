//! A trace provider that is unregistered twice.

#![no_std]

use core::ptr;

use alarms::{Device, Request, WRONG, call, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let handle = register();
        call!(kernel::EtwUnregister(handle));
        if WRONG {
            call!(kernel::EtwUnregister(handle));
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

static PROVIDER: [u8; 16] = *b"a provider of it";
