//! A byte that is read at NULL.

#![no_std]

use core::ptr;

use alarms::{Adapter, Miniport, WRONG, frame, frame::Nbl};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        let byte = 7_u8;
        let from = if WRONG { ptr::null() } else { &raw const byte };
        frame::read(from, 0);
        adapter.complete(nbls);
    }
}
