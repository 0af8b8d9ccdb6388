//! Spin locks: what they exclude, and each way of using them wrongly.

use super::*;
use crate::rules::testing::assert_broken;

#[test]
fn acquire_raises_and_release_restores() {
    let mut lock: KSPIN_LOCK = 0;
    // SAFETY: `lock` lives until the end of the test.
    let old = unsafe { acquire(&raw mut lock) };
    assert_eq!((old, irql::current()), (Irql::PASSIVE, Irql::DISPATCH));
    assert_eq!(held_by_this_thread(), 1);
    // SAFETY: as above.
    unsafe { release(&raw mut lock, old) };
    assert_eq!((irql::current(), lock), (Irql::PASSIVE, 0));
}

#[test]
fn a_lock_excludes_other_threads() {
    let lock = Box::leak(Box::new(0_usize));
    let counter = Box::leak(Box::new(0_u32));
    let (lock, counter) = (&raw mut *lock as usize, &raw mut *counter as usize);
    let threads: Vec<_> = (0..4)
        .map(|index| {
            sched::spawn(format!("counter {index}"), move || {
                for _ in 0..1000 {
                    // SAFETY: both were leaked, so they live for ever.
                    let old = unsafe { acquire(lock as *mut KSPIN_LOCK) };
                    let counter = counter as *mut u32;
                    // SAFETY: the lock is held, so no other thread touches the counter.
                    unsafe { *counter += 1 };
                    // SAFETY: as above.
                    unsafe { release(lock as *mut KSPIN_LOCK, old) };
                }
            })
        })
        .collect();
    threads.iter().for_each(sched::Thread::join);
    // SAFETY: all threads have ended.
    assert_eq!(unsafe { *(counter as *const u32) }, 4000);
}

#[test]
fn recursion_breaks_spin_lock_already_owned() {
    assert_broken(
        &rules::SPIN_LOCK_ALREADY_OWNED,
        &["holds spin lock"],
        || {
            let mut lock: KSPIN_LOCK = 0;
            // SAFETY: `lock` outlives both calls.
            unsafe { acquire(&raw mut lock) };
            // SAFETY: as above.
            unsafe { acquire(&raw mut lock) };
        },
    );
}

#[test]
fn releasing_a_free_lock_breaks_spinlock_release() {
    assert_broken(&rules::SPINLOCK_RELEASE, &["nobody holds it"], || {
        irql::set(Irql::DISPATCH);
        let mut lock: KSPIN_LOCK = 0;
        // SAFETY: `lock` outlives the call.
        unsafe { release(&raw mut lock, Irql::PASSIVE) };
    });
}

#[test]
fn releasing_anothers_lock_breaks_spin_lock_not_owned() {
    assert_broken(
        &rules::SPIN_LOCK_NOT_OWNED,
        &["\"holder\" holds it"],
        || {
            let lock = Box::leak(Box::new(0_usize));
            let address = &raw mut *lock as usize;
            let taken = sched::Signal::new();
            let set = taken.clone();
            sched::spawn("holder", move || {
                // SAFETY: the lock was leaked, so it lives for ever.
                unsafe { acquire(address as *mut KSPIN_LOCK) };
                set.set();
                sched::sleep(Duration::from_secs(60));
            });
            taken.wait(None);
            irql::set(Irql::DISPATCH);
            // SAFETY: as above.
            unsafe { release_from_dispatch(address as *mut KSPIN_LOCK) };
        },
    );
}

#[test]
fn releasing_to_another_irql_breaks_irql_ke_release_spin_lock() {
    assert_broken(
        &rules::IRQL_KE_RELEASE_SPIN_LOCK,
        &["released to DISPATCH_LEVEL, but was acquired at PASSIVE_LEVEL"],
        || {
            let mut lock: KSPIN_LOCK = 0;
            // SAFETY: `lock` outlives both calls.
            unsafe { acquire(&raw mut lock) };
            // SAFETY: as above.
            unsafe { release(&raw mut lock, Irql::DISPATCH) };
        },
    );
}

#[test]
fn memory_that_was_never_a_lock_breaks_spin_lock_init_failure() {
    assert_broken(&rules::SPIN_LOCK_INIT_FAILURE, &["0xcdcdcdcd"], || {
        let mut lock: KSPIN_LOCK = 0xcdcd_cdcd;
        // SAFETY: `lock` outlives the call.
        unsafe { acquire(&raw mut lock) };
    });
}

#[test]
fn returning_with_a_lock_breaks_spin_lock() {
    assert_broken(&rules::SPIN_LOCK, &["MiniportPause returned with"], || {
        let mut lock: KSPIN_LOCK = 0;
        call::callback("MiniportPause", Irql::PASSIVE..=Irql::PASSIVE, || {
            // SAFETY: `lock` outlives the call.
            let old = unsafe { acquire(&raw mut lock) };
            irql::set(old);
        });
    });
}

#[test]
fn returning_with_a_lock_of_dispatch_level_breaks_spin_lock_dpr() {
    let parts = ["MiniportSendNetBufferLists returned with"];
    assert_broken(&rules::SPIN_LOCK_DPR, &parts, || {
        irql::set(Irql::DISPATCH);
        let mut lock: KSPIN_LOCK = 0;
        let name = "MiniportSendNetBufferLists";
        call::callback(name, Irql::PASSIVE..=Irql::DISPATCH, || {
            // SAFETY: `lock` outlives the call.
            unsafe { acquire_at_dispatch(&raw mut lock) };
        });
    });
}

#[test]
fn a_dpc_that_keeps_a_lock_breaks_spin_lock_balanced() {
    assert_broken(
        &rules::SPIN_LOCK_BALANCED,
        &["DPC routine returned with"],
        || {
            irql::set(Irql::DISPATCH);
            let mut lock: KSPIN_LOCK = 0;
            call::callback("DPC routine", Irql::DISPATCH..=Irql::DISPATCH, || {
                // SAFETY: `lock` outlives the call.
                unsafe { acquire_at_dispatch(&raw mut lock) };
            });
        },
    );
}

#[test]
fn two_orders_of_two_locks_break_the_rule_before_any_thread_waits() {
    let parts = ["held spin lock", "and waited for spin lock", "\"other\""];
    assert_broken(&rules::SPIN_LOCK_DEADLOCK, &parts, || {
        let locks = Box::leak(Box::new([0_usize; 2]));
        let [first, second] = [&raw mut locks[0] as usize, &raw mut locks[1] as usize];
        let both = |one: usize, two: usize| {
            // SAFETY: the locks were leaked, so they live for ever.
            let old = unsafe { acquire(one as *mut KSPIN_LOCK) };
            // SAFETY: as above.
            unsafe { acquire_at_dispatch(two as *mut KSPIN_LOCK) };
            // SAFETY: as above.
            unsafe { release_from_dispatch(two as *mut KSPIN_LOCK) };
            // SAFETY: as above.
            unsafe { release(one as *mut KSPIN_LOCK, old) };
        };
        sched::spawn("other", move || both(first, second)).join();
        both(second, first);
    });
}
