//! A send that is completed while a clone of it exists.

#![no_std]

use core::ptr;

use alarms::{Adapter, Miniport, WRONG, call, frame::Nbl, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        let flags = sys::NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS;
        let clone = call!(NdisAllocateCloneNetBufferList(
            nbls.0,
            adapter.pool(),
            ptr::null_mut(),
            flags,
        ));
        if WRONG {
            adapter.complete(nbls);
        }
        if !clone.is_null() {
            call!(NdisFreeCloneNetBufferList(clone, flags));
        }
        if !WRONG {
            adapter.complete(nbls);
        }
    }
}
