//! An NBL pool that is freed with an NBL in use.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, frame::Nbl};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn halt(adapter: &'static Adapter) {
        let (handle, pool) = (adapter.handle(), adapter.pool());
        if let Some(nbl) = Nbl::frame(handle, pool, handle)
            && !WRONG
        {
            nbl.free();
        }
        adapter.close();
    }
}
