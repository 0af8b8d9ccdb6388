//! The IRQL is raised to a lower level.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, frame::Nbl, irql, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        irql::at(irql::DISPATCH, || irql::at(LEVEL, || {}));
        adapter.complete(nbls);
    }
}

/// What is raised to.
const LEVEL: sys::KIRQL = if WRONG { irql::APC } else { irql::DEVICE };
