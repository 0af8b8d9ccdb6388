//! Paged pool is freed at DISPATCH_LEVEL.

#![no_std]

use alarms::{Adapter, Miniport, TAG, WRONG, call, frame, irql, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn halt(adapter: &'static Adapter) {
        let block = call!(ExAllocatePool2(POOL_FLAG_PAGED, 8, TAG));
        if !block.is_null() {
            irql::at(LEVEL, || frame::free(block.cast()));
        }
        adapter.close();
    }
}

/// Where the call is made.
const LEVEL: sys::KIRQL = if WRONG { irql::DISPATCH } else { irql::PASSIVE };

const POOL_FLAG_PAGED: u64 = 0x100;
