//! A spin lock is acquired at PASSIVE_LEVEL by the function for DISPATCH_LEVEL.

#![no_std]

use core::sync::atomic::AtomicUsize;

use alarms::{Adapter, Miniport, WRONG, call, frame::Nbl, irql};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        let locked = || {
            call!(KeAcquireSpinLockAtDpcLevel(LOCK.as_ptr()));
            call!(KeReleaseSpinLockFromDpcLevel(LOCK.as_ptr()));
        };
        if WRONG {
            locked();
        } else {
            irql::at(irql::DISPATCH, locked);
        }
        adapter.complete(nbls);
    }
}

static LOCK: AtomicUsize = AtomicUsize::new(0);
