//! A virtual miniport that is ended in its own initialize.

#![no_std]

use alarms::{Adapter, Intermediate, WRONG, call, sys};

alarms::driver!(im: Driver);

struct Driver;

impl Intermediate for Driver {
    fn initialize(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        let status = adapter.open_with(sys::NDIS_MINIPORT_ATTRIBUTES_NO_HALT_ON_SUSPEND);
        if WRONG {
            call!(NdisIMDeInitializeDeviceInstance(adapter.handle()));
        }
        status
    }
}
