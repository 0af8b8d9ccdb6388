//! A spin lock that is held when the send handler returns, at the IRQL of its call.

#![no_std]

use core::sync::atomic::AtomicUsize;

use alarms::{Adapter, Miniport, WRONG, call, frame::Nbl, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        adapter.complete(nbls);
        let irql = call!(KfRaiseIrql(sys::DISPATCH_LEVEL));
        call!(KeAcquireSpinLockAtDpcLevel(LOCK.as_ptr()));
        if !WRONG {
            call!(KeReleaseSpinLockFromDpcLevel(LOCK.as_ptr()));
        }
        call!(KeLowerIrql(irql));
    }
}

static LOCK: AtomicUsize = AtomicUsize::new(0);
