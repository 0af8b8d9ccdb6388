//! An NDIS spin lock that is released without being acquired.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, frame::Nbl, irql, spin_lock};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        if WRONG {
            irql::at(irql::DISPATCH, || LOCK.release());
        } else {
            LOCK.acquire();
            LOCK.release();
        }
        adapter.complete(nbls);
    }
}

static LOCK: spin_lock::Lock = spin_lock::Lock::new();
