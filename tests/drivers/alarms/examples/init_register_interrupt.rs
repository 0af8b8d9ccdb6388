//! An interrupt that is registered in restart and not in initialize.

#![no_std]

use alarms::{Adapter, Miniport, SUCCESS, WRONG, hardware, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn initialize(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        if WRONG {
            adapter.open()
        } else {
            hardware::open_with_interrupt(adapter)
        }
    }

    fn restart(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        if WRONG && hardware::register_interrupt(adapter) != SUCCESS {
            return sys::NDIS_STATUS_RESOURCES;
        }
        adapter.restart()
    }

    fn halt(adapter: &'static Adapter) {
        hardware::deregister_interrupt(adapter);
        adapter.close();
    }
}
