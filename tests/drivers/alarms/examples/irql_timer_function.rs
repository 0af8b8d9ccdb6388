//! A timer is freed above DISPATCH_LEVEL.

#![no_std]

use core::sync::atomic::Ordering;

use alarms::{Adapter, Miniport, SUCCESS, WRONG, call, irql, sys, timer};

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
        SUCCESS
    }

    fn halt(adapter: &'static Adapter) {
        let timer = adapter.kept.load(Ordering::Relaxed);
        irql::at(LEVEL, || call!(NdisFreeTimerObject(timer)));
        adapter.close();
    }
}

/// Where the call is made.
const LEVEL: sys::KIRQL = if WRONG { irql::DEVICE } else { irql::DISPATCH };
