//! A monitoring filter indicates a frame of its own.

#![no_std]

use alarms::{Filter, Module, WRONG, call, frame, frame::Nbl, sys};

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
        let handle = module.handle();
        call!(NdisFIndicateReceiveNetBufferLists(
            handle, nbls.0, port, count, flags
        ));
        if WRONG && let Some(own) = Nbl::frame(handle, frame::pool(handle), handle) {
            call!(NdisFIndicateReceiveNetBufferLists(
                handle, own.0, port, 1, 0
            ));
        }
    }
}
