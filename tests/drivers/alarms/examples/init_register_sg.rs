//! Scatter/gather DMA that is still registered after halt.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, hardware, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn initialize(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        hardware::open_with_dma(adapter, Some(hardware::no_list))
    }

    fn halt(adapter: &'static Adapter) {
        if WRONG {
            adapter.close();
        } else {
            hardware::close_with_dma(adapter);
        }
    }
}
