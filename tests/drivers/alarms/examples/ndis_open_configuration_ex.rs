//! A configuration that is never closed.

#![no_std]

use core::ptr;

use alarms::{Adapter, Miniport, SUCCESS, WRONG, call, sys};

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
        if status == SUCCESS && !WRONG {
            call!(NdisCloseConfiguration(configuration));
        }
        adapter.open()
    }
}
