//! A byte that is written behind the end of shared memory.

#![no_std]

use alarms::{Adapter, Miniport, SUCCESS, WRONG, frame, hardware, sys};

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

    fn halt(adapter: &'static Adapter) {
        let last = hardware::SHARED - 1;
        frame::write(SHARED.at(), if WRONG { last + 1 } else { last }, 1);
        SHARED.free(adapter);
        hardware::close_with_dma(adapter);
    }
}

static SHARED: hardware::Shared = hardware::Shared::new();
