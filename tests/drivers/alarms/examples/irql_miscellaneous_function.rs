//! A configuration is closed at DISPATCH_LEVEL.

#![no_std]

use core::ptr;

use alarms::{Adapter, Miniport, SUCCESS, WRONG, call, irql, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn initialize(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        let mut object = sys::NDIS_CONFIGURATION_OBJECT {
            Header: sys::NDIS_OBJECT_HEADER::new(
                sys::NDIS_OBJECT_TYPE_CONFIGURATION_OBJECT,
                sys::NDIS_CONFIGURATION_OBJECT_REVISION_1,
                sys::NDIS_SIZEOF_CONFIGURATION_OBJECT_REVISION_1,
            ),
            NdisHandle: adapter.handle(),
            Flags: 0,
        };
        let mut configuration = ptr::null_mut();
        let status = call!(NdisOpenConfigurationEx(
            &raw mut object,
            &raw mut configuration
        ));
        if status == SUCCESS {
            irql::at(LEVEL, || call!(NdisCloseConfiguration(configuration)));
        }
        adapter.open()
    }
}

/// Where the call is made.
const LEVEL: sys::KIRQL = if WRONG { irql::DISPATCH } else { irql::PASSIVE };
