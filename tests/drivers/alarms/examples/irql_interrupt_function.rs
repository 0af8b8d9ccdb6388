//! An interrupt is deregistered at DISPATCH_LEVEL.

#![no_std]

use core::{ffi::c_void, sync::atomic::Ordering};

use alarms::{Adapter, Miniport, SUCCESS, WRONG, call, irql, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn initialize(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        let status = adapter.open();
        if status != SUCCESS {
            return status;
        }
        let mut characteristics = sys::NDIS_MINIPORT_INTERRUPT_CHARACTERISTICS {
            Header: sys::NDIS_OBJECT_HEADER::new(
                sys::NDIS_OBJECT_TYPE_MINIPORT_INTERRUPT,
                sys::NDIS_MINIPORT_INTERRUPT_REVISION_1,
                sys::NDIS_SIZEOF_MINIPORT_INTERRUPT_CHARACTERISTICS_REVISION_1,
            ),
            InterruptHandler: Some(interrupt),
            InterruptDpcHandler: Some(dpc),
            ..sys::NDIS_MINIPORT_INTERRUPT_CHARACTERISTICS::zeroed()
        };
        let status = call!(NdisMRegisterInterruptEx(
            adapter.handle(),
            adapter.handle(),
            &raw mut characteristics,
            adapter.kept.as_ptr(),
        ));
        if status != SUCCESS {
            adapter.close();
        }
        status
    }

    fn halt(adapter: &'static Adapter) {
        let interrupt = adapter.kept.load(Ordering::Relaxed);
        irql::at(LEVEL, || call!(NdisMDeregisterInterruptEx(interrupt)));
        adapter.close();
    }
}

unsafe extern "efiapi" fn interrupt(
    _context: sys::NDIS_HANDLE,
    _queue_dpc: *mut sys::BOOLEAN,
    _processors: *mut u32,
) -> sys::BOOLEAN {
    0
}

unsafe extern "efiapi" fn dpc(
    _context: sys::NDIS_HANDLE,
    _dpc_context: *mut c_void,
    _throttle: *mut c_void,
    _reserved: *mut c_void,
) {
}

/// Where the call is made.
const LEVEL: sys::KIRQL = if WRONG { irql::DISPATCH } else { irql::PASSIVE };
