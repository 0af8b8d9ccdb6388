//! Dispatcher objects: events, mutexes, semaphores and timers that threads wait for.
//!
//! The objects are the driver's memory, in Windows's own layout. Their state is read and changed
//! under one lock of the host; whoever waits looks again after each change.
//!
//! An object that was never initialized, or was moved after it was, is recognised: the head of its
//! wait list does not point to itself.

use std::ffi::c_void;
use std::time::Duration;

use ndis_sys::nt::{
    BOOLEAN, DISPATCHER_HEADER, KEVENT, KPROCESSOR_MODE, LARGE_INTEGER, LIST_ENTRY, LONG, NTSTATUS,
    PVOID, UCHAR, ULONG,
};

use super::irql::{self, Irql};
use super::lock_order::{self, Mode};
use super::sched::{self, Monitor};
use super::time;
use crate::ddi;
use crate::rules;

/// What kind of object a dispatcher header begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An event that stays set until it is reset.
    NotificationEvent,
    /// An event that one wait resets.
    SynchronizationEvent,
    /// A mutex.
    Mutex,
    /// A semaphore.
    Semaphore,
    /// A timer that stays signaled.
    NotificationTimer,
    /// A timer that one wait resets.
    SynchronizationTimer,
}

/// Makes an event.
///
/// # Safety
/// `event` is memory for a KEVENT.
pub unsafe fn initialize_event(event: *mut KEVENT, kind: Kind, set: bool) {
    // SAFETY: a KEVENT begins with its header, and the memory is the caller's to give.
    unsafe { initialize(event.cast(), kind, i32::from(set)) };
}

/// Sets an event; answers whether it was set.
///
/// # Safety
/// `event` points to a KEVENT.
pub unsafe fn set_event(event: *mut KEVENT) -> bool {
    // SAFETY: the caller's own promise.
    unsafe {
        change(event.cast(), "the event", |state| {
            std::mem::replace(state, 1) != 0
        })
    }
}

/// Resets an event; answers whether it was set.
///
/// # Safety
/// `event` points to a KEVENT.
pub unsafe fn reset_event(event: *mut KEVENT) -> bool {
    // SAFETY: the caller's own promise.
    unsafe {
        change(event.cast(), "the event", |state| {
            std::mem::replace(state, 0) != 0
        })
    }
}

/// Waits for an object, at most for `timeout`; answers whether the wait was satisfied.
///
/// Ends the run if the thread may not wait at its IRQL.
///
/// # Safety
/// `object` points to a dispatcher object, which stays there until the wait ends.
pub unsafe fn wait(object: *mut c_void, timeout: Option<Duration>) -> bool {
    // SAFETY: the caller's own promise.
    unsafe { wait_for(&[object.cast()], true, timeout) }.is_some()
}

