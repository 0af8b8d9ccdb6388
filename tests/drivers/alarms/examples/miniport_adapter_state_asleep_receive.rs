//! A frame is indicated while the adapter sleeps.

#![no_std]

use core::{ffi::c_void, ptr, sync::atomic::Ordering};

use alarms::{Adapter, Miniport, SUCCESS, WRONG, call, miniport, sys, timer};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn initialize(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        let status = adapter.open_with(sys::NDIS_MINIPORT_ATTRIBUTES_NO_PAUSE_ON_SUSPEND);
        if status != SUCCESS {
            return status;
        }
        let Some(timer) = timer::allocate(adapter, elapsed) else {
            adapter.close();
            return sys::NDIS_STATUS_RESOURCES;
        };
        adapter.kept.store(timer, Ordering::Relaxed);
        SUCCESS
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
