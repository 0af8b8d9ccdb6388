//! Interlocked lists: doubly linked ones under a driver's spin lock, and SLISTs.

use std::ffi::c_void;

use ndis_sys::nt::{KSPIN_LOCK, LIST_ENTRY, SINGLE_LIST_ENTRY, SLIST_ENTRY, SLIST_HEADER, USHORT};

use super::irql::{self, Irql};
use super::sched::Monitor;
use super::spin_lock;
use crate::ddi;
use crate::rules;

ddi! { "ntoskrnl.exe":
    /// Inserts at the tail; returns the entry that was last, null if there was none
    /// (`nf-wdm-exinterlockedinserttaillist.md`).
    [PASSIVE..=HIGH, unchecked] fn ExInterlockedInsertTailList(
        head: *mut LIST_ENTRY,
        entry: *mut LIST_ENTRY,
        lock: *mut KSPIN_LOCK,
    ) -> *mut LIST_ENTRY {
        let insert_last = || {
            // SAFETY: the driver gives a list (the function's document).
            let last = unsafe { (*head).Blink };
            // SAFETY: `last` and the head are neighbours, and the entry is the driver's.
            unsafe { insert(last, entry, head) };
            if last == head { std::ptr::null_mut() } else { last }
        };
        // SAFETY: the driver gives the list's lock (the function's document).
        unsafe { locked(lock, insert_last) }
    }

    /// Inserts at the head; returns the entry that was first, null if there was none
    /// (`nf-wdm-exinterlockedinsertheadlist.md`).
    [PASSIVE..=HIGH, unchecked] fn ExInterlockedInsertHeadList(
        head: *mut LIST_ENTRY,
        entry: *mut LIST_ENTRY,
        lock: *mut KSPIN_LOCK,
    ) -> *mut LIST_ENTRY {
        let insert_first = || {
            // SAFETY: the driver gives a list (the function's document).
            let first = unsafe { (*head).Flink };
            // SAFETY: the head and `first` are neighbours, and the entry is the driver's.
            unsafe { insert(head, entry, first) };
            if first == head { std::ptr::null_mut() } else { first }
        };
        // SAFETY: the driver gives the list's lock (the function's document).
        unsafe { locked(lock, insert_first) }
    }

    /// Removes the first entry, null if there is none (`nf-wdm-exinterlockedremoveheadlist.md`).
    [PASSIVE..=HIGH, unchecked] fn ExInterlockedRemoveHeadList(
        head: *mut LIST_ENTRY,
        lock: *mut KSPIN_LOCK,
    ) -> *mut LIST_ENTRY {
        // SAFETY: the driver gives a list (the function's document), which `locked` keeps others from.
        let remove_first = || unsafe { remove_first(head) };
        // SAFETY: the driver gives the list's lock (the function's document).
        unsafe { locked(lock, remove_first) }
    }

    /// Inserts at the front of a singly linked list; returns the entry that was first
    /// (`nf-wdm-exinterlockedpushentrylist.md`).
    [PASSIVE..=HIGH, unchecked] fn ExInterlockedPushEntryList(
        head: *mut SINGLE_LIST_ENTRY,
        entry: *mut SINGLE_LIST_ENTRY,
        lock: *mut KSPIN_LOCK,
    ) -> *mut SINGLE_LIST_ENTRY {
        let push = || {
            // SAFETY: the driver gives a list (the function's document).
            let first = unsafe { std::mem::replace(&mut (*head).Next, entry) };
            // SAFETY: the driver gives an entry (the function's document).
            unsafe { (*entry).Next = first };
            first
        };
        // SAFETY: the driver gives the list's lock (the function's document).
        unsafe { locked(lock, push) }
    }

    /// Removes the first entry of a singly linked list, null if there is none
    /// (`nf-wdm-exinterlockedpopentrylist.md`).
    [PASSIVE..=HIGH, unchecked] fn ExInterlockedPopEntryList(
        head: *mut SINGLE_LIST_ENTRY,
        lock: *mut KSPIN_LOCK,
    ) -> *mut SINGLE_LIST_ENTRY {
        let pop = || {
            // SAFETY: the driver gives a list (the function's document).
            let first = unsafe { (*head).Next };
            // SAFETY: an entry that is in the list is there.
            if let Some(first) = unsafe { first.as_ref() } {
                // SAFETY: as for the list above.
                unsafe { (*head).Next = first.Next };
            }
            first
        };
        // SAFETY: the driver gives the list's lock (the function's document).
        unsafe { locked(lock, pop) }
    }

    /// Pushes on an SLIST; returns the entry that was first
    /// (`nf-wdm-exinterlockedpushentryslist.md`).
    [PASSIVE..=DISPATCH, unchecked] fn ExpInterlockedPushEntrySList(
        head: *mut SLIST_HEADER,
        entry: *mut SLIST_ENTRY,
    ) -> *mut SLIST_ENTRY {
        check_aligned(entry.cast(), "the entry");
        let push = |list: &mut SLIST_HEADER| {
            let first = list.first();
            // SAFETY: the driver gives an entry (the function's document).
            unsafe { (*entry).Next = first };
            list.set(entry, list.Depth().wrapping_add(1));
            first
        };
        // SAFETY: the driver gives an initialized SLIST (the function's document).
        unsafe { slist(head, push) }
    }

    /// Pops from an SLIST, null if it is empty (`nf-wdm-exinterlockedpopentryslist.md`).
    [PASSIVE..=DISPATCH, unchecked] fn ExpInterlockedPopEntrySList(head: *mut SLIST_HEADER) -> *mut SLIST_ENTRY {
        let pop = |list: &mut SLIST_HEADER| {
            let first = list.first();
            // SAFETY: an entry that is in the list is there.
            if let Some(first) = unsafe { first.as_ref() } {
                list.set(first.Next, list.Depth().wrapping_sub(1));
            }
            first
        };
        // SAFETY: the driver gives an initialized SLIST (the function's document).
        unsafe { slist(head, pop) }
    }

    /// Takes all entries of an SLIST (`nf-wdm-exinterlockedflushslist.md`).
    [PASSIVE..=DISPATCH, unchecked] fn ExpInterlockedFlushSList(head: *mut SLIST_HEADER) -> *mut SLIST_ENTRY {
        let flush = |list: &mut SLIST_HEADER| {
            let first = list.first();
            list.set(std::ptr::null_mut(), 0);
            first
        };
        // SAFETY: the driver gives an initialized SLIST (the function's document).
        unsafe { slist(head, flush) }
    }

    /// How many entries an SLIST has (`nf-wdm-exquerydepthslist.md`).
    [PASSIVE..=HIGH, unchecked] fn ExQueryDepthSList(head: *mut SLIST_HEADER) -> USHORT {
        // SAFETY: the driver gives an initialized SLIST (the function's document).
        unsafe { slist(head, |list| list.Depth() as USHORT) }
    }
}

