//! A device object is deleted at DISPATCH_LEVEL.

#![no_std]

use core::ptr;

use alarms::{Adapter, Miniport, SUCCESS, WRONG, call, irql, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn halt(adapter: &'static Adapter) {
        let mut device = ptr::null_mut();
        let status = call!(IoCreateDevice(
            adapter.object(),
            0,
            ptr::null_mut(),
            sys::FILE_DEVICE_NETWORK,
            0,
            0,
            &raw mut device,
        ));
        if status == SUCCESS {
            irql::at(LEVEL, || call!(IoDeleteDevice(device)));
        }
        adapter.close();
    }
}

/// Where the call is made.
const LEVEL: sys::KIRQL = if WRONG { irql::DISPATCH } else { irql::PASSIVE };
