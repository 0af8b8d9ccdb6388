//! Read-write locks of the older kind (`NDIS_RW_LOCK`), which lie in the driver's own memory.
//!
//! `NdisInitializeReadWriteLock` puts the host's lock behind the driver's, with a mark by which
//! memory that was never initialized shows.

use ndis_sys::{BOOLEAN, LOCK_STATE, NDIS_RW_LOCK};

use super::rwlock::RwLock;
use crate::nt::irql::{self, Irql};
use crate::rules;

crate::ddi! { "ndis.sys":
    /// Makes a lock.
    [PASSIVE..=HIGH] fn NdisInitializeReadWriteLock(Lock: *mut NDIS_RW_LOCK) {
        let lock: &'static RwLock = Box::leak(Box::default());
        let value = NDIS_RW_LOCK {
            SpinLock: MARK,
            Context: std::ptr::from_ref(lock).cast_mut().cast(),
            ..NDIS_RW_LOCK::zeroed()
        };
        // SAFETY: the document makes it nonpaged storage for a lock.
        unsafe { Lock.write(value) };
    }

    /// Takes a lock for writing or reading, and raises to DISPATCH_LEVEL.
    [PASSIVE..=DISPATCH] fn NdisAcquireReadWriteLock(
        Lock: *mut NDIS_RW_LOCK,
        fWrite: BOOLEAN,
        LockState: *mut LOCK_STATE,
    ) {
        const NAME: &str = "NdisAcquireReadWriteLock";
        let lock = lock_of(Lock, NAME);
        let old = irql::raise(Irql::DISPATCH);
        lock.acquire(fWrite != 0, NAME);
        note(LockState, fWrite != 0, old);
    }

    /// Gives a lock back, and goes back to the IRQL before it.
    [DISPATCH..=DISPATCH] fn NdisReleaseReadWriteLock(
        Lock: *mut NDIS_RW_LOCK,
        LockState: *mut LOCK_STATE,
    ) {
        const NAME: &str = "NdisReleaseReadWriteLock";
        let (write, old) = held(LockState, NAME);
        lock_of(Lock, NAME).release(write, NAME);
        let Some(old) = old else {
            rules::broken(
                &rules::SPIN_LOCK_BALANCED,
                format_args!("{NAME} for a lock that NdisDprAcquireReadWriteLock took"),
            );
        };
        irql::lower(old);
    }

    /// Takes a lock at DISPATCH_LEVEL.
    [DISPATCH..=DISPATCH] fn NdisDprAcquireReadWriteLock(
        Lock: *mut NDIS_RW_LOCK,
        fWrite: BOOLEAN,
        LockState: *mut LOCK_STATE,
    ) {
        const NAME: &str = "NdisDprAcquireReadWriteLock";
        lock_of(Lock, NAME).acquire(fWrite != 0, NAME);
        note(LockState, fWrite != 0, NOT_RAISED);
    }

    /// Gives a lock back and stays at DISPATCH_LEVEL.
    [DISPATCH..=DISPATCH] fn NdisDprReleaseReadWriteLock(
        Lock: *mut NDIS_RW_LOCK,
        LockState: *mut LOCK_STATE,
    ) {
        const NAME: &str = "NdisDprReleaseReadWriteLock";
        let (write, old) = held(LockState, NAME);
        lock_of(Lock, NAME).release(write, NAME);
        if old.is_some() {
            rules::broken(
                &rules::SPIN_LOCK_BALANCED,
                format_args!("{NAME} for a lock that NdisAcquireReadWriteLock took"),
            );
        }
    }
}

fn lock_of(lock: *mut NDIS_RW_LOCK, function: &str) -> &'static RwLock {
    // SAFETY: the document makes it a lock that was initialized; what is not is found here.
    let mark = unsafe { (*lock).SpinLock };
    // SAFETY: as above.
    let context = unsafe { (*lock).Context };
    if mark != MARK || context.is_null() {
        rules::broken(
            &rules::SPIN_LOCK_INIT_FAILURE,
            format_args!("{function}: {lock:p} was not made by NdisInitializeReadWriteLock"),
        );
    }
    // SAFETY: with the mark, the context is what `NdisInitializeReadWriteLock` put there, and the
    // host's locks are never freed.
    unsafe { &*context.cast::<RwLock>() }
}

