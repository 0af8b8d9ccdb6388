//! An initialize that fails and leaves its interrupt registered.

#![no_std]

use alarms::{Adapter, Miniport, SUCCESS, WRONG, hardware, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn initialize(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        if hardware::open_with_interrupt(adapter) == SUCCESS {
            if !WRONG {
                hardware::deregister_interrupt(adapter);
            }
            adapter.close();
        }
        sys::NDIS_STATUS_RESOURCES
    }
}
