//! Spin locks in NDIS's clothes (`NDIS_SPIN_LOCK`): the kernel's lock, with the IRQL to go back to.
//!
//! The headers make these calls the kernel's own, which most images therefore import; ndis.sys exports
//! them for those that do not. What the kernel's locks promise is checked there; here is what NDIS
//! adds, the rules of the two pairs of calls. The kernel's lock lies at the start of NDIS's.

use ndis_sys::NDIS_SPIN_LOCK;

use crate::nt::irql::Irql;
use crate::nt::spin_lock::{self, Held};
use crate::rules::{self, Rule};

crate::ddi! { "ndis.sys":
    /// Makes a lock that is free.
    [PASSIVE..=HIGH, unchecked] fn NdisAllocateSpinLock(SpinLock: *mut NDIS_SPIN_LOCK) {
        // SAFETY: the document makes it nonpaged storage for a lock.
        unsafe { SpinLock.write(NDIS_SPIN_LOCK::zeroed()) };
    }

    /// Ends a lock that nobody holds: it must be made again before it is used again.
    [PASSIVE..=HIGH, unchecked] fn NdisFreeSpinLock(SpinLock: *mut NDIS_SPIN_LOCK) {
        let held = spin_lock::all_held();
        if let Some(held) = held.iter().find(|held| held.lock == SpinLock as usize) {
            rules::broken(&rules::SPIN_LOCK, format_args!("NdisFreeSpinLock: spin lock {held}"));
        }
        let freed = NDIS_SPIN_LOCK { SpinLock: FREED, ..NDIS_SPIN_LOCK::zeroed() };
        // SAFETY: the document makes it a lock that was made.
        unsafe { SpinLock.write(freed) };
    }

    /// Takes a lock, raises to DISPATCH_LEVEL, and keeps the IRQL before in the lock.
    [PASSIVE..=DISPATCH, unchecked] fn NdisAcquireSpinLock(SpinLock: *mut NDIS_SPIN_LOCK) {
        require_not_mine(SpinLock, false, "NdisAcquireSpinLock");
        // SAFETY: the document makes it a lock that was made, in resident storage.
        let old = unsafe { spin_lock::acquire(SpinLock.cast()) };
        // SAFETY: this thread has the lock, and with it the field.
        unsafe { (*SpinLock).OldIrql = old.0 };
    }

    /// Gives a lock back and restores the IRQL that is kept in it.
    [DISPATCH..=DISPATCH, unchecked] fn NdisReleaseSpinLock(SpinLock: *mut NDIS_SPIN_LOCK) {
        const NAME: &str = "NdisReleaseSpinLock";
        require_pair(SpinLock, false, NAME);
        // SAFETY: this thread has the lock, and with it the field.
        let old = Irql(unsafe { (*SpinLock).OldIrql });
        let others = if rules::enforced() { spin_lock::held_list() } else { Vec::new() };
        let left = others.iter().find(|held| held.lock != SpinLock as usize);
        if let Some(left) = left && old < Irql::DISPATCH {
            rules::broken(
                &rules::SPIN_LOCK,
                format_args!("{NAME} goes back to {old} and leaves spin lock {left} held"),
            );
        }
        // SAFETY: the lock is this thread's.
        unsafe { spin_lock::release(SpinLock.cast(), old) };
    }

    /// Takes a lock at DISPATCH_LEVEL.
    [DISPATCH..=DISPATCH, unchecked] fn NdisDprAcquireSpinLock(SpinLock: *mut NDIS_SPIN_LOCK) {
        require_not_mine(SpinLock, true, "NdisDprAcquireSpinLock");
        // SAFETY: the document makes it a lock that was made, in resident storage.
        unsafe { spin_lock::acquire_at_dispatch(SpinLock.cast()) };
    }

    /// Gives a lock back and stays at DISPATCH_LEVEL.
    [DISPATCH..=DISPATCH, unchecked] fn NdisDprReleaseSpinLock(SpinLock: *mut NDIS_SPIN_LOCK) {
        require_pair(SpinLock, true, "NdisDprReleaseSpinLock");
        // SAFETY: the lock is this thread's, or `release_from_dispatch` says that it is not.
        unsafe { spin_lock::release_from_dispatch(SpinLock.cast()) };
    }
}

/// The hold of this thread on the lock.
fn mine(lock: *mut NDIS_SPIN_LOCK) -> Option<Held> {
    if !rules::enforced() {
        return None;
    }
    let held = spin_lock::held_list();
    held.into_iter().find(|held| held.lock == lock as usize)
}

fn require_not_mine(lock: *mut NDIS_SPIN_LOCK, dpr: bool, function: &str) {
    let Some(held) = mine(lock) else {
        return;
    };
    let rule: &'static Rule = match (held.raised_from.is_none(), dpr) {
        (false, false) => &rules::SPIN_LOCK,
        (true, true) => &rules::SPIN_LOCK_DPR,
        _ => &rules::SPIN_LOCK_DPR_RELEASE,
    };
    rules::broken(
        rule,
        format_args!("{function}: this thread holds spin lock {held}"),
    );
}

