//! Fast mutexes: not recursive, held at APC_LEVEL (`fast-mutexes-and-guarded-mutexes.md`).
//!
//! Drivers initialize one inline. Its count is 1 while nobody holds it.

use ndis_sys::nt::{BOOLEAN, KEVENT, LONG, ULONG};

use super::irql::{self, Irql};
use super::sched::Monitor;
use super::thread;
use crate::ddi;
use crate::rules;

/// FAST_MUTEX of 64-bit Windows.
#[repr(C)]
pub(crate) struct FastMutex {
    count: LONG,
    owner: u64,
    contention: ULONG,
    _event: KEVENT,
    old_irql: ULONG,
}

ddi! { "ntoskrnl.exe":
    /// Waits for a mutex and raises to APC_LEVEL (`nf-wdm-exacquirefastmutex.md`).
    [PASSIVE..=APC, unchecked] fn ExAcquireFastMutex(mutex: *mut FastMutex) {
        // SAFETY: the driver gives a mutex (the function's document).
        unsafe { acquire(mutex) };
        let old = irql::raise(Irql::APC);
        // SAFETY: as above; this thread holds it now.
        unsafe { (*mutex).old_irql = ULONG::from(old.0) };
    }

    /// Takes a mutex if nobody holds it, and raises to APC_LEVEL
    /// (`nf-wdm-extrytoacquirefastmutex.md`).
    [PASSIVE..=APC, unchecked] fn ExTryToAcquireFastMutex(mutex: *mut FastMutex) -> BOOLEAN {
        let lock = MUTEXES.lock();
        // SAFETY: the driver gives a mutex (the function's document).
        let taken = unsafe { try_take(mutex) };
        drop(lock);
        if taken {
            let old = irql::raise(Irql::APC);
            // SAFETY: as above; this thread holds it now.
            unsafe { (*mutex).old_irql = ULONG::from(old.0) };
        }
        BOOLEAN::from(taken)
    }

    /// Releases a mutex and goes back (`nf-wdm-exreleasefastmutex.md`).
    [APC..=APC, unchecked] fn ExReleaseFastMutex(mutex: *mut FastMutex) {
        // SAFETY: the driver gives a mutex (the function's document).
        let old = unsafe { (*mutex).old_irql };
        // SAFETY: as above.
        unsafe { release(mutex) };
        irql::lower(Irql(old as u8));
    }

    /// Waits for a mutex in a critical region, and leaves the IRQL
    /// (`nf-wdm-exacquirefastmutexunsafe.md`).
    [PASSIVE..=APC, unchecked] fn ExAcquireFastMutexUnsafe(mutex: *mut FastMutex) {
        // SAFETY: the driver gives a mutex (the function's document).
        unsafe { acquire(mutex) };
    }

    /// Releases such a mutex (`nf-wdm-exreleasefastmutexunsafe.md`).
    [PASSIVE..=APC, unchecked] fn ExReleaseFastMutexUnsafe(mutex: *mut FastMutex) {
        // SAFETY: the driver gives a mutex (the function's document).
        unsafe { release(mutex) };
    }
}

/// # Safety
/// `mutex` points to a fast mutex, which stays there until it is released.
unsafe fn acquire(mutex: *mut FastMutex) {
    // SAFETY: the caller's own promise.
    let owner = unsafe { (*mutex).owner };
    if owner == thread::current_thread() {
        rules::broken(
            &rules::SELF_DEADLOCK,
            format_args!("the fast mutex {mutex:p} is acquired by the thread that holds it"),
        );
    }
    MUTEXES.wait_until(None, |()| {
        // SAFETY: the caller's own promise; the lock makes the access exclusive.
        unsafe { try_take(mutex) }.then_some(())
    });
    rules::held(&rules::SELF_DEADLOCK);
}

/// # Safety
/// `mutex` points to a fast mutex, and the lock of all of them is held.
unsafe fn try_take(mutex: *mut FastMutex) -> bool {
    // SAFETY: the caller's own promise.
    let mutex = unsafe { &mut *mutex };
    if mutex.count != 1 {
        mutex.contention += 1;
        return false;
    }
    mutex.count = 0;
    mutex.owner = thread::current_thread();
    true
}

/// # Safety
/// `mutex` points to a fast mutex.
unsafe fn release(mutex: *mut FastMutex) {
    let lock = MUTEXES.lock();
    // SAFETY: the caller's own promise; the lock makes the access exclusive.
    let content = unsafe { &mut *mutex };
    if content.count == 1 || content.owner != thread::current_thread() {
        drop(lock);
        rules::broken(
            &rules::MUTEX_RELEASED_BY_OTHER,
            format_args!("the fast mutex {mutex:p} is released by a thread that does not hold it"),
        );
    }
    content.count = 1;
    content.owner = 0;
    drop(lock);
    MUTEXES.notify_all();
    rules::held(&rules::MUTEX_RELEASED_BY_OTHER);
}

const _: () = assert!(size_of::<FastMutex>() == 56);
const _: () = assert!(std::mem::offset_of!(FastMutex, old_irql) == 48);

static MUTEXES: Monitor<()> = Monitor::new(());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nt::sched;
    use crate::rules::testing::assert_broken;

    /// What `ExInitializeFastMutex` leaves.
    fn mutex() -> *mut FastMutex {
        Box::into_raw(Box::new(FastMutex {
            count: 1,
            owner: 0,
            contention: 0,
            _event: KEVENT::zeroed(),
            old_irql: 0,
        }))
    }

    #[test]
    fn a_mutex_excludes_other_threads_and_is_held_at_apc_level() {
        let place = mutex();
        // SAFETY: the mutex lives for good; the same for all below.
        unsafe { ExAcquireFastMutex(place) };
        assert_eq!(irql::current(), Irql::APC);
        let address = place as usize;
        let other = sched::spawn("other", move || {
            // SAFETY: as above.
            unsafe { ExAcquireFastMutexUnsafe(address as *mut FastMutex) };
            // SAFETY: as above.
            unsafe { ExReleaseFastMutexUnsafe(address as *mut FastMutex) };
        });
        // SAFETY: as above. A held mutex is not taken, whoever asks.
        assert_eq!(unsafe { ExTryToAcquireFastMutex(place) }, 0);
        assert!(!other.has_ended());
        // SAFETY: as above.
        unsafe { ExReleaseFastMutex(place) };
        assert_eq!(irql::current(), Irql::PASSIVE);
        other.join();
        // SAFETY: as above.
        assert_eq!(unsafe { ExTryToAcquireFastMutex(place) }, 1);
    }

    #[test]
    fn recursion_is_a_self_deadlock() {
        assert_broken(&rules::SELF_DEADLOCK, &["the thread that holds it"], || {
            let mutex = mutex();
            // SAFETY: the mutex lives for good.
            unsafe { ExAcquireFastMutex(mutex) };
            // SAFETY: as above.
            unsafe { ExAcquireFastMutex(mutex) };
        });
    }

    #[test]
    fn releasing_what_is_not_held_breaks_its_rule() {
        assert_broken(&rules::MUTEX_RELEASED_BY_OTHER, &["does not hold"], || {
            // SAFETY: the mutex lives for good.
            unsafe { ExReleaseFastMutexUnsafe(mutex()) };
        });
    }
}
