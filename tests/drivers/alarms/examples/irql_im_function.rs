//! A virtual miniport is asked for at DISPATCH_LEVEL.

#![no_std]

use alarms::{Adapter, Binding, Intermediate, SUCCESS, WRONG, im, irql, sys};

alarms::driver!(im: Driver);

struct Driver;

impl Intermediate for Driver {
    fn bind(
        adapter: &'static Adapter,
        binding: &'static Binding,
        context: sys::NDIS_HANDLE,
        parameters: &sys::NDIS_BIND_PARAMETERS,
    ) -> sys::NDIS_STATUS {
        let mut status = binding.open(context, parameters);
        if status == SUCCESS {
            status = irql::at(LEVEL, || im::request(adapter));
            if status != SUCCESS {
                binding.close();
            }
        }
        status
    }
}

/// Where the call is made.
const LEVEL: sys::KIRQL = if WRONG { irql::DISPATCH } else { irql::PASSIVE };
