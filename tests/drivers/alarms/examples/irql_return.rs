//! A send handler that returns with a spin lock held, at DISPATCH_LEVEL.

#![no_std]

use core::sync::atomic::AtomicUsize;

use alarms::{Adapter, Miniport, WRONG, call, frame::Nbl};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        adapter.complete(nbls);
        let irql = call!(KeAcquireSpinLockRaiseToDpc(LOCK.as_ptr()));
        if !WRONG {
            call!(KeReleaseSpinLock(LOCK.as_ptr(), irql));
        }
    }
}

static LOCK: AtomicUsize = AtomicUsize::new(0);
