//! A processor that is kept for longer than 50 microseconds.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, frame::Nbl, kernel};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        // SAFETY: any number is a time.
        unsafe { kernel::KeStallExecutionProcessor(if WRONG { 51 } else { 50 }) };
        adapter.complete(nbls);
    }
}
