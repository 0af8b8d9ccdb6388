//! A miniport that completes no send.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, frame::Nbl};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        if !WRONG {
            adapter.complete(nbls);
        }
    }
}
