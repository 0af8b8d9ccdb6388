//! The interface of a binding is asked for at DISPATCH_LEVEL.

#![no_std]

use alarms::{Binding, Protocol, SUCCESS, WRONG, call, irql, sys};

alarms::driver!(protocol: Driver);

struct Driver;

impl Protocol for Driver {
    fn bind(
        binding: &'static Binding,
        context: sys::NDIS_HANDLE,
        parameters: &sys::NDIS_BIND_PARAMETERS,
    ) -> sys::NDIS_STATUS {
        let status = binding.open(context, parameters);
        if status == SUCCESS {
            let (mut bound, mut lowest) = (0, 0);
            let mut bound_luid = sys::NET_LUID { Value: 0 };
            let mut lowest_luid = bound_luid;
            irql::at(LEVEL, || {
                call!(NdisIfQueryBindingIfIndex(
                    binding.handle(),
                    &raw mut bound,
                    &raw mut bound_luid,
                    &raw mut lowest,
                    &raw mut lowest_luid,
                ))
            });
        }
        status
    }
}

/// Where the call is made.
const LEVEL: sys::KIRQL = if WRONG { irql::DISPATCH } else { irql::PASSIVE };
