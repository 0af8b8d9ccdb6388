//! A timer that is still set when the adapter is halted.

#![no_std]

use core::{ptr, sync::atomic::Ordering};

use alarms::{Adapter, Miniport, SUCCESS, WRONG, call, sys, timer};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn initialize(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        let status = adapter.open();
        if status != SUCCESS {
            return status;
        }
        let Some(timer) = timer::allocate(adapter, timer::nothing) else {
            adapter.close();
            return sys::NDIS_STATUS_RESOURCES;
        };
        adapter.kept.store(timer, Ordering::Relaxed);
        call!(NdisSetTimerObject(timer, -timer::HOUR, 0, ptr::null_mut()));
        SUCCESS
    }

    fn halt(adapter: &'static Adapter) {
        if !WRONG {
            let timer = adapter.kept.load(Ordering::Relaxed);
            call!(NdisCancelTimerObject(timer));
            call!(NdisFreeTimerObject(timer));
        }
        adapter.close();
    }
}
