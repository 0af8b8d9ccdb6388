//! A frame is indicated while the adapter sleeps.

#![no_std]

use core::{ffi::c_void, ptr, sync::atomic::Ordering};

use alarms::{Adapter, Miniport, SUCCESS, TAG, WRONG, call, miniport, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn initialize(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        let status = adapter.open_with(sys::NDIS_MINIPORT_ATTRIBUTES_NO_PAUSE_ON_SUSPEND);
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

    fn oid(adapter: &'static Adapter, request: *mut sys::NDIS_OID_REQUEST) -> sys::NDIS_STATUS {
        if WRONG && miniport::code(request) == sys::OID_PNP_SET_POWER {
            let timer = adapter.kept.load(Ordering::Relaxed);
            call!(NdisSetTimerObject(timer, -DELAY, 0, ptr::null_mut()));
        }
        adapter.answer(request)
    }

    fn halt(adapter: &'static Adapter) {
        let timer = adapter.kept.load(Ordering::Relaxed);
        call!(NdisCancelTimerObject(timer));
        call!(NdisFreeTimerObject(timer));
        adapter.close();
    }
}

/// By now the adapter sleeps.
unsafe extern "efiapi" fn elapsed(
    _: *mut c_void,
    _context: *mut c_void,
    _: *mut c_void,
    _: *mut c_void,
) {
    miniport::ADAPTER.indicate();
}

/// 100 ms, in units of 100 ns.
const DELAY: i64 = 1_000_000;
