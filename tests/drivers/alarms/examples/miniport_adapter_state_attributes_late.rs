//! General attributes that are set again in restart.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn restart(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        if WRONG {
            adapter.set_general_attributes();
        }
        adapter.restart()
    }
}
