//! An open without the context of the bind.

#![no_std]

use core::ptr;

use alarms::{Binding, Protocol, WRONG, sys};

alarms::driver!(protocol: Driver);

struct Driver;

impl Protocol for Driver {
    fn bind(
        binding: &'static Binding,
        context: sys::NDIS_HANDLE,
        parameters: &sys::NDIS_BIND_PARAMETERS,
    ) -> sys::NDIS_STATUS {
        let context = if WRONG { ptr::null_mut() } else { context };
        binding.open(context, parameters)
    }
}
