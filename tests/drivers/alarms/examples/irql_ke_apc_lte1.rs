//! A thread sleeps at DISPATCH_LEVEL.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, call, irql, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn halt(adapter: &'static Adapter) {
        let mut interval = -10;
        irql::at(LEVEL, || {
            call!(KeDelayExecutionThread(0, 0, &raw mut interval))
        });
        adapter.close();
    }
}

/// Where the call is made.
const LEVEL: sys::KIRQL = if WRONG { irql::DISPATCH } else { irql::PASSIVE };
