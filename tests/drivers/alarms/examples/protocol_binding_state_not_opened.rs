//! A bind that succeeds without an open adapter.

#![no_std]

use alarms::{Binding, Protocol, SUCCESS, WRONG, sys};

alarms::driver!(protocol: Driver);

struct Driver;

impl Protocol for Driver {
    fn bind(
        binding: &'static Binding,
        context: sys::NDIS_HANDLE,
        parameters: &sys::NDIS_BIND_PARAMETERS,
    ) -> sys::NDIS_STATUS {
        if WRONG {
            SUCCESS
        } else {
            binding.open(context, parameters)
        }
    }
}
