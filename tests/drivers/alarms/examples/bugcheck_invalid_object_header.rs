//! A status indication whose header has no size.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, frame::Nbl};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        adapter.indicate_status(|indication| {
            if WRONG {
                indication.Header.Size = 0;
            }
        });
        adapter.complete(nbls);
    }
}
