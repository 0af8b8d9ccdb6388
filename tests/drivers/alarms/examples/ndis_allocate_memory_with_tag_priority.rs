//! Memory that is allocated without a tag.

#![no_std]

use alarms::{Adapter, Miniport, TAG, WRONG, call, frame::Nbl, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        let tag = if WRONG { 0 } else { TAG };
        let block = call!(NdisAllocateMemoryWithTagPriority(
            adapter.handle(),
            64,
            tag,
            sys::NormalPoolPriority,
        ));
        if !block.is_null() {
            call!(NdisFreeMemoryWithTagPriority(adapter.handle(), block, tag));
        }
        adapter.complete(nbls);
    }
}
