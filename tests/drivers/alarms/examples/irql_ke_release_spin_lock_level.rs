//! A spin lock is released at PASSIVE_LEVEL.

#![no_std]

use core::sync::atomic::AtomicUsize;

use alarms::{Adapter, Miniport, WRONG, call, frame::Nbl};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        let before = call!(KeAcquireSpinLockRaiseToDpc(LOCK.as_ptr()));
        if WRONG {
            call!(KeLowerIrql(before));
        }
        call!(KeReleaseSpinLock(LOCK.as_ptr(), before));
        adapter.complete(nbls);
    }
}

static LOCK: AtomicUsize = AtomicUsize::new(0);
