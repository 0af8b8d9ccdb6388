//! An MDL that is freed twice.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, call, frame, frame::Nbl};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        let block = frame::allocate(64);
        let mdl = call!(NdisAllocateMdl(adapter.handle(), block.cast(), 64));
        call!(NdisFreeMdl(mdl));
        if WRONG {
            call!(NdisFreeMdl(mdl));
        }
        frame::free(block);
        adapter.complete(nbls);
    }
}