ddi! { "ntoskrnl.exe":
    /// Makes an event; type 0 is a notification event (`nf-wdm-keinitializeevent.md`).
    [PASSIVE..=HIGH] fn KeInitializeEvent(event: *mut KEVENT, kind: i32, state: BOOLEAN) {
        let kind = if kind == 0 { Kind::NotificationEvent } else { Kind::SynchronizationEvent };
        // SAFETY: the driver gives the storage of an event (the function's document).
        unsafe { initialize_event(event, kind, state != 0) };
    }

    /// Sets an event; returns its state before (`nf-wdm-kesetevent.md`).
    [PASSIVE..=DISPATCH] fn KeSetEvent(event: *mut KEVENT, _increment: LONG, wait: BOOLEAN) -> LONG {
        if wait != 0 && irql::current() > Irql::APC {
            rules::broken(
                &rules::IRQL_KE_SET_EVENT,
                format_args!("KeSetEvent is called with Wait set at {}", irql::current()),
            );
        }
        rules::held(&rules::IRQL_KE_SET_EVENT);
        // SAFETY: the driver gives an event (the function's document).
        LONG::from(unsafe { set_event(event) })
    }

    /// Resets an event; returns its state before (`nf-wdm-keresetevent.md`).
    [PASSIVE..=DISPATCH, unchecked] fn KeResetEvent(event: *mut KEVENT) -> LONG {
        // SAFETY: the driver gives an event (the function's document).
        LONG::from(unsafe { reset_event(event) })
    }

    /// Resets an event (`nf-wdm-keclearevent.md`).
    [PASSIVE..=DISPATCH] fn KeClearEvent(event: *mut KEVENT) {
        // SAFETY: the driver gives an event (the function's document).
        unsafe { reset_event(event) };
    }

    /// Whether an event is set (`nf-wdm-kereadstateevent.md`).
    [PASSIVE..=DISPATCH, unchecked] fn KeReadStateEvent(event: *mut KEVENT) -> LONG {
        // SAFETY: the driver gives an event (the function's document).
        unsafe { change(event.cast(), "the event", |state| *state) }
    }

    /// Makes a mutex that nobody holds (`nf-wdm-keinitializemutex.md`).
    [PASSIVE..=HIGH, unchecked] fn KeInitializeMutex(mutex: *mut Mutant, _level: ULONG) {
        // SAFETY: the driver gives the storage of a mutex (the function's document).
        unsafe { initialize(mutex.cast(), Kind::Mutex, 1) };
        // SAFETY: as above.
        unsafe { (*mutex).owner = 0 };
    }

    /// Releases a mutex; returns 0 when nobody holds it any more (`nf-wdm-kereleasemutex.md`).
    [PASSIVE..=DISPATCH, unchecked] fn KeReleaseMutex(mutex: *mut Mutant, _wait: BOOLEAN) -> LONG {
        // SAFETY: the driver gives a mutex (the function's document).
        let released = unsafe { release_mutex(mutex) };
        released.unwrap_or_else(|what| rules::broken(&rules::MUTEX_NOT_OWNED, what))
    }

    /// Whether nobody holds a mutex (`nf-wdm-kereadstatemutex.md`).
    [PASSIVE..=DISPATCH, unchecked] fn KeReadStateMutex(mutex: *mut Mutant) -> LONG {
        // SAFETY: the driver gives a mutex (the function's document).
        unsafe { change(mutex.cast(), "the mutex", |state| *state) }
    }

    /// Makes a semaphore (`nf-wdm-keinitializesemaphore.md`).
    [PASSIVE..=DISPATCH, unchecked] fn KeInitializeSemaphore(
        semaphore: *mut Semaphore,
        count: LONG,
        limit: LONG,
    ) {
        // SAFETY: the driver gives the storage of a semaphore (the function's document).
        unsafe { initialize(semaphore.cast(), Kind::Semaphore, count) };
        // SAFETY: as above.
        unsafe { (*semaphore).limit = limit };
    }

    /// Raises a semaphore's count; returns the count before (`nf-wdm-kereleasesemaphore.md`).
    [PASSIVE..=DISPATCH, unchecked] fn KeReleaseSemaphore(
        semaphore: *mut Semaphore,
        _increment: LONG,
        adjustment: LONG,
        _wait: BOOLEAN,
    ) -> LONG {
        // SAFETY: the driver gives a semaphore (the function's document).
        let limit = unsafe { (*semaphore).limit };
        // SAFETY: as above.
        let before = unsafe {
            change(semaphore.cast(), "the semaphore", |state| {
                let before = *state;
                *state = before.saturating_add(adjustment);
                before
            })
        };
        if adjustment < 0 || before.saturating_add(adjustment) > limit {
            rules::broken(
                &rules::EXCEPTION_NOT_HANDLED,
                format_args!(
                    "STATUS_SEMAPHORE_LIMIT_EXCEEDED: {before} + {adjustment} with a limit of {limit}"
                ),
            );
        }
        rules::held(&rules::EXCEPTION_NOT_HANDLED);
        before
    }

    /// Waits for an object. STATUS_SUCCESS, or STATUS_TIMEOUT (`nf-wdm-kewaitforsingleobject.md`).
    [PASSIVE..=DISPATCH] fn KeWaitForSingleObject(
        object: PVOID,
        _reason: i32,
        _mode: KPROCESSOR_MODE,
        _alertable: BOOLEAN,
        timeout: *mut LARGE_INTEGER,
    ) -> NTSTATUS {
        // SAFETY: a time-out that is not null is the driver's number (the function's document).
        let timeout = unsafe { timeout.as_ref() }.map(|due| time::until(*due));
        // SAFETY: the driver gives a dispatcher object (the function's document).
        let satisfied = unsafe { wait(object, timeout) };
        if satisfied { STATUS_SUCCESS } else { STATUS_TIMEOUT }
    }

    /// Waits for all or any of several objects. STATUS_SUCCESS plus the index for any, or
    /// STATUS_TIMEOUT (`nf-wdm-kewaitformultipleobjects.md`).
    [PASSIVE..=DISPATCH, unchecked] fn KeWaitForMultipleObjects(
        count: ULONG,
        objects: *const *mut DISPATCHER_HEADER,
        wait_type: i32,
        _reason: i32,
        _mode: KPROCESSOR_MODE,
        _alertable: BOOLEAN,
        timeout: *mut LARGE_INTEGER,
        _wait_blocks: PVOID,
    ) -> NTSTATUS {
        // SAFETY: a time-out that is not null is the driver's number (the function's document).
        let timeout = unsafe { timeout.as_ref() }.map(|due| time::until(*due));
        // SAFETY: the driver gives that many objects (the function's document).
        let objects = unsafe { std::slice::from_raw_parts(objects, count as usize) };
        // SAFETY: they are dispatcher objects (the function's document).
        match unsafe { wait_for(objects, wait_type == WAIT_ALL, timeout) } {
            Some(index) => STATUS_SUCCESS + index as NTSTATUS,
            None => STATUS_TIMEOUT,
        }
    }
}

