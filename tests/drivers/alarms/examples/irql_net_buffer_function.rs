//! A pool of NBLs is freed above DISPATCH_LEVEL.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, irql, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn halt(adapter: &'static Adapter) {
        irql::at(LEVEL, || adapter.close());
    }
}

/// Where the call is made.
const LEVEL: sys::KIRQL = if WRONG { irql::DEVICE } else { irql::DISPATCH };
