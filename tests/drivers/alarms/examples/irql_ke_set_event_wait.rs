//! An event is set at DISPATCH_LEVEL by who says that a wait follows.

#![no_std]

use core::cell::UnsafeCell;

use alarms::{Adapter, Miniport, WRONG, call, irql, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn halt(adapter: &'static Adapter) {
        call!(KeInitializeEvent(EVENT.0.get(), 0, 1));
        irql::at(irql::DISPATCH, || {
            call!(KeSetEvent(EVENT.0.get(), 0, sys::BOOLEAN::from(WRONG)))
        });
        adapter.close();
    }
}

static EVENT: Place = Place(UnsafeCell::new(sys::KEVENT::zeroed()));

struct Place(UnsafeCell<sys::KEVENT>);

// SAFETY: only functions of the kernel touch it.
unsafe impl Sync for Place {}