/// What an SLIST's head is, beyond its bit fields.
trait Head {
    fn first(&self) -> *mut SLIST_ENTRY;
    fn set(&mut self, first: *mut SLIST_ENTRY, depth: u64);
}

impl Head for SLIST_HEADER {
    fn first(&self) -> *mut SLIST_ENTRY {
        (self.NextEntry() << 4) as *mut SLIST_ENTRY
    }

    fn set(&mut self, first: *mut SLIST_ENTRY, depth: u64) {
        self.set_NextEntry(first as u64 >> 4);
        self.set_Depth(depth);
        self.set_Sequence(self.Sequence().wrapping_add(1));
    }
}

/// Runs `f` on the head with every other SLIST function kept out.
///
/// # Safety
/// `head` points to an initialized SLIST.
unsafe fn slist<R>(head: *mut SLIST_HEADER, f: impl FnOnce(&mut SLIST_HEADER) -> R) -> R {
    check_aligned(head.cast(), "the head");
    let _lock = SLISTS.lock();
    // SAFETY: the caller's own promise; drivers reach into an SLIST by these functions only.
    f(unsafe { &mut *head })
}

/// Runs `f` with the driver's lock held, as these functions do: at the highest IRQL.
///
/// # Safety
/// `lock` points to a spin lock.
unsafe fn locked<R>(lock: *mut KSPIN_LOCK, f: impl FnOnce() -> R) -> R {
    irql::at(Irql::HIGH, || {
        // SAFETY: the caller's own promise.
        unsafe { spin_lock::acquire_at_dispatch(lock) };
        let result = f();
        // SAFETY: as above.
        unsafe { spin_lock::release_from_dispatch(lock) };
        result
    })
}

/// Puts `entry` between two neighbours.
///
/// # Safety
/// The pointers go to entries, and the list's lock is held.
unsafe fn insert(before: *mut LIST_ENTRY, entry: *mut LIST_ENTRY, after: *mut LIST_ENTRY) {
    // SAFETY: the caller's own promise.
    unsafe { check_link(before, after) };
    let links = LIST_ENTRY {
        Flink: after,
        Blink: before,
    };
    // SAFETY: the caller's own promise.
    unsafe { entry.write(links) };
    // SAFETY: the caller's own promise.
    unsafe { (*before).Flink = entry };
    // SAFETY: the caller's own promise.
    unsafe { (*after).Blink = entry };
}

