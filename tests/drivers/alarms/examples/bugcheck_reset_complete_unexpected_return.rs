//! A reset that is completed, and returns that it is over as well.

#![no_std]

use alarms::{Miniport, SUCCESS, WRONG, call, miniport::ADAPTER, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn characteristics(characteristics: &mut sys::NDIS_MINIPORT_DRIVER_CHARACTERISTICS) {
        characteristics.CheckForHangHandlerEx = Some(hangs);
        characteristics.ResetHandlerEx = Some(reset);
    }
}

unsafe extern "efiapi" fn hangs(_adapter: sys::NDIS_HANDLE) -> sys::BOOLEAN {
    0
}

unsafe extern "efiapi" fn reset(
    _adapter: sys::NDIS_HANDLE,
    _addressing: *mut sys::BOOLEAN,
) -> sys::NDIS_STATUS {
    call!(NdisMResetComplete(ADAPTER.handle(), SUCCESS, 0));
    if WRONG {
        SUCCESS
    } else {
        sys::NDIS_STATUS_PENDING
    }
}
