//! Read-write locks (`NDIS_RW_LOCK_EX`), and what the older kind (`old_rwlock`) has in common with them.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use ndis_sys::{LOCK_STATE_EX, NDIS_HANDLE, NDIS_RW_LOCK_EX, NDIS_RWL_AT_DISPATCH_LEVEL};

use super::driver::party_of;
use super::faults::should_fail;
use super::object::{self, Kind, Object, handle_of, resolve};
use super::{counters, trace};
use crate::nt::irql::{self, Irql};
use crate::nt::lock_order::{self, Mode};
use crate::nt::sched::{self, Monitor, Spin};
use crate::rules;

/// A read-write lock, of either generation.
#[derive(Default)]
pub(super) struct RwLock(Monitor<Holders>, Bare);

#[derive(Default)]
pub(super) struct Holders {
    /// The writer's thread, and how often it took the lock.
    writer: Option<(u64, u32)>,
    readers: BTreeMap<u64, u32>,
}

impl Object for RwLock {
    const KIND: Kind = Kind::RwLock;
}

impl RwLock {
    /// Takes the lock for writing or reading, at DISPATCH_LEVEL. Reading nests in either, writing in
    /// writing.
    pub(super) fn acquire(&self, write: bool, function: &'static str) {
        if !rules::enforced() {
            return self.1.acquire(write);
        }
        counters::count(function);
        let me = sched::current_id();
        let mode = if write { Mode::Exclusive } else { Mode::Shared };
        lock_order::wait(self.address(), lock_order::Kind::RwLock, mode);
        let mut spin = Spin::default();
        while !self.0.lock().take(write, me) {
            let promotes = write && self.0.lock().readers.contains_key(&me);
            if promotes || spin.once() > LONGEST_WAIT {
                broken(&format!(
                    "{function}: deadlock: {}",
                    if promotes {
                        "this thread holds the lock for reading"
                    } else {
                        "the lock is not given back"
                    }
                ));
            }
        }
        lock_order::acquired(self.address(), lock_order::Kind::RwLock, mode);
        HELD.set(HELD.get() + 1);
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self) as usize
    }

    /// Gives the lock back, which this thread holds in that way.
    pub(super) fn release(&self, write: bool, function: &str) {
        if !rules::enforced() {
            return self.1.release(write);
        }
        if !self.0.lock().give_back(write, sched::current_id()) {
            broken(&format!(
                "{function}: this thread does not hold the lock in that way"
            ));
        }
        rules::held(&rules::SPIN_LOCK);
        lock_order::released(self.address());
        HELD.set(HELD.get() - 1);
    }
}

/// What there is of a lock with the rules off: a word for each of its sides.
#[derive(Default)]
struct Bare {
    /// Readers, or [`WRITING`].
    users: AtomicU32,
    /// The thread that writes.
    writer: AtomicU64,
    /// How often that took the lock again.
    again: AtomicU32,
}

impl Bare {
    fn acquire(&self, write: bool) {
        let me = sched::current_id();
        if self.writer.load(Ordering::Relaxed) == me {
            self.again.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let next = |users| match (write, users) {
            (true, 0) => Some(WRITING),
            (false, WRITING) | (true, _) => None,
            (false, readers) => Some(readers + 1),
        };
        let mut spin = Spin::default();
        while self
            .users
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, next)
            .is_err()
        {
            spin.once();
        }
        if write {
            self.writer.store(me, Ordering::Relaxed);
        }
    }

    fn release(&self, write: bool) {
        if self.writer.load(Ordering::Relaxed) == sched::current_id() {
            if self.again.load(Ordering::Relaxed) != 0 {
                self.again.fetch_sub(1, Ordering::Relaxed);
                return;
            }
            self.writer.store(0, Ordering::Relaxed);
        }
        if write {
            self.users.store(0, Ordering::Release);
        } else {
            self.users.fetch_sub(1, Ordering::Release);
        }
    }
}

impl Holders {
    fn take(&mut self, write: bool, me: u64) -> bool {
        match &mut self.writer {
            Some((writer, _)) if *writer != me => false,
            Some((_, count)) if write => {
                *count += 1;
                true
            }
            None if write && !self.readers.is_empty() => false,
            None if write => {
                self.writer = Some((me, 1));
                true
            }
            _ => {
                *self.readers.entry(me).or_default() += 1;
                true
            }
        }
    }

    fn give_back(&mut self, write: bool, me: u64) -> bool {
        if write {
            return match &mut self.writer {
                Some((writer, count)) if *writer == me => {
                    *count -= 1;
                    if *count == 0 {
                        self.writer = None;
                    }
                    true
                }
                _ => false,
            };
        }
        let Some(count) = self.readers.get_mut(&me) else {
            return false;
        };
        *count -= 1;
        if *count == 0 {
            self.readers.remove(&me);
        }
        true
    }
}

