//! Sends are completed above DISPATCH_LEVEL.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, frame::Nbl, irql, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        irql::at(LEVEL, || adapter.complete(nbls));
    }
}

/// Where the call is made.
const LEVEL: sys::KIRQL = if WRONG { irql::DEVICE } else { irql::DISPATCH };
