//! A timer is freed above DISPATCH_LEVEL.

#![no_std]

use core::{ffi::c_void, sync::atomic::Ordering};

use alarms::{Adapter, Miniport, SUCCESS, TAG, WRONG, call, irql, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn initialize(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        let status = adapter.open();
        if status != SUCCESS {
            return status;
        }
        let mut characteristics = sys::NDIS_TIMER_CHARACTERISTICS {
            Header: sys::NDIS_OBJECT_HEADER::new(
                sys::NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS,
                sys::NDIS_TIMER_CHARACTERISTICS_REVISION_1,
                sys::NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1,
            ),
            AllocationTag: TAG,
            TimerFunction: Some(elapsed),
            ..sys::NDIS_TIMER_CHARACTERISTICS::zeroed()
        };
        let status = call!(NdisAllocateTimerObject(
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
        let timer = adapter.kept.load(Ordering::Relaxed);
        irql::at(LEVEL, || call!(NdisFreeTimerObject(timer)));
        adapter.close();
    }
}

unsafe extern "efiapi" fn elapsed(
    _: *mut c_void,
    _context: *mut c_void,
    _: *mut c_void,
    _: *mut c_void,
) {
}

/// Where the call is made.
const LEVEL: sys::KIRQL = if WRONG { irql::DEVICE } else { irql::DISPATCH };
