//! An allocation of shared memory that fails in initialize, which does not log it.

#![no_std]

use alarms::{Adapter, Miniport, SUCCESS, WRONG, call, hardware, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn initialize(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        let status = hardware::open_with_dma(adapter, Some(hardware::no_list));
        // Without the block, the adapter runs slower.
        if status == SUCCESS && !SHARED.allocate(adapter) && !WRONG {
            call!(NdisWriteErrorLogEntry(
                adapter.handle(),
                OUT_OF_RESOURCES,
                0
            ));
        }
        status
    }

    fn halt(adapter: &'static Adapter) {
        if !SHARED.at().is_null() {
            SHARED.free(adapter);
        }
        hardware::close_with_dma(adapter);
    }
}

static SHARED: hardware::Shared = hardware::Shared::new();

/// `NDIS_ERROR_CODE_OUT_OF_RESOURCES`.
const OUT_OF_RESOURCES: u32 = 0xc000_1389;
