//! An initialize that sets no general attributes.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn initialize(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        if WRONG {
            adapter.set_registration_attributes(0)
        } else {
            adapter.open()
        }
    }
}
