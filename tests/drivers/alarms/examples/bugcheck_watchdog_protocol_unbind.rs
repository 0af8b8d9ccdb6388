//! An unbind that is never completed.

#![no_std]

use alarms::{Protocol, WRONG, protocol::BINDING, sys};

alarms::driver!(protocol: Driver);

struct Driver;

impl Protocol for Driver {
    fn characteristics(characteristics: &mut sys::NDIS_PROTOCOL_DRIVER_CHARACTERISTICS) {
        characteristics.UnbindAdapterHandlerEx = Some(unbind);
    }
}

unsafe extern "efiapi" fn unbind(
    _unbind: sys::NDIS_HANDLE,
    _binding: sys::NDIS_HANDLE,
) -> sys::NDIS_STATUS {
    BINDING.close();
    if WRONG {
        sys::NDIS_STATUS_PENDING
    } else {
        sys::NDIS_STATUS_SUCCESS
    }
}
