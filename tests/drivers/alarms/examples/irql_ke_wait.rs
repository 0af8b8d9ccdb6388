//! A wait that does not block is made above DISPATCH_LEVEL.

#![no_std]

use core::cell::UnsafeCell;

use alarms::{Adapter, Miniport, WRONG, call, irql, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn halt(adapter: &'static Adapter) {
        call!(KeInitializeEvent(EVENT.0.get(), 0, 1));
        let mut none = 0;
        irql::at(LEVEL, || {
            call!(KeWaitForSingleObject(
                EVENT.0.get().cast(),
                0,
                0,
                0,
                &raw mut none
            ))
        });
        adapter.close();
    }
}

static EVENT: Place = Place(UnsafeCell::new(sys::KEVENT::zeroed()));

struct Place(UnsafeCell<sys::KEVENT>);

// SAFETY: only functions of the kernel touch it.
unsafe impl Sync for Place {}

/// Where the call is made.
const LEVEL: sys::KIRQL = if WRONG { irql::DEVICE } else { irql::DISPATCH };
