//! A pause that is never completed.

#![no_std]

use alarms::{Binding, Protocol, WRONG, protocol::code, sys};

alarms::driver!(protocol: Driver);

struct Driver;

impl Protocol for Driver {
    fn event(
        binding: &'static Binding,
        notification: *mut sys::NET_PNP_EVENT_NOTIFICATION,
    ) -> sys::NDIS_STATUS {
        let status = binding.event(notification);
        if WRONG && code(notification) == sys::NetEventPause {
            return sys::NDIS_STATUS_PENDING;
        }
        status
    }
}
