//! A protocol that allocates a work item, for which it has no handle that would do.

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
        let status = binding.open(context, parameters);
        if WRONG && status == SUCCESS {
            call!(NdisAllocateIoWorkItem(binding.handle()));
        }
        status
    }
}
