//! Values behind locks of the host, and waiting for them to change.

use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use super::{count_lock, locks_held, note_lock, seeded};

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
    #[track_caller]
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
    #[track_caller]
    pub fn lock(&self) -> Guard<'_, T> {
        let value = self.take();
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
        seeded::notify(self.address());
    }

    /// Waits, at most for `timeout`, until `look` at the value answers with something, and returns
    /// that. `look` runs with the lock held, at once and after each [`notify_all`](Self::notify_all).
    #[track_caller]
    pub fn wait_until<R>(
        &self,
        timeout: Option<Duration>,
        look: impl FnMut(&mut T) -> Option<R>,
    ) -> Option<R> {
        if seeded::is_seeded() {
            self.wait_seeded(timeout, look, Location::caller())
        } else {
            self.wait_free(timeout, look)
        }
    }

    fn wait_free<R>(
        &self,
        timeout: Option<Duration>,
        mut look: impl FnMut(&mut T) -> Option<R>,
    ) -> Option<R> {
        let deadline = timeout.map(|timeout| Instant::now() + timeout);
        let mut value = self.take();
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

    fn wait_seeded<R>(
        &self,
        timeout: Option<Duration>,
        mut look: impl FnMut(&mut T) -> Option<R>,
        at: &'static Location<'static>,
    ) -> Option<R> {
        let deadline = timeout.map(|timeout| super::now() + timeout);
        loop {
            let result = look(&mut self.take());
            if result.is_some() {
                return result;
            }
            assert_eq!(locks_held(), 0, "the host waits while it holds a lock");
            if deadline.is_some_and(|deadline| deadline <= super::now()) {
                return None;
            }
            seeded::wait(self.address(), deadline, at);
        }
    }

    #[track_caller]
    fn take(&self) -> MutexGuard<'_, T> {
        note_lock();
        if !seeded::is_seeded() {
            return self.value.lock().unwrap_or_else(PoisonError::into_inner);
        }
        match self.value.try_lock() {
            Ok(value) => value,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // Who has it does not run, and never will while this thread waits.
            Err(TryLockError::WouldBlock) => {
                panic!("a thread gave the token up while it held this lock of the host")
            }
        }
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
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

#[cfg(test)]
mod tests {
    use super::super::{sleep, spawn};
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
