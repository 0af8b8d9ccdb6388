//! Timers: the driver's KTIMERs, and the clock that they and NDIS's timers run on.
//!
//! One thread waits for the next one that is due and hands it to the DPC queue, so that what a timer
//! does runs at DISPATCH_LEVEL.

use std::collections::BTreeMap;
use std::time::Duration;

use ndis_sys::nt::{BOOLEAN, KDPC, KTIMER, LARGE_INTEGER, LONG};

use super::dispatcher::{self, Kind};
use super::sched::{self, Monitor};
use super::{dpc, time};
use crate::ddi;

/// A timer that [`after`] set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id {
    due: Duration,
    number: u64,
}

/// Runs `f` on the DPC queue, at DISPATCH_LEVEL, after `delay`.
pub fn after(delay: Duration, f: impl FnOnce() + Send + 'static) -> Id {
    let mut clock = CLOCK.lock();
    clock.last += 1;
    let id = Id {
        due: sched::now() + delay,
        number: clock.last,
    };
    clock.waiting.insert(id, Box::new(f));
    if !clock.is_running {
        clock.is_running = true;
        sched::spawn_service("timers", run);
    }
    drop(clock);
    CLOCK.notify_all();
    id
}

/// Takes a timer back; answers whether it had not come due yet. If it had, its function may still be
/// running or be about to: [`dpc::flush`] waits for it.
pub fn cancel(id: Id) -> bool {
    CLOCK.lock().waiting.remove(&id).is_some()
}

/// A driver's timer that is set and lies in that memory.
#[must_use]
pub fn set_within(memory: std::ops::Range<usize>) -> Option<usize> {
    let timers = TIMERS.lock();
    timers.range(memory).next().map(|(address, _)| *address)
}

ddi! { "ntoskrnl.exe":
    /// Makes a notification timer (`nf-wdm-keinitializetimer.md`).
    [PASSIVE..=DISPATCH, unchecked] fn KeInitializeTimer(timer: *mut KTIMER) {
        // SAFETY: the driver gives the storage of a timer (the function's document).
        unsafe { initialize(timer, Kind::NotificationTimer) };
    }

    /// Makes a timer; type 0 is a notification timer (`nf-wdm-keinitializetimerex.md`).
    [PASSIVE..=DISPATCH, unchecked] fn KeInitializeTimerEx(timer: *mut KTIMER, kind: i32) {
        let kind = if kind == 0 { Kind::NotificationTimer } else { Kind::SynchronizationTimer };
        // SAFETY: the driver gives the storage of a timer (the function's document).
        unsafe { initialize(timer, kind) };
    }

    /// Sets a timer; returns whether it was set (`nf-wdm-kesettimer.md`).
    [PASSIVE..=DISPATCH, unchecked] fn KeSetTimer(timer: *mut KTIMER, due: LARGE_INTEGER, dpc: *mut KDPC) -> BOOLEAN {
        // SAFETY: the driver gives a timer and, if any, a DPC (the function's document).
        BOOLEAN::from(unsafe { set(timer, due, 0, dpc) })
    }

    /// Sets a timer that comes again each `period` milliseconds; returns whether it was set
    /// (`nf-wdm-kesettimerex.md`).
    [PASSIVE..=DISPATCH, unchecked] fn KeSetTimerEx(
        timer: *mut KTIMER,
        due: LARGE_INTEGER,
        period: LONG,
        dpc: *mut KDPC,
    ) -> BOOLEAN {
        // SAFETY: the driver gives a timer and, if any, a DPC (the function's document).
        BOOLEAN::from(unsafe { set(timer, due, period, dpc) })
    }

    /// Takes a timer back; returns whether it was set (`nf-wdm-kecanceltimer.md`).
    [PASSIVE..=DISPATCH, unchecked] fn KeCancelTimer(timer: *mut KTIMER) -> BOOLEAN {
        let set = TIMERS.lock().remove(&(timer as usize));
        let Some(set) = set else { return 0 };
        cancel(set.id);
        1
    }

    /// Whether a timer is signaled (`nf-wdm-kereadstatetimer.md`).
    [PASSIVE..=DISPATCH, unchecked] fn KeReadStateTimer(timer: *mut KTIMER) -> BOOLEAN {
        // SAFETY: the driver gives a timer (the function's document).
        let state = unsafe { dispatcher::change(timer.cast(), "the timer", |state| *state) };
        BOOLEAN::from(state != 0)
    }
}

type Action = Box<dyn FnOnce() + Send>;

struct Clock {
    waiting: BTreeMap<Id, Action>,
    last: u64,
    is_running: bool,
}

/// A driver's timer that is set.
#[derive(Clone, Copy)]
struct Set {
    id: Id,
    dpc: usize,
    period: Duration,
}

fn run() {
    loop {
        let first = CLOCK.lock().waiting.keys().next().copied();
        let wait = first.map(|id| id.due.saturating_sub(sched::now()));
        // The wait ends when one is due, and when another one than `first` has become the first.
        let due = CLOCK.wait_until(wait, |clock| match clock.waiting.first_entry() {
            Some(entry) if entry.key().due <= sched::now() => Some(Some(entry.remove())),
            Some(entry) if Some(*entry.key()) != first => Some(None),
            Some(_) => None,
            None => first.map(|_| None),
        });
        if let Some(Some(action)) = due {
            dpc::queue(action);
        }
    }
}

