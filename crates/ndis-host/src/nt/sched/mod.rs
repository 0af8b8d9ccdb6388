//! Threads, and every way to wait: the one place of the host that starts a thread or blocks one.
//!
//! Threads are the system's and run as they like, unless [`start_seeded`] was called: then one runs
//! at a time, and a seed says which ([`seeded`]). That works because nothing else in the host waits,
//! sleeps, reads a clock for a time-out, or starts a thread, and because every call between driver and
//! host passes [`yield_point`].

mod monitor;
pub mod seeded;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

pub use monitor::{Guard, Monitor, Signal};
pub use seeded::{
    NoSeed, Report, Seed, Strategy, choose, is_seeded, prepare_child, report, start as start_seeded,
};

/// Starts a thread that runs `f`. The name shows in reports.
pub fn spawn(name: impl Into<String>, f: impl FnOnce() + Send + 'static) -> Thread {
    start(name.into(), false, f)
}

/// Starts a thread that comes by every now and then for as long as the process lives, whether
/// anything happens or not. A seeded run in which only such threads do anything is stuck.
pub fn spawn_service(name: impl Into<String>, f: impl FnOnce() + Send + 'static) -> Thread {
    start(name.into(), true, f)
}

fn start(name: String, service: bool, f: impl FnOnce() + Send + 'static) -> Thread {
    let ended = Signal::new();
    let end = ended.clone();
    let id = next_id();
    let starting = seeded::Starting::new(id, &name, service);
    let under = starting.clone();
    let handle = std::thread::Builder::new()
        .name(name.clone())
        .spawn(move || {
            ID.set(id);
            let _entered = under.map(|starting| starting.enter());
            prepare_thread();
            SPAWNED.lock().insert(id, current_name());
            f();
            leave_thread();
            end.set();
        })
        .unwrap_or_else(|error| panic!("cannot start the thread {name}: {error}"));
    if let Some(starting) = starting {
        starting.started(handle);
    }
    Thread { name, ended }
}

/// A thread that [`spawn`] started.
#[derive(Clone, Debug)]
pub struct Thread {
    name: String,
    ended: Signal,
}

impl Thread {
    /// Waits until the thread has ended.
    #[track_caller]
    pub fn join(&self) {
        self.ended.wait(None);
    }

    /// Whether the thread has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended.is_set()
    }

    /// The name that it was started under.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// A wait for another thread to let go of a spin lock: call it each time round the loop.
#[derive(Debug, Default)]
pub struct Spin {
    rounds: u32,
    since: Option<Duration>,
}

impl Spin {
    /// Lets others run for a moment; answers how long this has been going on.
    pub fn once(&mut self) -> Duration {
        let since = *self.since.get_or_insert_with(now);
        if let Some(now) = seeded::spin() {
            return now - since;
        }
        self.rounds += 1;
        if self.rounds < 64 {
            std::hint::spin_loop();
        } else {
            std::thread::yield_now();
        }
        now() - since
    }
}

/// Keeps this thread busy for that time.
pub fn stall(time: Duration) {
    if is_seeded() {
        sleep(time);
        return;
    }
    let mut spin = Spin::default();
    while spin.once() < time {}
}

/// Suspends this thread.
#[track_caller]
pub fn sleep(time: Duration) {
    assert_eq!(locks_held(), 0, "the host sleeps while it holds a lock");
    if is_seeded() {
        seeded::wait(NOTHING, Some(now() + time), Location::caller());
    } else {
        std::thread::sleep(time);
    }
}

/// In a seeded run, lets a drawn time pass, or none: for what may come late.
#[track_caller]
pub fn linger() {
    let late = lateness();
    if !late.is_zero() {
        sleep(late);
    }
}

/// In a seeded run, a drawn time that something may be late by; else none.
#[must_use]
pub fn lateness() -> Duration {
    const LATE: [u64; 4] = [0, 0, 1, 60];
    Duration::from_millis(LATE[choose(LATE.len() as u32) as usize])
}

/// Time since the host started, never going back.
#[must_use]
pub fn now() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    match seeded::now() {
        Some(now) => now,
        None => START.get_or_init(Instant::now).elapsed(),
    }
}

/// A point at which another thread may run in place of this one.
pub fn yield_point() {
    seeded::step();
}

/// How many locks of the host this thread holds.
#[must_use]
pub fn locks_held() -> i32 {
    LOCKS.try_with(Cell::get).unwrap_or(0)
}

/// A number for this thread, from 1, never used again: who holds a driver's lock.
#[must_use]
pub fn current_id() -> u64 {
    if ID.get() == 0 {
        ID.set(next_id());
    }
    ID.get()
}

/// The name of this thread.
#[must_use]
pub fn current_name() -> String {
    let thread = std::thread::current();
    thread
        .name()
        .map_or_else(|| format!("thread {}", current_id()), str::to_owned)
}

/// The name of the thread of that number, as long as it lives.
#[must_use]
pub fn name_of(id: u64) -> Option<String> {
    NAMES.try_lock()?.get(&id).cloned()
}

/// Makes this thread ready to run driver code. Costs little when it already is.
///
/// # Panics
/// In a seeded run, if the thread is not one of the run's.
pub fn prepare_thread() {
    if PREPARED.replace(true) {
        return;
    }
    seeded::check_member();
    NAMES.lock().insert(current_id(), current_name());
    crate::nt::fault::prepare_thread();
}

fn leave_thread() {
    crate::nt::spin_lock::check_none_kept("the thread's function", 0);
    NAMES.lock().remove(&current_id());
    SPAWNED.lock().remove(&current_id());
}

/// The names of the threads that [`spawn`] started and that have not ended.
#[must_use]
pub fn threads() -> Vec<String> {
    SPAWNED.lock().values().cloned().collect()
}

/// How many locks of the host this thread took so far.
#[must_use]
pub fn locks_taken() -> u64 {
    TAKEN.try_with(Cell::get).unwrap_or(0)
}

/// Notes that this thread takes a lock of the host, of one of the sorts that are no [`Monitor`].
pub(crate) fn note_lock() {
    // As in `count_lock`.
    let _ = TAKEN.try_with(|taken| taken.set(taken.get() + 1));
}

fn count_lock(change: i32) {
    // A thread that is ending has no count any more, and runs no driver code either.
    let _ = LOCKS.try_with(|locks| locks.set(locks.get() + change));
}

fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The address that a sleeping thread waits at; nothing is there to be notified.
const NOTHING: usize = 0;

/// The threads that run driver code, by number.
static NAMES: Monitor<BTreeMap<u64, String>> = Monitor::new(BTreeMap::new());
/// The threads that the host started.
static SPAWNED: Monitor<BTreeMap<u64, String>> = Monitor::new(BTreeMap::new());

thread_local! {
    static LOCKS: Cell<i32> = const { Cell::new(0) };
    static TAKEN: Cell<u64> = const { Cell::new(0) };
    static PREPARED: Cell<bool> = const { Cell::new(false) };
    static ID: Cell<u64> = const { Cell::new(0) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thread_has_a_number_and_a_name_while_it_lives() {
        let (here, there) = (Signal::new(), Signal::new());
        let (set, wait) = (here.clone(), there.clone());
        let thread = spawn("numbered", move || {
            assert_eq!(name_of(current_id()).as_deref(), Some("numbered"));
            set.set();
            wait.wait(None);
        });
        here.wait(None);
        assert!(threads().contains(&"numbered".to_owned()));
        there.set();
        thread.join();
        assert!(!threads().contains(&"numbered".to_owned()));
    }
}
