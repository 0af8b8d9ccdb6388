//! A timer that is still set when the adapter is halted.

#![no_std]

use core::{ffi::c_void, ptr, sync::atomic::Ordering};

use alarms::{Adapter, Miniport, SUCCESS, TAG, WRONG, call, sys};

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
        if status == SUCCESS {
            let timer = adapter.kept.load(Ordering::Relaxed);
            call!(NdisSetTimerObject(timer, -HOUR, 0, ptr::null_mut()));
        } else {
            adapter.close();
        }
        status
    }

    fn halt(adapter: &'static Adapter) {
        if !WRONG {
            let timer = adapter.kept.load(Ordering::Relaxed);
            call!(NdisCancelTimerObject(timer));
            call!(NdisFreeTimerObject(timer));
        }
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

/// In units of 100 ns.
const HOUR: i64 = 36_000_000_000;
