//! A frame that a filter keeps for too long, and gives back when it is paused.

#![no_std]

use core::{
    ptr,
    sync::atomic::{AtomicPtr, Ordering},
};

use alarms::{Filter, Module, SUCCESS, WRONG, call, frame::Nbl, sys};

alarms::driver!(filter: Driver);

static KEPT: AtomicPtr<sys::NET_BUFFER_LIST> = AtomicPtr::new(ptr::null_mut());

struct Driver;

impl Filter for Driver {
    fn receive(
        module: &'static Module,
        nbls: Nbl,
        port: sys::NDIS_PORT_NUMBER,
        count: u32,
        flags: u32,
    ) {
        let may_keep = flags & sys::NDIS_RECEIVE_FLAGS_RESOURCES == 0;
        if WRONG && may_keep && keep(nbls) {
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

    fn pause(module: &'static Module) -> sys::NDIS_STATUS {
        let kept = KEPT.swap(ptr::null_mut(), Ordering::AcqRel);
        if !kept.is_null() {
            call!(NdisFReturnNetBufferLists(module.handle(), kept, 0));
        }
        SUCCESS
    }
}

/// Keeps a chain, if none is kept.
fn keep(nbls: Nbl) -> bool {
    let nobody = ptr::null_mut();
    let kept = KEPT.compare_exchange(nobody, nbls.0, Ordering::AcqRel, Ordering::Acquire);
    kept.is_ok()
}
