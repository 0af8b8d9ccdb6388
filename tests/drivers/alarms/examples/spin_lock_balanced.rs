//! An NDIS spin lock that is released by the call of the other pair.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, frame::Nbl, irql, spin_lock};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        if WRONG {
            irql::at(irql::DISPATCH, || {
                LOCK.acquire_at_dispatch();
                LOCK.release();
            });
        } else {
            irql::at(irql::DISPATCH, || {
                LOCK.acquire_at_dispatch();
                LOCK.release_at_dispatch();
            });
        }
        adapter.complete(nbls);
    }
}

static LOCK: spin_lock::Lock = spin_lock::Lock::new();