/// # Safety
/// `head` points to a list, and the list's lock is held.
unsafe fn remove_first(head: *mut LIST_ENTRY) -> *mut LIST_ENTRY {
    // SAFETY: the caller's own promise.
    let first = unsafe { (*head).Flink };
    if first == head {
        return std::ptr::null_mut();
    }
    // SAFETY: an entry that is in the list is there.
    let next = unsafe { (*first).Flink };
    // SAFETY: as above.
    unsafe { check_link(head, first) };
    // SAFETY: as above.
    unsafe { check_link(first, next) };
    // SAFETY: the caller's own promise.
    unsafe { (*head).Flink = next };
    // SAFETY: an entry that is in the list is there; it may be the head.
    unsafe { (*next).Blink = head };
    first
}

/// Ends the run if two entries do not point at each other: the list is corrupt.
///
/// # Safety
/// As for [`insert`].
unsafe fn check_link(before: *mut LIST_ENTRY, after: *mut LIST_ENTRY) {
    // SAFETY: the caller's own promise.
    let flink = unsafe { (*before).Flink };
    // SAFETY: the caller's own promise.
    let blink = unsafe { (*after).Blink };
    if flink != after || blink != before {
        rules::broken(
            &rules::SECURITY_CHECK_FAILURE,
            format_args!(
                "a list is corrupt: {before:p} has Flink {flink:p}, {after:p} has Blink {blink:p}"
            ),
        );
    }
    rules::held(&rules::SECURITY_CHECK_FAILURE);
}

fn check_aligned(pointer: *mut c_void, what: &str) {
    if !(pointer as usize).is_multiple_of(16) {
        rules::broken(
            &rules::EXCEPTION_NOT_HANDLED,
            format_args!(
                "STATUS_DATATYPE_MISALIGNMENT: {what} of an SLIST, {pointer:p}, is not aligned to \
                 16 bytes"
            ),
        );
    }
    rules::held(&rules::EXCEPTION_NOT_HANDLED);
}

static SLISTS: Monitor<()> = Monitor::new(());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::assert_broken;

    fn empty_list() -> *mut LIST_ENTRY {
        let head = Box::into_raw(Box::new(LIST_ENTRY::zeroed()));
        let links = LIST_ENTRY {
            Flink: head,
            Blink: head,
        };
        // SAFETY: the head was just allocated.
        unsafe { head.write(links) };
        head
    }

    #[test]
    fn an_slist_is_last_in_first_out() {
        let mut head = SLIST_HEADER::zeroed();
        let mut entries = [SLIST_ENTRY::zeroed(); 3];
        let list = &raw mut head;
        for entry in &mut entries {
            // SAFETY: list and entries live until the end of the test.
            unsafe { ExpInterlockedPushEntrySList(list, entry) };
        }
        // SAFETY: as above.
        assert_eq!(unsafe { ExQueryDepthSList(list) }, 3);
        for entry in entries.iter_mut().rev() {
            // SAFETY: as above.
            let popped = unsafe { ExpInterlockedPopEntrySList(list) };
            assert_eq!(popped, &raw mut *entry);
        }
        // SAFETY: as above.
        assert!(unsafe { ExpInterlockedPopEntrySList(list) }.is_null());
    }

    #[test]
    fn a_list_is_first_in_first_out_by_its_tail() {
        let list = empty_list();
        let mut entries = [LIST_ENTRY::zeroed(); 2];
        let [first, second] = entries.each_mut().map(|entry| &raw mut *entry);
        let mut lock = 0;
        let lock = &raw mut lock;
        // SAFETY: list, entries and lock live until the end of the test.
        let before = unsafe { ExInterlockedInsertTailList(list, first, lock) };
        assert!(before.is_null());
        // SAFETY: as above.
        let before = unsafe { ExInterlockedInsertTailList(list, second, lock) };
        assert_eq!(before, first);
        for expected in [first, second, std::ptr::null_mut()] {
            // SAFETY: as above.
            assert_eq!(unsafe { ExInterlockedRemoveHeadList(list, lock) }, expected);
        }
        assert_eq!(irql::current(), Irql::PASSIVE);
    }

    #[test]
    fn a_corrupt_list_breaks_the_security_check() {
        assert_broken(
            &rules::SECURITY_CHECK_FAILURE,
            &["a list is corrupt"],
            || {
                let list = empty_list();
                let stray = empty_list();
                // SAFETY: both heads were just allocated.
                unsafe { (*list).Blink = stray };
                let (mut entry, mut lock) = (LIST_ENTRY::zeroed(), 0);
                // SAFETY: all of them live until the call returns; it finds the list corrupt first.
                unsafe { ExInterlockedInsertTailList(list, &raw mut entry, &raw mut lock) }
            },
        );
    }
}
