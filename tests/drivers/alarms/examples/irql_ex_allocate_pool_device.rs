//! Pool is allocated above DISPATCH_LEVEL.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, frame, irql, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn halt(adapter: &'static Adapter) {
        let block = irql::at(LEVEL, || frame::allocate(8));
        if !block.is_null() {
            frame::free(block);
        }
        adapter.close();
    }
}

/// Where the call is made.
const LEVEL: sys::KIRQL = if WRONG { irql::DEVICE } else { irql::DISPATCH };
