//! An NDIS spin lock that is acquired by the thread that holds it.

#![no_std]

use alarms::{Adapter, Miniport, WRONG, frame::Nbl, spin_lock};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        if WRONG {
            LOCK.acquire();
            LOCK.acquire();
            LOCK.release();
            LOCK.release();
        } else {
            LOCK.acquire();
            LOCK.release();
        }
        adapter.complete(nbls);
    }
}

static LOCK: spin_lock::Lock = spin_lock::Lock::new();
