//! A timer with a period that is cancelled at DISPATCH_LEVEL.

#![no_std]

use core::{ffi::c_void, ptr};

use alarms::{Adapter, Miniport, SUCCESS, TAG, WRONG, call, frame::Nbl, irql, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
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
        let mut timer = ptr::null_mut();
        let status = call!(NdisAllocateTimerObject(
            adapter.handle(),
            &raw mut characteristics,
            &raw mut timer,
        ));
        if status == SUCCESS {
            let period = if WRONG { 3_600_000 } else { 0 };
            call!(NdisSetTimerObject(timer, -HOUR, period, ptr::null_mut()));
            irql::at(irql::DISPATCH, || {
                call!(NdisCancelTimerObject(timer));
            });
            call!(NdisFreeTimerObject(timer));
        }
        adapter.complete(nbls);
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
