//! A filter that completes a send twice.

#![no_std]

use alarms::{Filter, Module, WRONG, call, frame::Nbl};

alarms::driver!(filter: Driver);

struct Driver;

impl Filter for Driver {
    fn sent(module: &'static Module, nbls: Nbl, flags: u32) {
        for _ in 0..if WRONG { 2 } else { 1 } {
            call!(NdisFSendNetBufferListsComplete(
                module.handle(),
                nbls.0,
                flags
            ));
        }
    }
}
