//! Run-down protection: an object is used as long as somebody protects it, and who takes it away waits
//! for them (`run-down-protection.md`).
//!
//! The driver's word counts in its upper bits; its lowest bit says that the run-down has begun.

use std::sync::atomic::{AtomicUsize, Ordering};

use ndis_sys::nt::{BOOLEAN, ULONG};

use super::sched::Monitor;
use crate::ddi;
use crate::rules;

ddi! { "ntoskrnl.exe":
    /// Makes a reference that protects (`nf-wdm-exinitializerundownprotection.md`).
    [PASSIVE..=APC, unchecked] fn ExInitializeRundownProtection(reference: *mut usize) {
        // SAFETY: the driver gives the storage (the function's document).
        unsafe { word(reference) }.store(0, Ordering::SeqCst);
    }

    /// Protects, unless the run-down has begun (`nf-wdm-exacquirerundownprotection.md`).
    [PASSIVE..=DISPATCH, unchecked] fn ExAcquireRundownProtection(reference: *mut usize) -> BOOLEAN {
        // SAFETY: the driver gives a reference (the function's document).
        BOOLEAN::from(acquire(unsafe { word(reference) }, 1))
    }

    /// The same several times (`nf-wdm-exacquirerundownprotectionex.md`).
    [PASSIVE..=DISPATCH, unchecked] fn ExAcquireRundownProtectionEx(reference: *mut usize, count: ULONG) -> BOOLEAN {
        // SAFETY: the driver gives a reference (the function's document).
        BOOLEAN::from(acquire(unsafe { word(reference) }, count as usize))
    }

    /// Ends a protection (`nf-wdm-exreleaserundownprotection.md`).
    [PASSIVE..=DISPATCH, unchecked] fn ExReleaseRundownProtection(reference: *mut usize) {
        // SAFETY: the driver gives a reference (the function's document).
        release(unsafe { word(reference) }, 1);
    }

    /// The same several times (`nf-wdm-exreleaserundownprotectionex.md`).
    [PASSIVE..=DISPATCH, unchecked] fn ExReleaseRundownProtectionEx(reference: *mut usize, count: ULONG) {
        // SAFETY: the driver gives a reference (the function's document).
        release(unsafe { word(reference) }, count as usize);
    }

    /// Lets nobody protect any more, and waits for those that do
    /// (`nf-wdm-exwaitforrundownprotectionrelease.md`).
    [PASSIVE..=APC, unchecked] fn ExWaitForRundownProtectionRelease(reference: *mut usize) {
        // SAFETY: the driver gives a reference (the function's document).
        let word = unsafe { word(reference) };
        word.fetch_or(ENDED, Ordering::SeqCst);
        CHANGES.wait_until(None, |()| (word.load(Ordering::SeqCst) == ENDED).then_some(()));
    }

    /// Says that the run-down is over (`nf-wdm-exrundowncompleted.md`).
    [PASSIVE..=APC, unchecked] fn ExRundownCompleted(reference: *mut usize) {
        // SAFETY: the driver gives a reference (the function's document).
        unsafe { word(reference) }.store(ENDED, Ordering::SeqCst);
    }

    /// Makes a reference protect again whose run-down is over
    /// (`nf-wdm-exreinitializerundownprotection.md`).
    [PASSIVE..=APC, unchecked] fn ExReInitializeRundownProtection(reference: *mut usize) {
        // SAFETY: the driver gives a reference (the function's document).
        let before = unsafe { word(reference) }.swap(0, Ordering::SeqCst);
        if before != ENDED {
            rules::broken(
                &rules::RUNDOWN,
                format_args!("{reference:p} is initialized again; its run-down is not over"),
            );
        }
    }
}

/// # Safety
/// `reference` points to an EX_RUNDOWN_REF that lives while the result is used.
unsafe fn word<'a>(reference: *mut usize) -> &'a AtomicUsize {
    // SAFETY: the caller's own promise; drivers leave the word to the kernel.
    unsafe { AtomicUsize::from_ptr(reference) }
}

fn acquire(word: &AtomicUsize, count: usize) -> bool {
    let more = |now: usize| (now & ENDED == 0).then_some(now + count * ONE);
    word.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more)
        .is_ok()
}

fn release(word: &AtomicUsize, count: usize) {
    let less = |now: usize| now.checked_sub(count * ONE);
    let released = word.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
    if let Err(now) = released {
        rules::broken(
            &rules::RUNDOWN,
            format_args!(
                "{count} protections of {word:p} are released, and it has {}",
                now / ONE
            ),
        );
    }
    // Who waits may look only once this has the lock, or it would miss the change.
    drop(CHANGES.lock());
    CHANGES.notify_all();
}

const ENDED: usize = 1;
const ONE: usize = 2;

static CHANGES: Monitor<()> = Monitor::new(());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nt::sched;
    use crate::rules::testing::assert_broken;

    fn reference() -> *mut usize {
        Box::into_raw(Box::new(0))
    }

    #[test]
    fn a_run_down_waits_for_protections_and_lets_no_new_one_in() {
        let place = reference();
        // SAFETY: the word lives for good; the same for all below.
        assert_eq!(unsafe { ExAcquireRundownProtectionEx(place, 2) }, 1);
        let address = place as usize;
        let waiter = sched::spawn("waiter", move || {
            // SAFETY: as above.
            unsafe { ExWaitForRundownProtectionRelease(address as *mut usize) };
        });
        // SAFETY: as above.
        while unsafe { ExAcquireRundownProtection(place) } == 1 {
            // SAFETY: as above.
            unsafe { ExReleaseRundownProtection(place) };
        }
        assert!(!waiter.has_ended());
        // SAFETY: as above.
        unsafe { ExReleaseRundownProtectionEx(place, 2) };
        waiter.join();
        // SAFETY: as above.
        unsafe { ExReInitializeRundownProtection(place) };
        // SAFETY: as above.
        assert_eq!(unsafe { ExAcquireRundownProtection(place) }, 1);
    }

    #[test]
    fn releasing_what_is_not_protected_breaks_the_rule() {
        assert_broken(&rules::RUNDOWN, &["and it has 0"], || {
            // SAFETY: the word lives for good.
            unsafe { ExReleaseRundownProtection(reference()) };
        });
    }

    #[test]
    fn reinitializing_before_the_run_down_breaks_the_rule() {
        assert_broken(&rules::RUNDOWN, &["not over"], || {
            // SAFETY: the word lives for good.
            unsafe { ExReInitializeRundownProtection(reference()) };
        });
    }
}
