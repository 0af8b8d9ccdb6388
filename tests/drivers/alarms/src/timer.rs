//! Timer objects of an adapter.

use core::{ffi::c_void, ptr};

use crate::{Adapter, SUCCESS, TAG, call, sys};

/// What a timer calls, with the context that it was set with as the second argument.
pub type Function = unsafe extern "efiapi" fn(*mut c_void, *mut c_void, *mut c_void, *mut c_void);

/// A timer that calls `function`. `None` if it cannot be had.
pub fn allocate(adapter: &Adapter, function: Function) -> Option<sys::NDIS_HANDLE> {
    let mut characteristics = sys::NDIS_TIMER_CHARACTERISTICS {
        Header: sys::NDIS_OBJECT_HEADER::new(
            sys::NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS,
            sys::NDIS_TIMER_CHARACTERISTICS_REVISION_1,
            sys::NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1,
        ),
        AllocationTag: TAG,
        TimerFunction: Some(function),
        ..sys::NDIS_TIMER_CHARACTERISTICS::zeroed()
    };
    let mut timer = ptr::null_mut();
    let status = call!(NdisAllocateTimerObject(
        adapter.handle(),
        &raw mut characteristics,
        &raw mut timer,
    ));
    (status == SUCCESS).then_some(timer)
}

/// A timer's function that does nothing.
pub extern "efiapi" fn nothing(
    _: *mut c_void,
    _context: *mut c_void,
    _: *mut c_void,
    _: *mut c_void,
) {
}

/// In units of 100 ns: long after the driver is gone.
pub const HOUR: i64 = 36_000_000_000;
