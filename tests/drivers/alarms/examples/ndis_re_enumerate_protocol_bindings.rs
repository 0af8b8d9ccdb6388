//! Bindings that are asked for again in the bind handler.

#![no_std]

use alarms::{Binding, Protocol, WRONG, call, sys};

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
            call!(NdisReEnumerateProtocolBindings(binding.driver()));
        }
        status
    }
}