/// KMUTANT of 64-bit Windows.
#[repr(C)]
#[derive(Debug)]
pub struct Mutant {
    header: [u64; 3],
    _list_entry: [u64; 2],
    /// The number of the thread that holds it; a KTHREAD's address on Windows.
    owner: u64,
    _abandoned: u8,
    _apc_disable: u8,
}

/// KSEMAPHORE of 64-bit Windows.
#[repr(C)]
#[derive(Debug)]
pub struct Semaphore {
    header: [u64; 3],
    limit: LONG,
}

/// Makes an object of the kind with that state.
///
/// # Safety
/// `object` is memory for an object of that kind.
pub(super) unsafe fn initialize(object: *mut DISPATCHER_HEADER, kind: Kind, state: LONG) {
    let _lock = STATES.lock();
    // SAFETY: the field is in the object, by the caller's promise.
    let list = unsafe { &raw mut (*object).WaitListHead };
    let header = DISPATCHER_HEADER {
        Type: type_of(kind),
        SignalState: state,
        WaitListHead: LIST_ENTRY {
            Flink: list,
            Blink: list,
        },
        ..DISPATCHER_HEADER::zeroed()
    };
    // SAFETY: the caller's own promise.
    unsafe { object.write(header) };
}

/// Changes the state of an object and lets those who wait look again.
///
/// # Safety
/// `object` points to a dispatcher object.
pub(super) unsafe fn change<R>(
    object: *mut DISPATCHER_HEADER,
    what: &str,
    f: impl FnOnce(&mut LONG) -> R,
) -> R {
    // SAFETY: the caller's own promise.
    unsafe { check_initialized(object, what) };
    let lock = STATES.lock();
    // SAFETY: the caller's own promise; the lock makes the access exclusive.
    let result = f(unsafe { &mut (*object).SignalState });
    drop(lock);
    STATES.notify_all();
    result
}

/// # Safety
/// `mutex` points to a KMUTANT.
unsafe fn release_mutex(mutex: *mut Mutant) -> Result<LONG, String> {
    // SAFETY: a KMUTANT begins with its header.
    unsafe { check_initialized(mutex.cast(), "the mutex") };
    let lock = STATES.lock();
    // SAFETY: the caller's own promise; the lock makes the access exclusive.
    let owner = unsafe { &mut (*mutex).owner };
    if *owner != sched::current_id() {
        return Err(match sched::name_of(*owner) {
            None => format!("the mutex {mutex:p} is released, but no thread holds it"),
            Some(name) => format!("the mutex {mutex:p} is released, but \"{name}\" holds it"),
        });
    }
    let header = mutex.cast::<DISPATCHER_HEADER>();
    // SAFETY: as above.
    let state = unsafe { &mut (*header).SignalState };
    let before = *state;
    *state += 1;
    if *state == 1 {
        *owner = 0;
    }
    drop(lock);
    lock_order::released(mutex as usize);
    STATES.notify_all();
    Ok(before)
}

/// Waits until any or all of the objects are signaled, and takes what waiting takes of them. Answers
/// with the index of the one, 0 for all, or none after `timeout`.
///
/// # Safety
/// The pointers go to dispatcher objects, which stay there until the wait ends.
unsafe fn wait_for(
    objects: &[*mut DISPATCHER_HEADER],
    all: bool,
    timeout: Option<Duration>,
) -> Option<usize> {
    if timeout != Some(Duration::ZERO) && irql::current() > Irql::APC {
        rules::broken(
            &rules::WAIT_AT_DISPATCH,
            format_args!("a wait that may block is made at {}", irql::current()),
        );
    }
    rules::held(&rules::WAIT_AT_DISPATCH);
    for object in objects {
        // SAFETY: the caller's own promise.
        unsafe { check_initialized(*object, "the object waited for") };
    }
    if timeout != Some(Duration::ZERO) {
        // SAFETY: the caller's own promise.
        for mutex in unsafe { mutexes(objects) } {
            lock_order::wait(mutex, lock_order::Kind::Mutex, Mode::Exclusive);
        }
    }
    let me = sched::current_id();
    // SAFETY: the caller's own promise; this runs with the lock held.
    let signaled = |object: &*mut DISPATCHER_HEADER| unsafe { is_signaled(*object, me) };
    let index = STATES.wait_until(timeout, |_| {
        let index = if all {
            objects.iter().all(signaled).then_some(0)
        } else {
            objects.iter().position(signaled)
        }?;
        let taken = if all {
            objects
        } else {
            &objects[index..=index]
        };
        for object in taken {
            // SAFETY: as above.
            unsafe { take(*object, me) };
        }
        Some(index)
    })?;
    let taken = if all {
        objects
    } else {
        &objects[index..=index]
    };
    // SAFETY: the caller's own promise.
    for mutex in unsafe { mutexes(taken) } {
        lock_order::acquired(mutex, lock_order::Kind::Mutex, Mode::Exclusive);
    }
    Some(index)
}

