//! A status indication that says it comes from the driver and not from the adapter.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, frame::Nbl};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        adapter.indicate_status(|indication| {
            if WRONG {
                indication.SourceHandle = adapter.driver();
            }
        });
        adapter.complete(nbls);
    }
}
