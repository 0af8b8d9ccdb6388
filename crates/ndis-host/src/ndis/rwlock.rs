//! Read-write locks (`NDIS_RW_LOCK_EX`).

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use ndis_sys::{LOCK_STATE_EX, NDIS_HANDLE, NDIS_RW_LOCK_EX, NDIS_RWL_AT_DISPATCH_LEVEL};

use super::driver::party_of;
use super::faults::should_fail;
use super::object::{self, Kind, Object, handle_of, resolve};
use super::{counters, trace};
use crate::nt::irql::{self, Irql};
use crate::nt::sched::{self, Monitor, Spin};
use crate::rules;

#[derive(Default)]
struct RwLock(Monitor<Holders>);

#[derive(Default)]
struct Holders {
    /// The writer's thread, and how often it took the lock.
    writer: Option<(u64, u32)>,
    readers: BTreeMap<u64, u32>,
}

impl Object for RwLock {
    const KIND: Kind = Kind::RwLock;
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
        acquire(lock, "NdisAcquireRWLockRead", |holders, me| {
            let free = holders.writer.is_none_or(|(writer, _)| writer == me);
            if free {
                *holders.readers.entry(me).or_default() += 1;
            }
            free
        });
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
        acquire(lock, "NdisAcquireRWLockWrite", |holders, me| {
            let reads = holders.readers.contains_key(&me);
            match &mut holders.writer {
                Some((writer, count)) if *writer == me => {
                    *count += 1;
                    true
                }
                Some(_) => false,
                None if reads => false,
                None if holders.readers.is_empty() => {
                    holders.writer = Some((me, 1));
                    true
                }
                None => false,
            }
        });
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
        let me = sched::current_id();
        let released = {
            let mut holders = lock.0.lock();
            match state.LockState {
                READ => match holders.readers.get_mut(&me) {
                    Some(count) => {
                        *count -= 1;
                        if *count == 0 {
                            holders.readers.remove(&me);
                        }
                        true
                    }
                    None => false,
                },
                WRITE => match &mut holders.writer {
                    Some((writer, count)) if *writer == me => {
                        *count -= 1;
                        if *count == 0 {
                            holders.writer = None;
                        }
                        true
                    }
                    _ => false,
                },
                _ => false,
            }
        };
        if !released {
            broken("NdisReleaseRWLock: this thread does not hold the lock in that way");
        }
        HELD.set(HELD.get() - 1);
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

fn acquire(
    lock: &'static RwLock,
    function: &'static str,
    mut take: impl FnMut(&mut Holders, u64) -> bool,
) {
    counters::count(function);
    let me = sched::current_id();
    let mut spin = Spin::default();
    while !take(&mut lock.0.lock(), me) {
        let promotes = function.ends_with("Write") && lock.0.lock().readers.contains_key(&me);
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
    HELD.set(HELD.get() + 1);
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

const READ: u8 = 1;
const WRITE: u8 = 2;
const LONGEST_WAIT: Duration = Duration::from_secs(20);

thread_local! {
    static HELD: Cell<u32> = const { Cell::new(0) };
}
