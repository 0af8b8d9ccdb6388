//! A DPC that is queued without having been initialized.

#![no_std]

use core::{ffi::c_void, ptr};

use alarms::{Device, Request, WRONG, call, kernel::Place, sys};

alarms::driver!(device: Driver);

struct Driver;

impl Device for Driver {
    fn ask(request: Request) -> sys::NTSTATUS {
        let null = ptr::null_mut();
        if !WRONG {
            call!(KeInitializeDpc(DPC.get(), Some(run), null));
        }
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
