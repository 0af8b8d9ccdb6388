//! Spin locks: executive ones and the cancel lock, which NDIS's own locks are made of too.
//!
//! A free lock's word is 0, as `KeInitializeSpinLock` (inline in every driver) leaves it. A held
//! lock's word names the thread, so that recursion, foreign releases and uninitialized memory show at
//! once. Each thread lists what it holds; a driver's function must return with nothing added.

use std::cell::OnceCell;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ndis_sys::nt::{BOOLEAN, KIRQL, KSPIN_LOCK};

use super::irql::{self, Irql};
use super::lock_order::{self, Mode};
use super::sched;
use crate::call::{self, CodeAddress};
use crate::ddi;
use crate::rules;

/// A spin lock that a thread holds.
#[derive(Clone, Debug)]
pub struct Held {
    /// The lock's address.
    pub lock: usize,
    /// Where the driver acquired it.
    pub caller: usize,
    /// The number of the thread that holds it.
    pub thread: u64,
    /// The IRQL from which acquiring raised, none if acquired at DISPATCH_LEVEL as it was.
    pub(crate) raised_from: Option<Irql>,
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:#x}, acquired by {} on \"{}\"",
            self.lock,
            CodeAddress::of(self.caller),
            name_of(self.thread)
        )
    }
}

/// How many spin locks this thread holds.
#[must_use]
pub fn held_by_this_thread() -> usize {
    with_held(|held| held.len())
}

/// The spin locks that this thread holds, for a report.
#[must_use]
pub fn held_list() -> Vec<Held> {
    with_held(|held| held.clone())
}

/// The spin locks that any thread holds.
#[must_use]
pub fn all_held() -> Vec<Held> {
    let threads = THREADS.lock().unwrap_or_else(PoisonError::into_inner);
    threads
        .iter()
        .flat_map(|held| held.lock().unwrap_or_else(PoisonError::into_inner).clone())
        .collect()
}

/// Ends the run if this thread holds more than `before` spin locks after `what` returned.
pub fn check_none_kept(what: &str, before: usize) {
    let held = held_list();
    let handler = ["Miniport", "Protocol", "Filter"]
        .iter()
        .any(|edge| what.starts_with(edge));
    if let Some(kept) = held.get(before) {
        let rule = match kept.raised_from {
            _ if !handler => &rules::SPIN_LOCK_BALANCED,
            Some(_) => &rules::SPIN_LOCK,
            None => &rules::SPIN_LOCK_DPR,
        };
        rules::broken_at(
            rule,
            format_args!("{what} returned with spin lock {kept} held"),
            kept.caller,
        );
    }
    if handler {
        rules::held(&rules::SPIN_LOCK);
        rules::held(&rules::SPIN_LOCK_DPR);
    } else {
        rules::held(&rules::SPIN_LOCK_BALANCED);
    }
}

/// Acquires the lock and raises to DISPATCH_LEVEL; answers with the IRQL before.
///
/// # Safety
/// `lock` points to a driver's KSPIN_LOCK, which stays there until it is released.
pub unsafe fn acquire(lock: *mut KSPIN_LOCK) -> Irql {
    let before = irql::raise(Irql::DISPATCH);
    // SAFETY: the caller's own promise.
    let lock = unsafe { word(lock) };
    take(lock, Some(before));
    before
}

/// Acquires the lock at DISPATCH_LEVEL.
///
/// # Safety
/// As for [`acquire`].
pub unsafe fn acquire_at_dispatch(lock: *mut KSPIN_LOCK) {
    // SAFETY: the caller's own promise.
    let lock = unsafe { word(lock) };
    take(lock, None);
}

/// Releases the lock and goes back to `new`, which must be what [`acquire`] answered.
///
/// # Safety
/// As for [`acquire`].
pub unsafe fn release(lock: *mut KSPIN_LOCK, new: Irql) {
    // SAFETY: the caller's own promise.
    let lock = unsafe { word(lock) };
    if !rules::enforced() {
        lock.store(0, Ordering::Release);
        irql::set(new);
        return;
    }
    let held = give_back(lock);
    if let Some(saved) = held.raised_from
        && saved != new
    {
        rules::broken(
            &rules::IRQL_KE_RELEASE_SPIN_LOCK,
            format_args!(
                "spin lock {:#x} is released to {new}, but was acquired at {saved}",
                held.lock
            ),
        );
    }
    rules::held(&rules::IRQL_KE_RELEASE_SPIN_LOCK);
    irql::lower(new);
}

/// Releases the lock and stays at DISPATCH_LEVEL.
///
/// # Safety
/// As for [`acquire`].
pub unsafe fn release_from_dispatch(lock: *mut KSPIN_LOCK) {
    // SAFETY: the caller's own promise.
    let lock = unsafe { word(lock) };
    if rules::enforced() {
        give_back(lock);
    } else {
        lock.store(0, Ordering::Release);
    }
}

/// Acquires the cancel lock, for the I/O manager; answers with the IRQL before.
pub(super) fn acquire_cancel() -> Irql {
    // SAFETY: the cancel lock is static.
    unsafe { acquire(CANCEL.as_ptr()) }
}

