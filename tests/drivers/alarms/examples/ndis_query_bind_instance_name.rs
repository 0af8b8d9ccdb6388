//! The name of an adapter that is not freed.

#![no_std]

use alarms::{Binding, Protocol, SUCCESS, WRONG, call, sys};

alarms::driver!(protocol: Driver);

struct Driver;

impl Protocol for Driver {
    fn bind(
        binding: &'static Binding,
        context: sys::NDIS_HANDLE,
        parameters: &sys::NDIS_BIND_PARAMETERS,
    ) -> sys::NDIS_STATUS {
        let mut name = sys::NDIS_STRING::zeroed();
        if call!(NdisQueryBindInstanceName(&raw mut name, context)) == SUCCESS && !WRONG {
            call!(NdisFreeMemory(name.Buffer.cast(), 0, 0));
        }
        binding.open(context, parameters)
    }
}
