//! A send that a filter keeps.

#![no_std]

use alarms::{Filter, Module, WRONG, call, frame::Nbl, sys};

alarms::driver!(filter: Driver);

struct Driver;

impl Filter for Driver {
    fn send(module: &'static Module, nbls: Nbl, port: sys::NDIS_PORT_NUMBER, flags: u32) {
        if WRONG {
            return;
        }
        call!(NdisFSendNetBufferLists(
            module.handle(),
            nbls.0,
            port,
            flags
        ));
    }
}
