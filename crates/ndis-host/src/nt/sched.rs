//! Threads, and every way to wait: the one place of the host that starts a thread or blocks one.
//!
//! Here threads are the system's. A seeded scheduler can take this module's place, because nothing
//! else in the host waits, sleeps, reads a clock for a time-out, or starts a thread. It gets control
//! at [`yield_point`], which every call between driver and host passes.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Starts a thread that runs `f`. The name shows in reports.
pub fn spawn(name: impl Into<String>, f: impl FnOnce() + Send + 'static) -> Thread {
    let name = name.into();
    let ended = Signal::new();
    let end = ended.clone();
    std::thread::Builder::new()
        .name(name.clone())
        .spawn(move || {
            prepare_thread();
            SPAWNED.lock().insert(current_id(), current_name());
            f();
            leave_thread();
            end.set();
        })
        .unwrap_or_else(|error| panic!("cannot start the thread {name}: {error}"));
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

/// A manual-reset event of the host: set until cleared, and whoever waits goes on.
#[derive(Clone, Debug, Default)]
pub struct Signal(Arc<Monitor<bool>>);

impl Signal {
    /// A signal that is not set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the signal.
    pub fn set(&self) {
        *self.0.lock() = true;
        self.0.notify_all();
    }

    /// Takes the signal back.
    pub fn clear(&self) {
        *self.0.lock() = false;
    }

    /// Whether it is set.
    #[must_use]
    pub fn is_set(&self) -> bool {
        *self.0.lock()
    }

    /// Waits until the signal is set, at most for `timeout`; answers whether it is set.
    pub fn wait(&self, timeout: Option<Duration>) -> bool {
        self.0
            .wait_until(timeout, |set| set.then_some(()))
            .is_some()
    }
}

/// A value behind a lock of the host, and a place to wait for the value to change.
///
/// Not to be held while driver code runs: [`callback`](crate::call::callback) panics if it is.
#[derive(Debug, Default)]
pub struct Monitor<T> {
    value: Mutex<T>,
    changed: Condvar,
}

impl<T> Monitor<T> {
    /// A monitor around `value`.
    pub const fn new(value: T) -> Self {
        Self {
            value: Mutex::new(value),
            changed: Condvar::new(),
        }
    }

    /// Takes the lock.
    pub fn lock(&self) -> Guard<'_, T> {
        let value = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        count_lock(1);
        Guard { value: Some(value) }
    }

    /// Takes the lock if nobody has it: for reports, which must not wait.
    pub fn try_lock(&self) -> Option<Guard<'_, T>> {
        let value = self.value.try_lock().ok()?;
        count_lock(1);
        Some(Guard { value: Some(value) })
    }

    /// Wakes all that wait for a change.
    pub fn notify_all(&self) {
        self.changed.notify_all();
    }

    /// Waits, at most for `timeout`, until `look` at the value answers with something, and returns
    /// that. `look` runs with the lock held, at once and after each [`notify_all`](Self::notify_all).
    pub fn wait_until<R>(
        &self,
        timeout: Option<Duration>,
        mut look: impl FnMut(&mut T) -> Option<R>,
    ) -> Option<R> {
        let deadline = timeout.map(|timeout| Instant::now() + timeout);
        let mut value = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(result) = look(&mut value) {
                return Some(result);
            }
            assert_eq!(locks_held(), 0, "the host waits while it holds a lock");
            value = match deadline {
                None => self
                    .changed
                    .wait(value)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.checked_duration_since(Instant::now())?;
                    self.changed
                        .wait_timeout(value, left)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
            };
        }
    }
}

/// The lock of a [`Monitor`], held.
#[derive(Debug)]
pub struct Guard<'a, T> {
    /// Always there until dropped.
    value: Option<MutexGuard<'a, T>>,
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().expect("a guard holds its lock")
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("a guard holds its lock")
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        self.value = None;
        count_lock(-1);
    }
}

/// A wait for another thread to let go of a spin lock: call it each time round the loop.
#[derive(Debug, Default)]
pub struct Spin {
    rounds: u32,
    since: Option<Instant>,
}

impl Spin {
    /// Lets others run for a moment; answers how long this has been going on.
    pub fn once(&mut self) -> Duration {
        let since = *self.since.get_or_insert_with(Instant::now);
        self.rounds += 1;
        if self.rounds < 64 {
            std::hint::spin_loop();
        } else {
            std::thread::yield_now();
        }
        since.elapsed()
    }
}

/// Suspends this thread.
pub fn sleep(time: Duration) {
    assert_eq!(locks_held(), 0, "the host sleeps while it holds a lock");
    std::thread::sleep(time);
}

/// Time since the host started, never going back.
#[must_use]
pub fn now() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// A point at which another thread may run in place of this one.
pub fn yield_point() {}

/// How many locks of the host this thread holds.
#[must_use]
pub fn locks_held() -> i32 {
    LOCKS.try_with(Cell::get).unwrap_or(0)
}

/// A number for this thread, from 1, never used again: who holds a driver's lock.
#[must_use]
pub fn current_id() -> u64 {
    ID.with(|id| *id)
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
pub fn prepare_thread() {
    if PREPARED.replace(true) {
        return;
    }
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

fn count_lock(change: i32) {
    // A thread that is ending has no count any more, and runs no driver code either.
    let _ = LOCKS.try_with(|locks| locks.set(locks.get() + change));
}

/// The threads that run driver code, by number.
static NAMES: Monitor<BTreeMap<u64, String>> = Monitor::new(BTreeMap::new());
/// The threads that the host started.
static SPAWNED: Monitor<BTreeMap<u64, String>> = Monitor::new(BTreeMap::new());
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

thread_local! {
    static LOCKS: Cell<i32> = const { Cell::new(0) };
    static PREPARED: Cell<bool> = const { Cell::new(false) };
    static ID: u64 = NEXT_ID.fetch_add(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_wakes_who_waits() {
        let signal = Signal::new();
        let other = signal.clone();
        let thread = spawn("setter", move || {
            sleep(Duration::from_millis(5));
            other.set();
        });
        assert!(signal.wait(Some(Duration::from_secs(10))));
        thread.join();
        assert!(thread.has_ended());
    }

    #[test]
    fn a_wait_ends_with_its_time() {
        assert!(!Signal::new().wait(Some(Duration::from_millis(1))));
    }

    #[test]
    fn locks_of_the_host_are_counted_per_thread() {
        let monitor = Monitor::new(0);
        let guard = monitor.lock();
        assert_eq!(locks_held(), 1);
        assert!(monitor.try_lock().is_none());
        drop(guard);
        assert_eq!(locks_held(), 0);
    }

    #[test]
    #[should_panic(expected = "waits while it holds a lock")]
    fn waiting_with_a_lock_held_is_a_fault_of_the_host() {
        let monitor = Monitor::new(());
        let _guard = monitor.lock();
        Signal::new().wait(Some(Duration::from_millis(1)));
    }
}