fn note(state: *mut LOCK_STATE, write: bool, old: Irql) {
    let value = LOCK_STATE {
        LockState: if write { WRITE } else { READ },
        OldIrql: old.0,
    };
    // SAFETY: the document makes it a pointer to the caller's lock state.
    unsafe { state.write(value) };
}

/// Whether an acquisition was for writing, and the IRQL before it if it raised.
fn held(state: *mut LOCK_STATE, function: &str) -> (bool, Option<Irql>) {
    // SAFETY: the document makes it the lock state of the acquisition.
    let state = unsafe { *state };
    if !matches!(state.LockState, READ | WRITE) {
        rules::broken(
            &rules::SPIN_LOCK,
            format_args!("{function}: the lock state is not that of an acquisition"),
        );
    }
    let old = Irql(state.OldIrql);
    (state.LockState == WRITE, (old != NOT_RAISED).then_some(old))
}

const MARK: usize = 0x5257_4c6f_636b_0001;
const READ: u16 = 0x5201;
const WRITE: u16 = 0x5202;
/// In a lock state: the acquisition left the IRQL alone.
const NOT_RAISED: Irql = Irql(0xff);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::assert_broken;

    fn lock() -> *mut NDIS_RW_LOCK {
        let lock = Box::into_raw(Box::new(NDIS_RW_LOCK::zeroed()));
        // SAFETY: the storage was just made and stays.
        unsafe { NdisInitializeReadWriteLock(lock) };
        lock
    }

    #[test]
    fn readers_share_and_nest_and_the_irql_comes_back() {
        let lock = lock();
        let (mut first, mut second) = (LOCK_STATE::zeroed(), LOCK_STATE::zeroed());
        // SAFETY: the lock and the states live to the end of the test.
        unsafe { NdisAcquireReadWriteLock(lock, 0, &raw mut first) };
        assert_eq!(irql::current(), Irql::DISPATCH);
        // SAFETY: as above.
        unsafe { NdisDprAcquireReadWriteLock(lock, 0, &raw mut second) };
        // SAFETY: as above.
        unsafe { NdisDprReleaseReadWriteLock(lock, &raw mut second) };
        // SAFETY: as above.
        unsafe { NdisReleaseReadWriteLock(lock, &raw mut first) };
        assert_eq!(irql::current(), Irql::PASSIVE);
        // SAFETY: as above. Nobody reads any more.
        unsafe { NdisAcquireReadWriteLock(lock, 1, &raw mut first) };
        // SAFETY: as above.
        unsafe { NdisReleaseReadWriteLock(lock, &raw mut first) };
    }

    #[test]
    fn a_lock_that_was_not_initialized_breaks_spin_lock_init_failure() {
        assert_broken(
            &rules::SPIN_LOCK_INIT_FAILURE,
            &["NdisInitializeReadWriteLock"],
            || {
                let mut lock = NDIS_RW_LOCK::zeroed();
                let mut state = LOCK_STATE::zeroed();
                // SAFETY: both are storage; that the lock is none is found first.
                unsafe { NdisAcquireReadWriteLock(&raw mut lock, 0, &raw mut state) };
            },
        );
    }

    #[test]
    fn promoting_a_read_lock_is_a_deadlock() {
        assert_broken(&rules::SPIN_LOCK, &["deadlock", "for reading"], || {
            let (lock, mut state) = (lock(), LOCK_STATE::zeroed());
            // SAFETY: the lock stays, and the state outlives the call.
            unsafe { NdisAcquireReadWriteLock(lock, 0, &raw mut state) };
            // SAFETY: as above.
            unsafe { NdisDprAcquireReadWriteLock(lock, 1, &raw mut state) };
        });
    }

    #[test]
    fn releasing_by_the_other_form_breaks_spin_lock_balanced() {
        assert_broken(&rules::SPIN_LOCK_BALANCED, &["NdisDprRelease"], || {
            let (lock, mut state) = (lock(), LOCK_STATE::zeroed());
            // SAFETY: the lock stays, and the state outlives the calls.
            unsafe { NdisAcquireReadWriteLock(lock, 1, &raw mut state) };
            // SAFETY: as above.
            unsafe { NdisDprReleaseReadWriteLock(lock, &raw mut state) };
        });
    }
}
