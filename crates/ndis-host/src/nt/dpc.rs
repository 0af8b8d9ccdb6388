//! Deferred procedure calls: one queue and one thread, which runs them at DISPATCH_LEVEL in order. In a
//! seeded run they come in any order, as from the queues of several processors.
//!
//! The host's own work at DISPATCH_LEVEL, timers' functions among it, goes through the same queue
//! ([`queue`]).

use std::collections::VecDeque;
use std::ffi::c_void;

use ndis_sys::nt::{BOOLEAN, KDPC, NTSTATUS, PKDEFERRED_ROUTINE, PVOID, UCHAR};

use super::irql::{self, Irql};
use super::sched::{self, Monitor};
use crate::call;
use crate::ddi;
use crate::rules;

/// Runs `f` at DISPATCH_LEVEL on the thread of the queue, after what is queued already.
pub fn queue(f: impl FnOnce() + Send + 'static) {
    push(Work::Host(Box::new(f)));
}

/// Waits until all that was queued has run. Not to be called from the queue's own thread.
pub fn flush() {
    let target = QUEUE.lock().pushed;
    QUEUE.wait_until(None, |queue| {
        let before = |number: u64| number <= target;
        let waits = queue.work.iter().any(|(number, _)| before(*number));
        (!waits && !queue.runs.is_some_and(before)).then_some(())
    });
}

/// Queues a driver's DPC; answers false if it is queued already.
///
/// # Safety
/// `dpc` points to a KDPC, which stays there until it has run or is removed.
pub unsafe fn insert(dpc: *mut KDPC, first: PVOID, second: PVOID) -> bool {
    // SAFETY: the caller's own promise.
    unsafe { check_initialized(dpc) };
    let mut queue = QUEUE.lock();
    // SAFETY: the caller's own promise; the lock makes the access exclusive.
    let content = unsafe { &mut *dpc };
    if !content.DpcData.is_null() {
        return false;
    }
    content.DpcData = dpc.cast();
    content.SystemArgument1 = first;
    content.SystemArgument2 = second;
    queue.push(Work::Driver(dpc as usize));
    drop(queue);
    QUEUE.notify_all();
    true
}

ddi! { "ntoskrnl.exe":
    /// Makes a DPC (`nf-wdm-keinitializedpc.md`).
    [PASSIVE..=HIGH] fn KeInitializeDpc(
        dpc: *mut KDPC,
        routine: PKDEFERRED_ROUTINE,
        context: PVOID,
    ) {
        let content = KDPC {
            Type: DPC_OBJECT,
            Importance: MEDIUM_IMPORTANCE,
            DeferredRoutine: routine,
            DeferredContext: context,
            ..KDPC::zeroed()
        };
        // SAFETY: the driver gives the storage of a DPC (the function's document).
        unsafe { dpc.write(content) };
    }

    /// Queues a DPC; returns whether it was not queued before (`nf-wdm-keinsertqueuedpc.md`).
    [PASSIVE..=HIGH] fn KeInsertQueueDpc(dpc: *mut KDPC, first: PVOID, second: PVOID) -> BOOLEAN {
        // SAFETY: the driver gives a DPC (the function's document).
        BOOLEAN::from(unsafe { insert(dpc, first, second) })
    }

    /// Removes a DPC from the queue; returns whether it was there (`nf-wdm-keremovequeuedpc.md`).
    [PASSIVE..=HIGH] fn KeRemoveQueueDpc(dpc: *mut KDPC) -> BOOLEAN {
        // SAFETY: the driver gives a DPC (the function's document).
        unsafe { check_initialized(dpc) };
        let mut queue = QUEUE.lock();
        let is_it = |(_, work): &(u64, Work)| matches!(work, Work::Driver(address) if *address == dpc as usize);
        let Some(index) = queue.work.iter().position(is_it) else {
            return 0;
        };
        queue.work.remove(index);
        // SAFETY: the driver gives a DPC (the function's document); the lock makes this exclusive.
        unsafe { (*dpc).DpcData = std::ptr::null_mut() };
        drop(queue);
        QUEUE.notify_all();
        1
    }

    /// Sets a DPC's importance (`nf-wdm-kesetimportancedpc.md`). All are equal here.
    [PASSIVE..=HIGH, unchecked] fn KeSetImportanceDpc(dpc: *mut KDPC, importance: i32) {
        // SAFETY: the driver gives a DPC (the function's document).
        unsafe { (*dpc).Importance = importance as UCHAR };
    }

    /// Chooses a DPC's processor (`nf-wdm-kesettargetprocessordpc.md`). One runs all of them here.
    [PASSIVE..=HIGH, unchecked] fn KeSetTargetProcessorDpc(dpc: *mut KDPC, number: i8) {
        // SAFETY: the driver gives a DPC (the function's document).
        unsafe { (*dpc).Number = number as u16 };
    }

    /// Chooses a DPC's processor (`nf-wdm-kesettargetprocessordpcex.md`). STATUS_SUCCESS.
    [PASSIVE..=HIGH, unchecked] fn KeSetTargetProcessorDpcEx(dpc: *mut KDPC, _number: *mut c_void) -> NTSTATUS {
        // SAFETY: the driver gives a DPC (the function's document).
        unsafe { check_initialized(dpc) };
        0
    }

    /// Waits until every DPC that is queued has run (`nf-wdm-keflushqueueddpcs.md`).
    [PASSIVE..=PASSIVE] fn KeFlushQueuedDpcs() {
        flush();
    }
}

enum Work {
    /// A driver's KDPC, by address.
    Driver(usize),
    Host(Box<dyn FnOnce() + Send>),
}

struct Queue {
    /// What waits, by number in the order of queueing.
    work: VecDeque<(u64, Work)>,
    pushed: u64,
    /// The number of what runs now.
    runs: Option<u64>,
    is_running: bool,
}