/// The addresses of the mutexes among `objects`.
///
/// # Safety
/// The pointers go to dispatcher objects.
unsafe fn mutexes(objects: &[*mut DISPATCHER_HEADER]) -> Vec<usize> {
    let mut mutexes = objects.to_vec();
    mutexes.retain(|object| {
        // SAFETY: the caller's own promise.
        let type_ = unsafe { (**object).Type };
        kind_of(type_) == Some(Kind::Mutex)
    });
    mutexes.into_iter().map(|object| object as usize).collect()
}

/// # Safety
/// `object` points to a dispatcher object, and the lock of states is held.
unsafe fn is_signaled(object: *mut DISPATCHER_HEADER, me: u64) -> bool {
    // SAFETY: the caller's own promise.
    let header = unsafe { &*object };
    if header.SignalState > 0 {
        return true;
    }
    if kind_of(header.Type) != Some(Kind::Mutex) {
        return false;
    }
    let mutex = object.cast::<Mutant>();
    // SAFETY: its type says that it is a mutex. Who holds it may acquire it again.
    unsafe { (*mutex).owner == me }
}

/// Takes from a signaled object what one wait takes.
///
/// # Safety
/// As for [`is_signaled`].
unsafe fn take(object: *mut DISPATCHER_HEADER, me: u64) {
    // SAFETY: the caller's own promise.
    let header = unsafe { &mut *object };
    match kind_of(header.Type) {
        Some(Kind::SynchronizationEvent | Kind::SynchronizationTimer) => header.SignalState = 0,
        Some(Kind::Semaphore) => header.SignalState -= 1,
        Some(Kind::Mutex) => {
            header.SignalState -= 1;
            let mutex = object.cast::<Mutant>();
            // SAFETY: its type says that it is a mutex.
            unsafe { (*mutex).owner = me };
        }
        Some(Kind::NotificationEvent | Kind::NotificationTimer) | None => {}
    }
}

/// # Safety
/// `object` points to memory of a dispatcher header's size.
unsafe fn check_initialized(object: *mut DISPATCHER_HEADER, what: &str) {
    if object.is_null() {
        rules::broken(
            &rules::OBJECT_NOT_INITIALIZED,
            format_args!("{what} is NULL"),
        );
    }
    rules::held(&rules::OBJECT_NOT_INITIALIZED);
    // SAFETY: the caller's own promise.
    let header = unsafe { object.read() };
    // SAFETY: only the address of the field is taken, inside of the object.
    let list = unsafe { &raw mut (*object).WaitListHead };
    if kind_of(header.Type).is_none() || header.WaitListHead.Flink != list {
        rules::broken(
            &rules::OBJECT_NOT_INITIALIZED,
            format_args!("{what} at {object:p} was never initialized, or was moved after it was"),
        );
    }
    rules::held(&rules::OBJECT_NOT_INITIALIZED);
}

fn type_of(kind: Kind) -> UCHAR {
    match kind {
        Kind::NotificationEvent => 0,
        Kind::SynchronizationEvent => 1,
        Kind::Mutex => 2,
        Kind::Semaphore => 5,
        Kind::NotificationTimer => 8,
        Kind::SynchronizationTimer => 9,
    }
}

fn kind_of(type_: UCHAR) -> Option<Kind> {
    Some(match type_ {
        0 => Kind::NotificationEvent,
        1 => Kind::SynchronizationEvent,
        2 => Kind::Mutex,
        5 => Kind::Semaphore,
        8 => Kind::NotificationTimer,
        9 => Kind::SynchronizationTimer,
        _ => return None,
    })
}

const STATUS_SUCCESS: NTSTATUS = 0;
const STATUS_TIMEOUT: NTSTATUS = 0x102;
const WAIT_ALL: i32 = 0;

const _: () = assert!(size_of::<Mutant>() == 56);
const _: () = assert!(size_of::<Semaphore>() == 32);

/// The lock under which the state of every object is read and changed.
static STATES: Monitor<()> = Monitor::new(());

#[cfg(test)]
mod tests;
