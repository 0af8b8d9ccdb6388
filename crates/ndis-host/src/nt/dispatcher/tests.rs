//! Each kind of object, and the misuse that the checks see.

use super::*;
use crate::rules::testing::assert_broken;

const SHORT: Option<Duration> = Some(Duration::from_millis(1));
const LONG_ENOUGH: Option<Duration> = Some(Duration::from_secs(10));

/// An object at an address that stays, as a driver's would.
fn place<T>() -> *mut T {
    Box::into_raw(Box::<T>::new_zeroed()).cast()
}

fn event(kind: Kind, set: bool) -> *mut KEVENT {
    let event = place();
    // SAFETY: the memory was just allocated for an event.
    unsafe { initialize_event(event, kind, set) };
    event
}

fn waits<T>(object: *mut T, timeout: Option<Duration>) -> bool {
    // SAFETY: the tests' objects are initialized and stay for ever.
    unsafe { wait(object.cast(), timeout) }
}

#[test]
fn a_notification_event_stays_set() {
    let event = event(Kind::NotificationEvent, false);
    assert!(!waits(event, SHORT));
    // SAFETY: the event is initialized.
    assert!(!unsafe { set_event(event) });
    assert!(waits(event, SHORT) && waits(event, SHORT));
    // SAFETY: the event is initialized.
    assert!(unsafe { reset_event(event) });
    assert!(!waits(event, SHORT));
}

#[test]
fn a_synchronization_event_lets_one_wait_pass() {
    let event = event(Kind::SynchronizationEvent, true);
    assert!(waits(event, SHORT));
    assert!(!waits(event, SHORT));
}

#[test]
fn setting_an_event_wakes_another_thread() {
    let event = event(Kind::SynchronizationEvent, false) as usize;
    let thread = sched::spawn("waiter", move || {
        assert!(waits(event as *mut KEVENT, LONG_ENOUGH));
    });
    sched::sleep(Duration::from_millis(5));
    // SAFETY: the event is initialized.
    unsafe { set_event(event as *mut KEVENT) };
    thread.join();
}

#[test]
fn a_mutex_is_recursive_and_excludes_others() {
    let mutex = place::<Mutant>();
    // SAFETY: the memory was just allocated for a mutex.
    unsafe { KeInitializeMutex(mutex, 0) };
    assert!(waits(mutex, SHORT) && waits(mutex, SHORT));
    let address = mutex as usize;
    sched::spawn("other", move || {
        assert!(!waits(address as *mut Mutant, SHORT))
    })
    .join();
    for state in [-1, 0] {
        // SAFETY: the mutex is initialized and held twice.
        let before = unsafe { KeReleaseMutex(mutex, 0) };
        assert_eq!(before, state);
    }
    sched::spawn("other", move || {
        assert!(waits(address as *mut Mutant, SHORT))
    })
    .join();
}

#[test]
fn a_semaphore_lets_as_many_pass_as_it_counts() {
    let semaphore = place::<Semaphore>();
    // SAFETY: the memory was just allocated for a semaphore.
    unsafe { KeInitializeSemaphore(semaphore, 1, 3) };
    assert!(waits(semaphore, SHORT) && !waits(semaphore, SHORT));
    // SAFETY: the semaphore is initialized.
    assert_eq!(unsafe { KeReleaseSemaphore(semaphore, 0, 2, 0) }, 0);
    assert!(waits(semaphore, SHORT) && waits(semaphore, SHORT) && !waits(semaphore, SHORT));
}

#[test]
fn waiting_for_any_takes_one_and_for_all_takes_all() {
    let first = event(Kind::SynchronizationEvent, false);
    let second = event(Kind::SynchronizationEvent, true);
    let objects = [first.cast(), second.cast()];
    // SAFETY: both objects are initialized.
    assert_eq!(unsafe { wait_for(&objects, false, SHORT) }, Some(1));
    // SAFETY: as above.
    unsafe { set_event(second) };
    // SAFETY: as above.
    assert_eq!(unsafe { wait_for(&objects, true, SHORT) }, None);
    // SAFETY: as above.
    unsafe { set_event(first) };
    // SAFETY: as above.
    assert_eq!(unsafe { wait_for(&objects, true, SHORT) }, Some(0));
    assert!(!waits(first, SHORT) && !waits(second, SHORT));
}

#[test]
fn waiting_at_dispatch_level_breaks_the_wait_rule() {
    assert_broken(&rules::WAIT_AT_DISPATCH, &["DISPATCH_LEVEL"], || {
        let event = event(Kind::NotificationEvent, true);
        irql::set(Irql::DISPATCH);
        waits(event, None)
    });
}

#[test]
fn polling_at_dispatch_level_is_allowed() {
    let event = event(Kind::NotificationEvent, true);
    assert!(irql::at(Irql::DISPATCH, || waits(
        event,
        Some(Duration::ZERO)
    )));
}

#[test]
fn an_event_that_was_moved_breaks_the_initialization_rule() {
    assert_broken(
        &rules::OBJECT_NOT_INITIALIZED,
        &["was moved after it was"],
        || {
            let event = event(Kind::NotificationEvent, true);
            // SAFETY: the event is initialized; a copy of it elsewhere is what the rule forbids.
            let mut moved = unsafe { event.read() };
            // SAFETY: the memory is that of an event, if not an initialized one.
            unsafe { set_event(&raw mut moved) }
        },
    );
}

#[test]
fn releasing_a_mutex_that_nobody_holds_breaks_the_mutex_rule() {
    assert_broken(&rules::MUTEX_NOT_OWNED, &["no thread holds it"], || {
        let mutex = place::<Mutant>();
        // SAFETY: the memory was just allocated for a mutex.
        unsafe { KeInitializeMutex(mutex, 0) };
        // SAFETY: the mutex is initialized.
        unsafe { KeReleaseMutex(mutex, 0) }
    });
}

#[test]
fn two_orders_of_a_mutex_and_another_break_the_rule() {
    assert_broken(
        &rules::SPIN_LOCK_DEADLOCK,
        &["held mutex", "waited for mutex"],
        || {
            let mutexes = [place::<Mutant>(), place::<Mutant>()];
            for mutex in mutexes {
                // SAFETY: the memory was just allocated for a mutex.
                unsafe { KeInitializeMutex(mutex, 0) };
            }
            for order in [[0, 1], [1, 0]] {
                for index in order {
                    waits(mutexes[index], None);
                }
                for index in order {
                    // SAFETY: the mutex was initialized above, and this thread holds it.
                    unsafe { KeReleaseMutex(mutexes[index], 0) };
                }
            }
        },
    );
}
