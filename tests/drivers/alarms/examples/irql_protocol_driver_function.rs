//! A protocol deregisters at DISPATCH_LEVEL.

#![no_std]

use alarms::{Binding, Protocol, WRONG, irql, sys};

alarms::driver!(protocol: Driver);

struct Driver;

impl Protocol for Driver {
    fn unload(binding: &'static Binding) {
        irql::at(LEVEL, || binding.deregister());
    }
}

/// Where the call is made.
const LEVEL: sys::KIRQL = if WRONG { irql::DISPATCH } else { irql::PASSIVE };