/// # Safety
/// `timer` is memory for a KTIMER.
unsafe fn initialize(timer: *mut KTIMER, kind: Kind) {
    // SAFETY: the caller's own promise.
    unsafe { timer.write(KTIMER::zeroed()) };
    // SAFETY: a KTIMER begins with its header.
    unsafe { dispatcher::initialize(timer.cast(), kind, 0) };
}

/// # Safety
/// `timer` points to a KTIMER and `dpc` to a KDPC or nothing; both stay while the timer is set.
unsafe fn set(timer: *mut KTIMER, due: i64, period: i32, dpc: *mut KDPC) -> bool {
    // SAFETY: the caller's own promise.
    unsafe { dispatcher::change(timer.cast(), "the timer", |state| *state = 0) };
    let address = timer as usize;
    let mut timers = TIMERS.lock();
    let before = timers.remove(&address);
    if let Some(before) = before {
        cancel(before.id);
    }
    let set = Set {
        id: after(time::until(due) + sched::lateness(), move || fire(address)),
        dpc: dpc as usize,
        period: Duration::from_millis(u64::try_from(period).unwrap_or(0)),
    };
    timers.insert(address, set);
    before.is_some()
}

/// Runs on the DPC queue when the timer at `address` came due.
fn fire(address: usize) {
    let mut timers = TIMERS.lock();
    // It may have been cancelled, or set anew, between the clock and here.
    let Some(set) = timers
        .get(&address)
        .copied()
        .filter(|set| set.id.due <= sched::now())
    else {
        return;
    };
    if set.period.is_zero() {
        timers.remove(&address);
    } else {
        let id = after(set.period, move || fire(address));
        timers.insert(address, Set { id, ..set });
    }
    drop(timers);
    let timer = address as *mut KTIMER;
    // SAFETY: the timer was set until now, so the driver keeps it there.
    unsafe { dispatcher::change(timer.cast(), "the timer", |state| *state = 1) };
    if set.dpc != 0 {
        let dpc = set.dpc as *mut KDPC;
        // SAFETY: the driver gave the DPC with the timer and keeps it there.
        unsafe { dpc::insert(dpc, std::ptr::null_mut(), std::ptr::null_mut()) };
    }
}

static CLOCK: Monitor<Clock> = Monitor::new(Clock {
    waiting: BTreeMap::new(),
    last: 0,
    is_running: false,
});

/// The drivers' timers that are set, by address.
static TIMERS: Monitor<BTreeMap<usize, Set>> = Monitor::new(BTreeMap::new());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nt::irql::{self, Irql};

    fn timer() -> *mut KTIMER {
        let timer = Box::into_raw(Box::<KTIMER>::new_zeroed()).cast();
        // SAFETY: the memory was just allocated for a timer.
        unsafe { KeInitializeTimerEx(timer, 1) };
        timer
    }

    fn waits(timer: *mut KTIMER, milliseconds: u64) -> bool {
        let time = Some(Duration::from_millis(milliseconds));
        // SAFETY: the tests' timers are initialized and stay.
        unsafe { dispatcher::wait(timer.cast(), time) }
    }

    #[test]
    fn actions_run_at_dispatch_level_in_the_order_they_are_due() {
        let order = std::sync::Arc::new(Monitor::new(Vec::new()));
        for delay in [200, 50, 100] {
            let order = order.clone();
            after(Duration::from_millis(delay), move || {
                assert_eq!(irql::current(), Irql::DISPATCH);
                order.lock().push(delay);
                order.notify_all();
            });
        }
        let all = order.wait_until(Some(Duration::from_secs(10)), |order| {
            (order.len() == 3).then(|| order.clone())
        });
        assert_eq!(all, Some(vec![50, 100, 200]));
    }

    #[test]
    fn a_cancelled_action_does_not_run() {
        let ran = sched::Signal::new();
        let set = ran.clone();
        let id = after(Duration::from_millis(30), move || set.set());
        assert!(cancel(id));
        assert!(!cancel(id));
        assert!(!ran.wait(Some(Duration::from_millis(60))));
    }

    #[test]
    fn a_timer_is_signaled_when_due_and_not_when_cancelled() {
        let timer = timer();
        let null = std::ptr::null_mut();
        // SAFETY: the timer is initialized and stays.
        assert_eq!(unsafe { KeSetTimer(timer, -50_000, null) }, 0);
        assert!(set_within(timer as usize..timer as usize + 1).is_some());
        assert!(waits(timer, 10_000));
        // SAFETY: as above.
        assert_eq!(unsafe { KeSetTimer(timer, -500_000, null) }, 0);
        // SAFETY: as above.
        assert_eq!(unsafe { KeCancelTimer(timer) }, 1);
        assert!(!waits(timer, 80));
        assert!(set_within(timer as usize..timer as usize + 1).is_none());
    }

    #[test]
    fn a_periodic_timer_comes_again() {
        let timer = timer();
        // SAFETY: the timer is initialized and stays.
        unsafe { KeSetTimerEx(timer, -10_000, 5, std::ptr::null_mut()) };
        assert!((0..3).all(|_| waits(timer, 10_000)));
        // SAFETY: as above.
        assert_eq!(unsafe { KeCancelTimer(timer) }, 1);
    }
}
