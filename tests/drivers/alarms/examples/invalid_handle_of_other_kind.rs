//! The handle of the adapter in the place of that of a pool.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, call};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn halt(adapter: &'static Adapter) {
        let pool = if WRONG {
            adapter.handle()
        } else {
            adapter.pool()
        };
        call!(NdisFreeNetBufferListPool(pool));
    }
}