crate::ddi! { "ndis.sys":
    /// Makes a lock.
    [PASSIVE..=DISPATCH] fn NdisAllocateRWLock(NdisHandle: NDIS_HANDLE) -> *mut NDIS_RW_LOCK_EX {
        let owner = party_of(NdisHandle, "NdisAllocateRWLock");
        let _record = trace::call("NdisAllocateRWLock", owner.name);
        if should_fail("NdisAllocateRWLock") {
            return std::ptr::null_mut();
        }
        let lock = object::fresh(RwLock::default());
        handle_of(object::publish_for(lock, format!("RW lock of {}", owner.name), NdisHandle)).cast()
    }

    /// Frees a lock that nobody holds.
    [PASSIVE..=DISPATCH] fn NdisFreeRWLock(Lock: *mut NDIS_RW_LOCK_EX) {
        let lock = resolve::<RwLock>(Lock.cast(), "NdisFreeRWLock");
        let held = {
            let holders = lock.0.lock();
            holders.writer.is_some() || !holders.readers.is_empty()
        };
        if held {
            broken("NdisFreeRWLock: the lock is held");
        }
        object::retire(lock);
    }

    /// Takes a lock for reading.
    [PASSIVE..=DISPATCH] fn NdisAcquireRWLockRead(
        Lock: *mut NDIS_RW_LOCK_EX,
        LockState: *mut LOCK_STATE_EX,
        Flags: u8,
    ) {
        let lock = resolve::<RwLock>(Lock.cast(), "NdisAcquireRWLockRead");
        let old = raise(Flags, "NdisAcquireRWLockRead");
        lock.acquire(false, "NdisAcquireRWLockRead");
        note(LockState, old, READ, Flags);
    }

    /// Takes a lock for writing.
    [PASSIVE..=DISPATCH] fn NdisAcquireRWLockWrite(
        Lock: *mut NDIS_RW_LOCK_EX,
        LockState: *mut LOCK_STATE_EX,
        Flags: u8,
    ) {
        let lock = resolve::<RwLock>(Lock.cast(), "NdisAcquireRWLockWrite");
        let old = raise(Flags, "NdisAcquireRWLockWrite");
        lock.acquire(true, "NdisAcquireRWLockWrite");
        note(LockState, old, WRITE, Flags);
    }

    /// Gives a lock back.
    [DISPATCH..=DISPATCH] fn NdisReleaseRWLock(
        Lock: *mut NDIS_RW_LOCK_EX,
        LockState: *mut LOCK_STATE_EX,
    ) {
        let lock = resolve::<RwLock>(Lock.cast(), "NdisReleaseRWLock");
        // SAFETY: the document makes it the lock state of the acquisition.
        let state = unsafe { *LockState };
        if !matches!(state.LockState, READ | WRITE) {
            broken("NdisReleaseRWLock: the lock state is not that of an acquisition");
        }
        lock.release(state.LockState == WRITE, "NdisReleaseRWLock");
        if state.Flags & NDIS_RWL_AT_DISPATCH_LEVEL == 0 {
            irql::lower(Irql(state.OldIrql));
        }
    }
}

/// How many read-write locks this thread holds.
pub(crate) fn held_by_this_thread() -> u32 {
    HELD.get()
}

/// Ends the run if a driver's function took more locks than it gave back: it had `before`.
pub(crate) fn check_none_kept(name: &str, before: u32) {
    let now = held_by_this_thread();
    if now > before {
        broken(&format!(
            "{name} returned with {} read-write locks held",
            now - before
        ));
    }
}

fn raise(flags: u8, function: &str) -> Irql {
    let before = irql::current();
    if flags & NDIS_RWL_AT_DISPATCH_LEVEL == 0 {
        irql::raise(Irql::DISPATCH)
    } else {
        if before != Irql::DISPATCH {
            rules::broken(
                rules::irql_rule("NdisAcquireSpinLock"),
                format_args!("{function}: NDIS_RWL_AT_DISPATCH_LEVEL at {before}"),
            );
        }
        before
    }
}

fn note(state: *mut LOCK_STATE_EX, old: Irql, kind: u8, flags: u8) {
    let value = LOCK_STATE_EX {
        OldIrql: old.0,
        LockState: kind,
        Flags: flags,
    };
    // SAFETY: the document makes it a pointer to the caller's lock state.
    unsafe { state.write(value) };
}

fn broken(what: &str) -> ! {
    rules::broken(&rules::SPIN_LOCK, what)
}

const WRITING: u32 = u32::MAX;
const READ: u8 = 1;
const WRITE: u8 = 2;
const LONGEST_WAIT: Duration = Duration::from_secs(20);

thread_local! {
    static HELD: Cell<u32> = const { Cell::new(0) };
}
