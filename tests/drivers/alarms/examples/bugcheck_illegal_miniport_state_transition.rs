//! A pause that returns success and is completed as well.

#![no_std]

use alarms::{Adapter, Miniport, SUCCESS, WRONG, call, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn pause(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        let status = adapter.pause();
        if WRONG && status == SUCCESS {
            call!(NdisMPauseComplete(adapter.handle()));
            call!(NdisMPauseComplete(adapter.handle()));
        }
        status
    }
}
