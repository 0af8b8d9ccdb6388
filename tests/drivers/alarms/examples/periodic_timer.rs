//! A timer with a period that is cancelled at DISPATCH_LEVEL.

#![no_std]

use core::ptr;

use alarms::{Adapter, Miniport, WRONG, call, frame::Nbl, irql, timer};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        if let Some(timer) = timer::allocate(adapter, timer::nothing) {
            let period = if WRONG { 3_600_000 } else { 0 };
            call!(NdisSetTimerObject(
                timer,
                -timer::HOUR,
                period,
                ptr::null_mut()
            ));
            irql::at(irql::DISPATCH, || {
                call!(NdisCancelTimerObject(timer));
            });
            call!(NdisFreeTimerObject(timer));
        }
        adapter.complete(nbls);
    }
}
