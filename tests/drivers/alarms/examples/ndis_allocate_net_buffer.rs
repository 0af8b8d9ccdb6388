//! A NET_BUFFER that is not freed before its pool.

#![no_std]

use core::ptr;

use alarms::{Adapter, Miniport, TAG, WRONG, call, frame::Nbl, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        let mut parameters = sys::NET_BUFFER_POOL_PARAMETERS {
            Header: sys::NDIS_OBJECT_HEADER::new(
                sys::NDIS_OBJECT_TYPE_DEFAULT,
                sys::NET_BUFFER_POOL_PARAMETERS_REVISION_1,
                sys::NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1,
            ),
            PoolTag: TAG,
            ..sys::NET_BUFFER_POOL_PARAMETERS::zeroed()
        };
        let pool = call!(NdisAllocateNetBufferPool(
            adapter.handle(),
            &raw mut parameters
        ));
        if !pool.is_null() {
            let buffer = call!(NdisAllocateNetBuffer(pool, ptr::null_mut(), 0, 0));
            if !buffer.is_null() && !WRONG {
                call!(NdisFreeNetBuffer(buffer));
            }
            call!(NdisFreeNetBufferPool(pool));
        }
        adapter.complete(nbls);
    }
}
