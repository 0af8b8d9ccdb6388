//! A timer that is freed while it is set.

#![no_std]

use core::ptr;

use alarms::{Adapter, Miniport, WRONG, call, frame::Nbl, timer};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        if let Some(timer) = timer::allocate(adapter, timer::nothing) {
            call!(NdisSetTimerObject(timer, -timer::HOUR, 0, ptr::null_mut()));
            if !WRONG {
                call!(NdisCancelTimerObject(timer));
            }
            call!(NdisFreeTimerObject(timer));
        }
        adapter.complete(nbls);
    }
}
