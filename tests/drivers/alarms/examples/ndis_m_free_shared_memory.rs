//! Shared memory that is freed in shutdown.

#![no_std]

use alarms::{Adapter, Miniport, SUCCESS, WRONG, hardware, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn initialize(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        let status = hardware::open_with_dma(adapter, Some(hardware::no_list));
        if status == SUCCESS && !SHARED.allocate(adapter) {
            hardware::close_with_dma(adapter);
            return sys::NDIS_STATUS_RESOURCES;
        }
        status
    }

    fn shutdown(adapter: &'static Adapter) {
        if WRONG {
            SHARED.free(adapter);
        }
    }

    fn halt(adapter: &'static Adapter) {
        SHARED.free(adapter);
        hardware::close_with_dma(adapter);
    }
}

static SHARED: hardware::Shared = hardware::Shared::new();