impl Queue {
    fn push(&mut self, work: Work) {
        self.pushed += 1;
        self.work.push_back((self.pushed, work));
        if !self.is_running {
            self.is_running = true;
            sched::spawn_service("dpc", run);
        }
    }
}

fn push(work: Work) {
    QUEUE.lock().push(work);
    QUEUE.notify_all();
}

fn run() {
    loop {
        let work = QUEUE.wait_until(None, |queue| {
            let next = sched::choose(queue.work.len() as u32) as usize;
            let (number, work) = queue.work.remove(next)?;
            queue.runs = Some(number);
            Some(work)
        });
        match work {
            Some(Work::Host(f)) => irql::at(Irql::DISPATCH, f),
            Some(Work::Driver(dpc)) => run_driver(dpc as *mut KDPC),
            None => {}
        }
        QUEUE.lock().runs = None;
        QUEUE.notify_all();
    }
}

fn run_driver(dpc: *mut KDPC) {
    let lock = QUEUE.lock();
    // SAFETY: the DPC was queued, so the driver keeps it there until it runs, which is now.
    let content = unsafe { dpc.read() };
    // SAFETY: as above; from here on the driver may queue it again.
    unsafe { (*dpc).DpcData = std::ptr::null_mut() };
    drop(lock);
    let Some(routine) = content.DeferredRoutine else {
        rules::broken(
            &rules::OBJECT_NOT_INITIALIZED,
            format_args!("the DPC {dpc:p} has no routine"),
        );
    };
    rules::held(&rules::OBJECT_NOT_INITIALIZED);
    irql::at(Irql::DISPATCH, || {
        call::callback("CustomDpc", Irql::DISPATCH..=Irql::DISPATCH, || {
            // SAFETY: the driver initialized the DPC with this routine and these arguments.
            unsafe {
                routine(
                    dpc,
                    content.DeferredContext,
                    content.SystemArgument1,
                    content.SystemArgument2,
                );
            }
        });
    });
}

/// # Safety
/// `dpc` points to memory of a KDPC's size.
unsafe fn check_initialized(dpc: *mut KDPC) {
    // SAFETY: the caller's own promise.
    let type_ = unsafe { (*dpc).Type };
    if type_ != DPC_OBJECT {
        rules::broken(
            &rules::OBJECT_NOT_INITIALIZED,
            format_args!("the DPC {dpc:p} was never initialized (type {type_})"),
        );
    }
    rules::held(&rules::OBJECT_NOT_INITIALIZED);
}

const DPC_OBJECT: UCHAR = 19;
const MEDIUM_IMPORTANCE: UCHAR = 1;

static QUEUE: Monitor<Queue> = Monitor::new(Queue {
    work: VecDeque::new(),
    pushed: 0,
    runs: None,
    is_running: false,
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::assert_broken;

    unsafe extern "efiapi" fn count(dpc: *mut KDPC, context: PVOID, first: PVOID, second: PVOID) {
        assert_eq!((first as usize, second as usize), (1, 2));
        assert!(!dpc.is_null());
        assert_eq!(irql::current(), Irql::DISPATCH);
        // SAFETY: the tests give a counter that stays, and look at it after a flush.
        unsafe { *context.cast::<u32>() += 1 };
    }

    fn dpc() -> (*mut KDPC, *mut u32) {
        let dpc = Box::into_raw(Box::<KDPC>::new_zeroed()).cast();
        let counter = Box::into_raw(Box::new(0_u32));
        // SAFETY: the memory was just allocated for a DPC.
        unsafe { KeInitializeDpc(dpc, Some(count), counter.cast()) };
        (dpc, counter)
    }

    #[test]
    fn a_dpc_runs_once_at_dispatch_level_with_its_arguments() {
        let (dpc, counter) = dpc();
        // SAFETY: the DPC is initialized and stays.
        assert!(unsafe { insert(dpc, 1 as PVOID, 2 as PVOID) });
        flush();
        // SAFETY: the DPC has run.
        assert_eq!(unsafe { *counter }, 1);
        // SAFETY: as above; it can be queued again.
        assert!(unsafe { insert(dpc, 1 as PVOID, 2 as PVOID) });
        flush();
        // SAFETY: the DPC has run.
        assert_eq!(unsafe { *counter }, 2);
    }

    #[test]
    fn a_queued_dpc_is_not_queued_again_and_can_be_removed() {
        let (dpc, counter) = dpc();
        let (started, go_on) = (sched::Signal::new(), sched::Signal::new());
        let (start, wait) = (started.clone(), go_on.clone());
        queue(move || {
            start.set();
            wait.wait(None);
        });
        started.wait(None);
        // SAFETY: the DPC is initialized and stays.
        assert!(unsafe { insert(dpc, 1 as PVOID, 2 as PVOID) });
        // SAFETY: as above.
        assert!(!unsafe { insert(dpc, 1 as PVOID, 2 as PVOID) });
        // SAFETY: as above.
        assert_eq!(unsafe { KeRemoveQueueDpc(dpc) }, 1);
        go_on.set();
        flush();
        // SAFETY: nothing runs any more.
        assert_eq!(unsafe { *counter }, 0);
    }

    #[test]
    fn queueing_memory_that_is_no_dpc_breaks_the_initialization_rule() {
        assert_broken(
            &rules::OBJECT_NOT_INITIALIZED,
            &["was never initialized"],
            || {
                let mut dpc = KDPC::zeroed();
                // SAFETY: the memory is that of a DPC; that it is none is found first.
                unsafe { insert(&raw mut dpc, std::ptr::null_mut(), std::ptr::null_mut()) }
            },
        );
    }
}
