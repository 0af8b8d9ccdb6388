//! A frame that is indicated while the adapter is paused.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn initialize(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        let status = adapter.open();
        if WRONG {
            // Counts as a restart, before there was one.
            adapter.restart();
            adapter.indicate();
        }
        status
    }
}
