//! A send handler that asks for the IRQL, which its flags tell.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, call, frame::Nbl};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        if WRONG {
            call!(KeGetCurrentIrql());
        }
        adapter.complete(nbls);
    }
}
