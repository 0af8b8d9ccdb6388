//! Executive spin locks that readers share (EX_SPIN_LOCK; `introduction-to-spin-locks.md`).
//!
//! The word counts the readers; its highest bit is the writer. Which thread reads is not known here,
//! so a reader that never releases shows as the deadlock of a writer.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ndis_sys::nt::{KIRQL, ULONG};

use super::irql::{self, Irql};
use super::sched::Spin;
use crate::ddi;
use crate::rules;

ddi! { "ntoskrnl.exe":
    /// Acquires for reading and raises to DISPATCH_LEVEL (`nf-wdm-exacquirespinlockshared.md`).
    [PASSIVE..=DISPATCH, unchecked] fn ExAcquireSpinLockShared(lock: *mut u32) -> KIRQL {
        let old = irql::raise(Irql::DISPATCH);
        // SAFETY: the driver gives a lock (the function's document).
        read(unsafe { word(lock) });
        old.0
    }

    /// Releases a reader's lock and goes back (`nf-wdm-exreleasespinlockshared.md`).
    [DISPATCH..=DISPATCH, unchecked] fn ExReleaseSpinLockShared(lock: *mut u32, old: KIRQL) {
        // SAFETY: the driver gives a lock (the function's document).
        end_read(unsafe { word(lock) });
        irql::lower(Irql(old));
    }

    /// Acquires for reading at DISPATCH_LEVEL (`nf-wdm-exacquirespinlocksharedatdpclevel.md`).
    [DISPATCH..=HIGH, unchecked] fn ExAcquireSpinLockSharedAtDpcLevel(lock: *mut u32) {
        // SAFETY: the driver gives a lock (the function's document).
        read(unsafe { word(lock) });
    }

    /// Releases a reader's lock and stays (`nf-wdm-exreleasespinlocksharedfromdpclevel.md`).
    [DISPATCH..=HIGH, unchecked] fn ExReleaseSpinLockSharedFromDpcLevel(lock: *mut u32) {
        // SAFETY: the driver gives a lock (the function's document).
        end_read(unsafe { word(lock) });
    }

    /// Acquires for writing and raises to DISPATCH_LEVEL (`nf-wdm-exacquirespinlockexclusive.md`).
    [PASSIVE..=DISPATCH, unchecked] fn ExAcquireSpinLockExclusive(lock: *mut u32) -> KIRQL {
        let old = irql::raise(Irql::DISPATCH);
        // SAFETY: the driver gives a lock (the function's document).
        write(unsafe { word(lock) });
        old.0
    }

    /// Releases a writer's lock and goes back (`nf-wdm-exreleasespinlockexclusive.md`).
    [DISPATCH..=DISPATCH, unchecked] fn ExReleaseSpinLockExclusive(lock: *mut u32, old: KIRQL) {
        // SAFETY: the driver gives a lock (the function's document).
        end_write(unsafe { word(lock) });
        irql::lower(Irql(old));
    }

    /// Acquires for writing at DISPATCH_LEVEL (`nf-wdm-exacquirespinlockexclusiveatdpclevel.md`).
    [DISPATCH..=HIGH, unchecked] fn ExAcquireSpinLockExclusiveAtDpcLevel(lock: *mut u32) {
        // SAFETY: the driver gives a lock (the function's document).
        write(unsafe { word(lock) });
    }

    /// Releases a writer's lock and stays (`nf-wdm-exreleasespinlockexclusivefromdpclevel.md`).
    [DISPATCH..=HIGH, unchecked] fn ExReleaseSpinLockExclusiveFromDpcLevel(lock: *mut u32) {
        // SAFETY: the driver gives a lock (the function's document).
        end_write(unsafe { word(lock) });
    }

    /// Makes the only reader the writer (`nf-wdm-extryconvertsharedspinlockexclusive.md`).
    [DISPATCH..=DISPATCH, unchecked] fn ExTryConvertSharedSpinLockExclusive(lock: *mut u32) -> ULONG {
        // SAFETY: the driver gives a lock (the function's document).
        let word = unsafe { word(lock) };
        let converted = word.compare_exchange(1, WRITER, Ordering::SeqCst, Ordering::SeqCst);
        ULONG::from(converted.is_ok())
    }
}

