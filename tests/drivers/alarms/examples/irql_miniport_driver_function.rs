//! The attributes of an adapter are set at DISPATCH_LEVEL.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, irql, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn initialize(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        irql::at(LEVEL, || adapter.open())
    }
}

/// Where the call is made.
const LEVEL: sys::KIRQL = if WRONG { irql::DISPATCH } else { irql::PASSIVE };
