//! A trace provider that is left when the driver is unloaded.

#![no_std]

use core::{
    ptr,
    sync::atomic::{AtomicBool, Ordering},
};

use alarms::{Device, Request, WRONG, call, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        if !LEFT.swap(true, Ordering::Relaxed) {
            let handle = register();
            if !WRONG {
                call!(kernel::EtwUnregister(handle));
            }
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

static LEFT: AtomicBool = AtomicBool::new(false);
