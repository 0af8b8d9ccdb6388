//! A work item that is not freed in halt.

#![no_std]

use core::sync::atomic::Ordering;

use alarms::{Adapter, Miniport, SUCCESS, WRONG, call, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn initialize(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        let status = adapter.open();
        if status == SUCCESS {
            let item = call!(NdisAllocateIoWorkItem(adapter.handle()));
            adapter.kept.store(item, Ordering::Relaxed);
        }
        status
    }

    fn halt(adapter: &'static Adapter) {
        let item = adapter.kept.load(Ordering::Relaxed);
        if !WRONG && !item.is_null() {
            call!(NdisFreeIoWorkItem(item));
        }
        adapter.close();
    }
}
