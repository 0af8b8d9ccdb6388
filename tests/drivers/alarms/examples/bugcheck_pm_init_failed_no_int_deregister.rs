//! An initialize after sleep that fails and leaves its interrupt registered.

#![no_std]

use core::{
    ptr,
    sync::atomic::{AtomicBool, Ordering},
};

use alarms::{Adapter, Miniport, SUCCESS, WRONG, hardware, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn initialize(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        let mut status = adapter.set_registration_attributes(0);
        if status == SUCCESS {
            status = adapter.set_general_attributes_with(ptr::null_mut());
        }
        if status == SUCCESS {
            status = hardware::register_interrupt(adapter);
        }
        if status != SUCCESS || !HALTED.load(Ordering::Relaxed) {
            return status;
        }
        if !WRONG {
            hardware::deregister_interrupt(adapter);
        }
        sys::NDIS_STATUS_RESOURCES
    }

    fn halt(adapter: &'static Adapter) {
        HALTED.store(true, Ordering::Relaxed);
        hardware::deregister_interrupt(adapter);
    }
}

static HALTED: AtomicBool = AtomicBool::new(false);
