//! An adapter that is opened twice in one bind.

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
        let status = binding.open(context, parameters);
        if status == SUCCESS && WRONG {
            binding.open_adapter(context, parameters);
        }
        status
    }
}
