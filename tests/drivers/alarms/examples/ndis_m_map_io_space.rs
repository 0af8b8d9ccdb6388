//! Device registers that are mapped in restart and not in initialize.

#![no_std]

use alarms::{Adapter, Miniport, SUCCESS, WRONG, call, hardware, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn initialize(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        let mut status = adapter.open();
        if status == SUCCESS && !WRONG {
            status = map(adapter);
            if status != SUCCESS {
                adapter.close();
            }
        }
        status
    }

    fn restart(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        if WRONG && map(adapter) != SUCCESS {
            return sys::NDIS_STATUS_RESOURCES;
        }
        adapter.restart()
    }

    fn halt(adapter: &'static Adapter) {
        call!(NdisMUnmapIoSpace(
            adapter.handle(),
            hardware::kept(adapter),
            LENGTH,
        ));
        adapter.close();
    }
}

fn map(adapter: &Adapter) -> sys::NDIS_STATUS {
    call!(NdisMMapIoSpace(
        adapter.kept.as_ptr(),
        adapter.handle(),
        0xfe00_0000,
        LENGTH,
    ))
}

/// Bytes of registers.
const LENGTH: u32 = 256;
