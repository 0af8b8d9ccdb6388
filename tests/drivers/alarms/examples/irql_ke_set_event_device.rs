//! An event is set above DISPATCH_LEVEL.

#![no_std]

use core::cell::UnsafeCell;

use alarms::{Adapter, Miniport, WRONG, call, irql, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn halt(adapter: &'static Adapter) {
        call!(KeInitializeEvent(EVENT.0.get(), 0, 1));
        irql::at(LEVEL, || call!(KeSetEvent(EVENT.0.get(), 0, 0)));
        adapter.close();
    }
}

static EVENT: Place = Place(UnsafeCell::new(sys::KEVENT::zeroed()));

struct Place(UnsafeCell<sys::KEVENT>);

// SAFETY: only functions of the kernel touch it.
unsafe impl Sync for Place {}

/// Where the call is made.
const LEVEL: sys::KIRQL = if WRONG { irql::DEVICE } else { irql::DISPATCH };