/// Releases the cancel lock, for the I/O manager.
pub(super) fn release_cancel(new: Irql) {
    // SAFETY: the cancel lock is static.
    unsafe { release(CANCEL.as_ptr(), new) };
}

/// Whether this thread holds the cancel lock.
pub(crate) fn holds_cancel() -> bool {
    if !rules::enforced() {
        return owner_of(CANCEL.load(Ordering::Relaxed)) == Some(sched::current_id());
    }
    let cancel = CANCEL.as_ptr() as usize;
    with_held(|held| held.iter().any(|held| held.lock == cancel))
}

ddi! { "ntoskrnl.exe":
    /// Makes a lock free (`nf-wdm-keinitializespinlock.md`).
    [PASSIVE..=HIGH] fn KeInitializeSpinLock(lock: *mut KSPIN_LOCK) {
        // SAFETY: the driver gives the storage of a lock (the function's document).
        let word = unsafe { word(lock) };
        word.store(0, Ordering::Release);
        lock_order::forget(lock as usize..lock as usize + 1);
    }

    /// Acquires a lock, raising to DISPATCH_LEVEL (`nf-wdm-keacquirespinlock.md`).
    [PASSIVE..=DISPATCH] fn KeAcquireSpinLockRaiseToDpc(lock: *mut KSPIN_LOCK) -> KIRQL {
        // SAFETY: the driver gives the storage of a lock (the function's document).
        unsafe { acquire(lock) }.0
    }

    /// Releases a lock and restores the IRQL (`nf-wdm-kereleasespinlock.md`).
    [DISPATCH..=DISPATCH] fn KeReleaseSpinLock(lock: *mut KSPIN_LOCK, new: KIRQL) {
        // SAFETY: the driver gives the storage of a lock (the function's document).
        unsafe { release(lock, Irql(new)) };
    }

    /// Acquires a lock at DISPATCH_LEVEL (`nf-wdm-keacquirespinlockatdpclevel.md`).
    [DISPATCH..=HIGH] fn KeAcquireSpinLockAtDpcLevel(lock: *mut KSPIN_LOCK) {
        // SAFETY: the driver gives the storage of a lock (the function's document).
        unsafe { acquire_at_dispatch(lock) };
    }

    /// Releases a lock at DISPATCH_LEVEL (`nf-wdm-kereleasespinlockfromdpclevel.md`).
    [DISPATCH..=HIGH] fn KeReleaseSpinLockFromDpcLevel(lock: *mut KSPIN_LOCK) {
        // SAFETY: the driver gives the storage of a lock (the function's document).
        unsafe { release_from_dispatch(lock) };
    }

    /// Acquires a lock if it is free (`nf-wdm-ketrytoacquirespinlockatdpclevel.md`).
    [DISPATCH..=HIGH] fn KeTryToAcquireSpinLockAtDpcLevel(lock: *mut KSPIN_LOCK) -> BOOLEAN {
        // SAFETY: the driver gives the storage of a lock (the function's document).
        let word = unsafe { word(lock) };
        BOOLEAN::from(try_take(word, None).is_ok())
    }

    /// Whether a lock is free (`nf-wdm-ketestspinlock.md`).
    [DISPATCH..=HIGH, unchecked] fn KeTestSpinLock(lock: *mut KSPIN_LOCK) -> BOOLEAN {
        // SAFETY: the driver gives the storage of a lock (the function's document).
        let word = unsafe { word(lock) };
        BOOLEAN::from(word.load(Ordering::Relaxed) == 0)
    }

    /// Acquires the system's cancel lock (`nf-wdm-ioacquirecancelspinlock.md`).
    [PASSIVE..=DISPATCH] fn IoAcquireCancelSpinLock(old: *mut KIRQL) {
        let before = irql::raise(Irql::DISPATCH);
        take(&CANCEL, Some(before));
        // SAFETY: the driver gives the place for the old IRQL (the function's document).
        unsafe { *old = before.0 };
    }

    /// Releases the system's cancel lock (`nf-wdm-ioreleasecancelspinlock.md`).
    [DISPATCH..=DISPATCH] fn IoReleaseCancelSpinLock(old: KIRQL) {
        // SAFETY: the cancel lock is static.
        unsafe { release(CANCEL.as_ptr(), Irql(old)) };
    }
}

/// The lock's word.
///
/// # Safety
/// `lock` points to a KSPIN_LOCK that lives for as long as the reference is used.
unsafe fn word<'a>(lock: *mut KSPIN_LOCK) -> &'a AtomicUsize {
    if !lock.is_aligned() || lock.is_null() {
        rules::broken(
            &rules::SPIN_LOCK_INIT_FAILURE,
            format_args!("{lock:p} is not an aligned address of a spin lock"),
        );
    }
    rules::held(&rules::SPIN_LOCK_INIT_FAILURE);
    // SAFETY: aligned by the line above, alive by the caller's promise; every access of the host to
    // a lock's word is atomic, and drivers leave it to the kernel.
    unsafe { AtomicUsize::from_ptr(lock) }
}