/// A lock goes back by the call that belongs to the one that took it.
fn require_pair(lock: *mut NDIS_SPIN_LOCK, dpr: bool, function: &str) {
    match mine(lock) {
        // The kernel's part knows who holds it, if anyone does.
        None => {}
        Some(held) if held.raised_from.is_none() == dpr => {}
        Some(held) => rules::broken(
            &rules::SPIN_LOCK_BALANCED,
            format_args!(
                "{function} for spin lock {held}, which {} took",
                if dpr {
                    "NdisAcquireSpinLock"
                } else {
                    "NdisDprAcquireSpinLock"
                }
            ),
        ),
    }
}

/// The word of a lock that was freed: neither a free lock nor a held one.
const FREED: usize = 0x4652_4545_4c4f_434b;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nt::irql;
    use crate::rules::testing::assert_broken;

    fn lock() -> *mut NDIS_SPIN_LOCK {
        let lock = Box::into_raw(Box::new(NDIS_SPIN_LOCK::zeroed()));
        // SAFETY: the storage was just made and stays.
        unsafe { NdisAllocateSpinLock(lock) };
        lock
    }

    fn call(function: unsafe extern "efiapi" fn(*mut NDIS_SPIN_LOCK), lock: *mut NDIS_SPIN_LOCK) {
        // SAFETY: the tests' locks stay.
        unsafe { function(lock) };
    }

    #[test]
    fn a_lock_keeps_the_irql_to_go_back_to() {
        let (outer, inner) = (lock(), lock());
        call(NdisAcquireSpinLock, outer);
        call(NdisAcquireSpinLock, inner);
        call(NdisReleaseSpinLock, inner);
        assert_eq!(irql::current(), Irql::DISPATCH);
        call(NdisDprAcquireSpinLock, inner);
        call(NdisDprReleaseSpinLock, inner);
        call(NdisReleaseSpinLock, outer);
        assert_eq!(irql::current(), Irql::PASSIVE);
        call(NdisFreeSpinLock, outer);
        call(NdisAllocateSpinLock, outer);
        call(NdisAcquireSpinLock, outer);
        call(NdisReleaseSpinLock, outer);
    }

    #[test]
    fn acquiring_twice_breaks_spin_lock() {
        assert_broken(&rules::SPIN_LOCK, &["this thread holds"], || {
            let lock = lock();
            call(NdisAcquireSpinLock, lock);
            call(NdisAcquireSpinLock, lock);
        });
    }

    #[test]
    fn acquiring_twice_at_dispatch_level_breaks_spin_lock_dpr() {
        assert_broken(&rules::SPIN_LOCK_DPR, &["this thread holds"], || {
            let lock = lock();
            irql::set(Irql::DISPATCH);
            call(NdisDprAcquireSpinLock, lock);
            call(NdisDprAcquireSpinLock, lock);
        });
    }

    #[test]
    fn acquiring_again_by_the_other_form_breaks_spin_lock_dpr_release() {
        assert_broken(
            &rules::SPIN_LOCK_DPR_RELEASE,
            &["this thread holds"],
            || {
                let lock = lock();
                call(NdisAcquireSpinLock, lock);
                call(NdisDprAcquireSpinLock, lock);
            },
        );
    }

    #[test]
    fn releasing_by_the_other_form_breaks_spin_lock_balanced() {
        assert_broken(
            &rules::SPIN_LOCK_BALANCED,
            &["which NdisAcquireSpinLock took"],
            || {
                let lock = lock();
                call(NdisAcquireSpinLock, lock);
                call(NdisDprReleaseSpinLock, lock);
            },
        );
    }

    #[test]
    fn releasing_a_free_lock_breaks_spinlock_release() {
        assert_broken(&rules::SPINLOCK_RELEASE, &["nobody holds it"], || {
            irql::set(Irql::DISPATCH);
            call(NdisReleaseSpinLock, lock());
        });
    }

    #[test]
    fn releasing_the_outer_lock_first_breaks_spin_lock() {
        assert_broken(
            &rules::SPIN_LOCK,
            &["goes back to PASSIVE_LEVEL and leaves"],
            || {
                let (outer, inner) = (lock(), lock());
                call(NdisAcquireSpinLock, outer);
                call(NdisAcquireSpinLock, inner);
                call(NdisReleaseSpinLock, outer);
            },
        );
    }

    #[test]
    fn freeing_a_held_lock_breaks_spin_lock() {
        assert_broken(&rules::SPIN_LOCK, &["NdisFreeSpinLock"], || {
            let lock = lock();
            call(NdisAcquireSpinLock, lock);
            call(NdisFreeSpinLock, lock);
        });
    }

    #[test]
    fn using_a_freed_lock_breaks_spin_lock_init_failure() {
        assert_broken(&rules::SPIN_LOCK_INIT_FAILURE, &["neither"], || {
            let lock = lock();
            call(NdisFreeSpinLock, lock);
            call(NdisAcquireSpinLock, lock);
        });
    }
}
