//! A generic object that is freed twice.

#![no_std]

use alarms::{Adapter, Miniport, TAG, WRONG, call};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn unload(adapter: &'static Adapter) {
        let object = call!(NdisAllocateGenericObject(adapter.object(), TAG, 0));
        if !object.is_null() {
            call!(NdisFreeGenericObject(object));
            if WRONG {
                call!(NdisFreeGenericObject(object));
            }
        }
        adapter.deregister();
    }
}
