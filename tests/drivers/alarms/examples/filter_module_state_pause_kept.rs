//! A pause succeeds while the module keeps what was indicated to it.

#![no_std]

use alarms::{Filter, Module, WRONG, call, frame::Nbl, sys};

alarms::driver!(filter: Driver);

struct Driver;

impl Filter for Driver {
    fn receive(
        module: &'static Module,
        nbls: Nbl,
        port: sys::NDIS_PORT_NUMBER,
        count: u32,
        flags: u32,
    ) {
        if WRONG {
            return;
        }
        call!(NdisFIndicateReceiveNetBufferLists(
            module.handle(),
            nbls.0,
            port,
            count,
            flags
        ));
    }
}
