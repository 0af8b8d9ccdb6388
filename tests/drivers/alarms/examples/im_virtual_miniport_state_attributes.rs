//! A virtual miniport that would be halted when the system sleeps.

#![no_std]

use alarms::{Adapter, Intermediate, WRONG, sys};

alarms::driver!(im: Driver);

struct Driver;

impl Intermediate for Driver {
    fn initialize(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        if WRONG {
            adapter.open()
        } else {
            adapter.open_with(sys::NDIS_MINIPORT_ATTRIBUTES_NO_HALT_ON_SUSPEND)
        }
    }
}
