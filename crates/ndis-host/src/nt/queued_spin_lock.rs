//! Queued spin locks: the same locks, acquired with a handle on the stack that says how to go back.

use ndis_sys::nt::{KIRQL, KSPIN_LOCK, PVOID};

use super::irql::Irql;
use super::spin_lock;
use crate::ddi;

/// KLOCK_QUEUE_HANDLE of 64-bit Windows.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Handle {
    next: PVOID,
    lock: *mut KSPIN_LOCK,
    old_irql: KIRQL,
}

ddi! { "ntoskrnl.exe":
    /// Acquires a lock and raises to DISPATCH_LEVEL (`nf-wdm-keacquireinstackqueuedspinlock.md`).
    [PASSIVE..=DISPATCH, unchecked] fn KeAcquireInStackQueuedSpinLock(
        lock: *mut KSPIN_LOCK,
        handle: *mut Handle,
    ) {
        // SAFETY: the driver gives a lock (the function's document).
        let old = unsafe { spin_lock::acquire(lock) };
        // SAFETY: the driver gives the storage of a handle (the function's document).
        unsafe { handle.write(Handle { next: std::ptr::null_mut(), lock, old_irql: old.0 }) };
    }

    /// Releases it and goes back (`nf-wdm-kereleaseinstackqueuedspinlock.md`).
    [DISPATCH..=DISPATCH, unchecked] fn KeReleaseInStackQueuedSpinLock(handle: *mut Handle) {
        // SAFETY: the driver gives the handle of its acquisition (the function's document).
        let (lock, old) = unsafe { taken_from(handle) };
        // SAFETY: the lock lives as long as somebody holds it.
        unsafe { spin_lock::release(lock, Irql(old)) };
    }

    /// Acquires a lock at DISPATCH_LEVEL (`nf-wdm-keacquireinstackqueuedspinlockatdpclevel.md`).
    [DISPATCH..=HIGH, unchecked] fn KeAcquireInStackQueuedSpinLockAtDpcLevel(
        lock: *mut KSPIN_LOCK,
        handle: *mut Handle,
    ) {
        // SAFETY: the driver gives a lock (the function's document).
        unsafe { spin_lock::acquire_at_dispatch(lock) };
        // SAFETY: the driver gives the storage of a handle (the function's document).
        unsafe { handle.write(Handle { next: std::ptr::null_mut(), lock, old_irql: 0 }) };
    }

    /// Releases it and stays there (`nf-wdm-kereleaseinstackqueuedspinlockfromdpclevel.md`).
    [DISPATCH..=HIGH, unchecked] fn KeReleaseInStackQueuedSpinLockFromDpcLevel(handle: *mut Handle) {
        // SAFETY: the driver gives the handle of its acquisition (the function's document).
        let (lock, _) = unsafe { taken_from(handle) };
        // SAFETY: the lock lives as long as somebody holds it.
        unsafe { spin_lock::release_from_dispatch(lock) };
    }
}

/// The lock of a handle, which holds none any more: a second release finds no lock.
///
/// # Safety
/// `handle` points to one.
unsafe fn taken_from(handle: *mut Handle) -> (*mut KSPIN_LOCK, KIRQL) {
    // SAFETY: the caller's own promise.
    let handle = unsafe { &mut *handle };
    let lock = std::mem::replace(&mut handle.lock, std::ptr::null_mut());
    (lock, handle.old_irql)
}

const _: () = assert!(size_of::<Handle>() == 24);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nt::irql;
    use crate::rules;
    use crate::rules::testing::assert_broken;

    fn handle() -> Handle {
        Handle {
            next: std::ptr::null_mut(),
            lock: std::ptr::null_mut(),
            old_irql: 0xff,
        }
    }

    #[test]
    fn the_handle_knows_the_lock_and_the_way_back() {
        let (mut lock, mut handle) = (0, handle());
        // SAFETY: both live until the end of the test; the same below.
        unsafe { KeAcquireInStackQueuedSpinLock(&raw mut lock, &raw mut handle) };
        assert_eq!(irql::current(), Irql::DISPATCH);
        assert_ne!(lock, 0);
        // SAFETY: as above.
        unsafe { KeReleaseInStackQueuedSpinLock(&raw mut handle) };
        assert_eq!((irql::current(), lock), (Irql::PASSIVE, 0));
    }

    #[test]
    fn at_dispatch_level_the_irql_stays() {
        let (mut lock, mut handle) = (0, handle());
        irql::at(Irql::DISPATCH, || {
            // SAFETY: both live until the end of the test.
            unsafe { KeAcquireInStackQueuedSpinLockAtDpcLevel(&raw mut lock, &raw mut handle) };
            // SAFETY: as above.
            unsafe { KeReleaseInStackQueuedSpinLockFromDpcLevel(&raw mut handle) };
            assert_eq!(irql::current(), Irql::DISPATCH);
        });
        assert_eq!(lock, 0);
    }

    #[test]
    fn releasing_by_a_handle_twice_is_no_release_of_a_lock() {
        assert_broken(&rules::SPIN_LOCK_INIT_FAILURE, &["not an aligned"], || {
            let (mut lock, mut handle) = (0, handle());
            // SAFETY: both live until the end of the test; the same below.
            unsafe { KeAcquireInStackQueuedSpinLock(&raw mut lock, &raw mut handle) };
            // SAFETY: as above.
            unsafe { KeReleaseInStackQueuedSpinLock(&raw mut handle) };
            irql::set(Irql::DISPATCH);
            // SAFETY: as above.
            unsafe { KeReleaseInStackQueuedSpinLock(&raw mut handle) };
        });
    }
}
