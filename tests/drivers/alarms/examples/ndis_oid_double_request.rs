//! An OID request that is made again before it is answered.

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
        if status == SUCCESS {
            let filter = sys::NDIS_PACKET_TYPE_DIRECTED | sys::NDIS_PACKET_TYPE_BROADCAST;
            // One may be answered before the next is made, not all of them.
            let times = if WRONG { 1000 } else { 1 };
            binding.set_times(sys::OID_GEN_CURRENT_PACKET_FILTER, filter, times);
        }
        status
    }
}