fn take(lock: &AtomicUsize, raised_from: Option<Irql>) {
    let address = lock.as_ptr() as usize;
    lock_order::wait(address, lock_order::Kind::SpinLock, Mode::Exclusive);
    let mut spin = sched::Spin::default();
    while let Err(owner) = try_take(lock, raised_from) {
        if spin.once() > DEADLOCK_AFTER {
            let holder = name_of(owner);
            rules::broken(
                &rules::SPIN_LOCK_DEADLOCK,
                format_args!(
                    "spin lock {:p} was waited for {DEADLOCK_AFTER:?}; \"{holder}\" holds it",
                    lock.as_ptr()
                ),
            );
        }
        rules::held(&rules::SPIN_LOCK_DEADLOCK);
    }
}

/// Takes the lock, or answers with the number of the thread that holds it.
fn try_take(lock: &AtomicUsize, raised_from: Option<Irql>) -> Result<(), u64> {
    let me = sched::current_id();
    let taken = lock.compare_exchange(0, mark_of(me), Ordering::Acquire, Ordering::Relaxed);
    let Err(word) = taken else {
        if rules::enforced() {
            rules::held(&rules::SPIN_LOCK_INIT_FAILURE);
            rules::held(&rules::SPIN_LOCK_ALREADY_OWNED);
            push_held(lock, raised_from);
        }
        return Ok(());
    };
    match owner_of(word) {
        None => rules::broken(
            &rules::SPIN_LOCK_INIT_FAILURE,
            format_args!(
                "spin lock {:p} holds {word:#x}, which is neither a free lock nor a held one",
                lock.as_ptr()
            ),
        ),
        Some(owner) if owner == me => rules::broken(
            &rules::SPIN_LOCK_ALREADY_OWNED,
            format_args!(
                "spin lock {:p} is acquired by the thread that holds it",
                lock.as_ptr()
            ),
        ),
        Some(owner) => Err(owner),
    }
}

/// Frees a lock that this thread must hold.
fn give_back(lock: &AtomicUsize) -> Held {
    let word = lock.load(Ordering::Relaxed);
    let address = lock.as_ptr();
    match owner_of(word) {
        None if word == 0 => rules::broken(
            &rules::SPINLOCK_RELEASE,
            format_args!("spin lock {address:p} is released, but nobody holds it"),
        ),
        None => rules::broken(
            &rules::SPIN_LOCK_INIT_FAILURE,
            format_args!("spin lock {address:p} holds {word:#x}, which no kernel function wrote"),
        ),
        Some(owner) if owner != sched::current_id() => {
            let holder = name_of(owner);
            rules::broken(
                &rules::SPIN_LOCK_NOT_OWNED,
                format_args!("spin lock {address:p} is released, but \"{holder}\" holds it"),
            )
        }
        Some(_) => {
            rules::held(&rules::SPINLOCK_RELEASE);
            rules::held(&rules::SPIN_LOCK_NOT_OWNED);
        }
    }
    let held = with_held(|held| {
        let index = held.iter().rposition(|held| held.lock == address as usize);
        held.remove(index.expect("a lock marked with this thread is in its list"))
    });
    lock_order::released(address as usize);
    lock.store(0, Ordering::Release);
    held
}

fn push_held(lock: &AtomicUsize, raised_from: Option<Irql>) {
    let held = Held {
        lock: lock.as_ptr() as usize,
        caller: call::caller_address(),
        thread: sched::current_id(),
        raised_from,
    };
    with_held(|list| list.push(held));
    let address = lock.as_ptr() as usize;
    lock_order::acquired(address, lock_order::Kind::SpinLock, Mode::Exclusive);
}

fn with_held<R>(f: impl FnOnce(&mut Vec<Held>) -> R) -> R {
    HELD.with(|held| {
        let held = held.get_or_init(|| {
            let held = Arc::new(Mutex::new(Vec::new()));
            THREADS
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(held.clone());
            held
        });
        sched::note_lock();
        f(&mut held.lock().unwrap_or_else(PoisonError::into_inner))
    })
}

fn name_of(thread: u64) -> String {
    sched::name_of(thread).unwrap_or_else(|| format!("thread {thread}"))
}

fn mark_of(thread: u64) -> usize {
    MARK | thread as usize
}

fn owner_of(word: usize) -> Option<u64> {
    (word & MARK_MASK == MARK).then_some((word & !MARK_MASK) as u64)
}

/// What the word of a held lock begins with. No user-mode address and no likely filling does.
const MARK: usize = 0x5350_494e << 32;
const MARK_MASK: usize = 0xffff_ffff << 32;
const DEADLOCK_AFTER: Duration = Duration::from_secs(30);

static CANCEL: AtomicUsize = AtomicUsize::new(0);
/// The list of each thread that ever held a lock.
static THREADS: Mutex<Vec<Arc<Mutex<Vec<Held>>>>> = Mutex::new(Vec::new());

thread_local! {
    static HELD: OnceCell<Arc<Mutex<Vec<Held>>>> = const { OnceCell::new() };
}

#[cfg(test)]
mod tests;
