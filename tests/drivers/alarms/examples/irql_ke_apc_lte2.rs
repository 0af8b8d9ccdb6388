//! A critical region is entered at DISPATCH_LEVEL.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, call, irql, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn halt(adapter: &'static Adapter) {
        irql::at(LEVEL, || {
            call!(KeEnterCriticalRegion());
            call!(KeLeaveCriticalRegion());
        });
        adapter.close();
    }
}

/// Where the call is made.
const LEVEL: sys::KIRQL = if WRONG { irql::DISPATCH } else { irql::PASSIVE };
