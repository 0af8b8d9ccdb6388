//! A spin lock that is acquired by who holds it.

#![no_std]

use core::sync::atomic::AtomicUsize;

use alarms::{Adapter, Miniport, WRONG, call, frame::Nbl};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        let irql = call!(KeAcquireSpinLockRaiseToDpc(LOCK.as_ptr()));
        if WRONG {
            call!(KeAcquireSpinLockAtDpcLevel(LOCK.as_ptr()));
        }
        call!(KeReleaseSpinLock(LOCK.as_ptr(), irql));
        adapter.complete(nbls);
    }
}

static LOCK: AtomicUsize = AtomicUsize::new(0);
