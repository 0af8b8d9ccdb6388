//! A generic object that is not freed before the driver is unloaded.

#![no_std]

use core::sync::atomic::Ordering;

use alarms::{Adapter, Miniport, TAG, WRONG, call, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn entry(adapter: &'static Adapter) -> sys::NTSTATUS {
        let object = call!(NdisAllocateGenericObject(adapter.object(), TAG, 0));
        adapter.kept.store(object.cast(), Ordering::Release);
        0
    }

    fn unload(adapter: &'static Adapter) {
        let object = adapter.kept.load(Ordering::Acquire);
        if !WRONG && !object.is_null() {
            call!(NdisFreeGenericObject(object.cast()));
        }
        adapter.deregister();
    }
}