/// # Safety
/// `lock` points to an EX_SPIN_LOCK that lives while the result is used.
unsafe fn word<'a>(lock: *mut u32) -> &'a AtomicU32 {
    // SAFETY: the caller's own promise; drivers leave the word to the kernel.
    unsafe { AtomicU32::from_ptr(lock) }
}

fn read(word: &AtomicU32) {
    take(word, |now| (now & WRITER == 0).then_some(now + 1));
}

fn write(word: &AtomicU32) {
    take(word, |now| (now == 0).then_some(WRITER));
}

fn take(word: &AtomicU32, next: impl Fn(u32) -> Option<u32>) {
    let mut spin = Spin::default();
    while word
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, &next)
        .is_err()
    {
        if spin.once() > DEADLOCK_AFTER {
            rules::broken(
                &rules::SPIN_LOCK_DEADLOCK,
                format_args!(
                    "spin lock {:p} was waited for {DEADLOCK_AFTER:?}",
                    word.as_ptr()
                ),
            );
        }
    }
}

fn end_read(word: &AtomicU32) {
    let less = |now: u32| (now & WRITER == 0).then(|| now.checked_sub(1)).flatten();
    let released = word.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
    require(word, released.is_ok(), "reads");
}

fn end_write(word: &AtomicU32) {
    let released = word.compare_exchange(WRITER, 0, Ordering::SeqCst, Ordering::SeqCst);
    require(word, released.is_ok(), "writes");
}

fn require(word: &AtomicU32, held: bool, how: &str) {
    if !held {
        rules::broken(
            &rules::SPIN_LOCK_NOT_OWNED,
            format_args!(
                "spin lock {:p} is released, but nobody {how} under it",
                word.as_ptr()
            ),
        );
    }
}

const WRITER: u32 = 1 << 31;
const DEADLOCK_AFTER: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nt::sched;
    use crate::rules::testing::assert_broken;

    #[test]
    fn readers_share_and_the_last_of_them_may_write() {
        let mut lock = 0_u32;
        let lock = &raw mut lock;
        // SAFETY: the lock lives until the end of the test; the same for all below.
        let old = unsafe { ExAcquireSpinLockShared(lock) };
        assert_eq!(irql::current(), Irql::DISPATCH);
        // SAFETY: as above.
        unsafe { ExAcquireSpinLockSharedAtDpcLevel(lock) };
        // SAFETY: as above.
        assert_eq!(unsafe { ExTryConvertSharedSpinLockExclusive(lock) }, 0);
        // SAFETY: as above.
        unsafe { ExReleaseSpinLockSharedFromDpcLevel(lock) };
        // SAFETY: as above.
        assert_eq!(unsafe { ExTryConvertSharedSpinLockExclusive(lock) }, 1);
        // SAFETY: as above.
        unsafe { ExReleaseSpinLockExclusive(lock, old) };
        assert_eq!(irql::current(), Irql::PASSIVE);
    }

    #[test]
    fn a_writer_excludes() {
        let lock = Box::into_raw(Box::new(0_u32));
        // SAFETY: the lock lives for good; the same for all below.
        let old = unsafe { ExAcquireSpinLockExclusive(lock) };
        let address = lock as usize;
        let reader = sched::spawn("reader", move || {
            // SAFETY: as above.
            let old = unsafe { ExAcquireSpinLockShared(address as *mut u32) };
            // SAFETY: as above.
            unsafe { ExReleaseSpinLockShared(address as *mut u32, old) };
        });
        assert!(!reader.has_ended());
        // SAFETY: as above.
        unsafe { ExReleaseSpinLockExclusive(lock, old) };
        reader.join();
    }

    #[test]
    fn releasing_in_another_way_than_acquired_breaks_spin_lock_not_owned() {
        assert_broken(&rules::SPIN_LOCK_NOT_OWNED, &["nobody writes"], || {
            let mut lock = 0_u32;
            let lock = &raw mut lock;
            // SAFETY: the lock lives until the end of the test; the same below.
            let old = unsafe { ExAcquireSpinLockShared(lock) };
            // SAFETY: as above.
            unsafe { ExReleaseSpinLockExclusive(lock, old) };
        });
    }
}
