//! A read-write lock is acquired below DISPATCH_LEVEL with the flag of that level.

#![no_std]

use core::sync::atomic::Ordering;

use alarms::{Adapter, Miniport, SUCCESS, WRONG, call, frame::Nbl, irql, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn initialize(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        let lock = call!(NdisAllocateRWLock(adapter.handle()));
        if lock.is_null() {
            return sys::NDIS_STATUS_RESOURCES;
        }
        let status = adapter.open();
        if status == SUCCESS {
            adapter.kept.store(lock.cast(), Ordering::Relaxed);
        } else {
            call!(NdisFreeRWLock(lock));
        }
        status
    }

    fn halt(adapter: &'static Adapter) {
        call!(NdisFreeRWLock(adapter.kept.load(Ordering::Relaxed).cast()));
        adapter.close();
    }

    fn send(adapter: &'static Adapter, nbls: Nbl) {
        let lock = adapter.kept.load(Ordering::Relaxed).cast();
        let mut state = sys::LOCK_STATE_EX::zeroed();
        let mut locked = || {
            call!(NdisAcquireRWLockRead(
                lock,
                &raw mut state,
                sys::NDIS_RWL_AT_DISPATCH_LEVEL
            ));
            call!(NdisReleaseRWLock(lock, &raw mut state));
        };
        if WRONG {
            locked();
        } else {
            irql::at(irql::DISPATCH, locked);
        }
        adapter.complete(nbls);
    }
}
