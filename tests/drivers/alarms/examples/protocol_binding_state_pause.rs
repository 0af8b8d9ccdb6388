//! A pause that is completed with a send outstanding.

#![no_std]

use alarms::{Binding, Protocol, SUCCESS, WRONG, protocol::code, sys};

alarms::driver!(protocol: Driver);

struct Driver;

impl Protocol for Driver {
    fn event(
        binding: &'static Binding,
        notification: *mut sys::NET_PNP_EVENT_NOTIFICATION,
    ) -> sys::NDIS_STATUS {
        if WRONG && code(notification) == sys::NetEventPause {
            binding.send();
            return SUCCESS;
        }
        binding.event(notification)
    }
}
