//! A pause that does not return.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, event, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn pause(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        if WRONG {
            event::forever();
        }
        adapter.pause()
    }
}
