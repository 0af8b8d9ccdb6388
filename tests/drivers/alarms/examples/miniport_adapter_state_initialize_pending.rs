//! An initialize that returns that it is not over.

#![no_std]

use alarms::{Adapter, Miniport, SUCCESS, WRONG, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn initialize(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        if adapter.open() == SUCCESS {
            adapter.close();
        }
        if WRONG {
            sys::NDIS_STATUS_PENDING
        } else {
            sys::NDIS_STATUS_FAILURE
        }
    }
}
