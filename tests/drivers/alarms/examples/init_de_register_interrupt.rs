//! An interrupt that is deregistered in pause and not in halt.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, hardware, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn initialize(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        hardware::open_with_interrupt(adapter)
    }

    fn pause(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        if WRONG {
            hardware::deregister_interrupt(adapter);
        }
        adapter.pause()
    }

    fn halt(adapter: &'static Adapter) {
        hardware::deregister_interrupt(adapter);
        adapter.close();
    }
}
