//! A pause that is never completed.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn pause(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        let status = adapter.pause();
        if WRONG {
            sys::NDIS_STATUS_PENDING
        } else {
            status
        }
    }
}
