//! A spin lock is released to another level than it was acquired at.

#![no_std]

use core::sync::atomic::AtomicUsize;

use alarms::{Adapter, Miniport, WRONG, call, frame::Nbl, irql};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        let before = call!(KeAcquireSpinLockRaiseToDpc(LOCK.as_ptr()));
        let back = if WRONG { irql::APC } else { before };
        call!(KeReleaseSpinLock(LOCK.as_ptr(), back));
        adapter.complete(nbls);
    }
}

static LOCK: AtomicUsize = AtomicUsize::new(0);
