//! A function that is synchronized with an interrupt that was deregistered.

#![no_std]

use core::{ffi::c_void, ptr};

use alarms::{Adapter, Miniport, WRONG, call, hardware, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn initialize(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        hardware::open_with_interrupt(adapter)
    }

    fn halt(adapter: &'static Adapter) {
        if WRONG {
            hardware::deregister_interrupt(adapter);
        }
        call!(NdisMSynchronizeWithInterruptEx(
            hardware::kept(adapter),
            0,
            Some(synchronized),
            ptr::null_mut(),
        ));
        if !WRONG {
            hardware::deregister_interrupt(adapter);
        }
        adapter.close();
    }
}

unsafe extern "efiapi" fn synchronized(_context: *mut c_void) -> sys::BOOLEAN {
    1
}
