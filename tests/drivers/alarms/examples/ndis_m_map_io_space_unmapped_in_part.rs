//! Device registers of which only a part is unmapped.

#![no_std]

use alarms::{Adapter, Miniport, SUCCESS, WRONG, call, hardware, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn initialize(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        let mut status = adapter.open();
        if status == SUCCESS {
            status = call!(NdisMMapIoSpace(
                adapter.kept.as_ptr(),
                adapter.handle(),
                0xfe00_0000,
                LENGTH,
            ));
            if status != SUCCESS {
                adapter.close();
            }
        }
        status
    }

    fn halt(adapter: &'static Adapter) {
        call!(NdisMUnmapIoSpace(
            adapter.handle(),
            hardware::kept(adapter),
            if WRONG { LENGTH / 2 } else { LENGTH },
        ));
        adapter.close();
    }
}

/// Bytes of registers.
const LENGTH: u32 = 256;
