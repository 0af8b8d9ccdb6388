//! A DPC that was initialized without a routine.

#![no_std]

use core::{ffi::c_void, ptr};

use alarms::{Device, Request, WRONG, call, kernel::Place, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let null = ptr::null_mut();
        let routine: sys::PKDEFERRED_ROUTINE = if WRONG { None } else { Some(run) };
        call!(KeInitializeDpc(DPC.get(), routine, null));
        call!(KeInsertQueueDpc(DPC.get(), null, null));
        call!(KeFlushQueuedDpcs());
        request.answer()
    }
}

static DPC: Place<sys::KDPC> = Place::new(sys::KDPC::zeroed());

unsafe extern "efiapi" fn run(
    _dpc: *mut sys::KDPC,
    _context: *mut c_void,
    _first: *mut c_void,
    _second: *mut c_void,
) {
}
