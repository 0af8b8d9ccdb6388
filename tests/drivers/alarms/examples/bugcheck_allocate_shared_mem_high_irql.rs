//! Shared memory that is allocated at DISPATCH_LEVEL.

#![no_std]

use alarms::{Adapter, Miniport, SUCCESS, WRONG, hardware, irql, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn initialize(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        let status = hardware::open_with_dma(adapter, Some(hardware::no_list));
        let level = if WRONG { irql::DISPATCH } else { irql::PASSIVE };
        if status == SUCCESS && !irql::at(level, || SHARED.allocate(adapter)) {
            hardware::close_with_dma(adapter);
            return sys::NDIS_STATUS_RESOURCES;
        }
        status
    }

    fn halt(adapter: &'static Adapter) {
        SHARED.free(adapter);
        hardware::close_with_dma(adapter);
    }
}

static SHARED: hardware::Shared = hardware::Shared::new();
