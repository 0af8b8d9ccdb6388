//! A driver that undoes its registration while it has an adapter.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn pause(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        if WRONG {
            adapter.deregister();
        }
        adapter.pause()
    }
}
