//! A bind that is never completed.

#![no_std]

use alarms::{Binding, Protocol, WRONG, sys};

alarms::driver!(protocol: Driver);

struct Driver;

impl Protocol for Driver {
    fn bind(
        binding: &'static Binding,
        context: sys::NDIS_HANDLE,
        parameters: &sys::NDIS_BIND_PARAMETERS,
    ) -> sys::NDIS_STATUS {
        let status = binding.open(context, parameters);
        if WRONG {
            return sys::NDIS_STATUS_PENDING;
        }
        status
    }
}
