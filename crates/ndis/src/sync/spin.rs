//! A spin lock that lends its value to a closure.

use alloc::vec::Vec;
use core::{cell::UnsafeCell, mem};

use ndis_sys as sys;

use crate::status::{Result, Status};

/// A value behind a kernel spin lock.
///
/// The value is lent to a closure and not through a guard, so that the end of the critical section
/// is the end of a block: decide inside, act after.
#[derive(Default)]
pub struct SpinLock<T> {
    /// Zero is the released state (`KeInitializeSpinLock` does nothing else).
    lock: UnsafeCell<sys::KSPIN_LOCK>,
    value: UnsafeCell<T>,
}

// SAFETY: the lock hands the value to one thread at a time; sending it along is what needs `Send`.
unsafe impl<T: Send> Sync for SpinLock<T> {}
// SAFETY: an unlocked lock is its value and a word.
unsafe impl<T: Send> Send for SpinLock<T> {}

impl<T> SpinLock<T> {
    /// A released lock around a value.
    pub const fn new(value: T) -> Self {
        Self {
            lock: UnsafeCell::new(0),
            value: UnsafeCell::new(value),
        }
    }

    /// Runs `critical` with the value, at DISPATCH_LEVEL and with the lock held.
    ///
    /// `critical` must not take the lock again, must not wait and must not call into NDIS.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    pub fn with<R>(&self, critical: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: the lock word is resident (drivers' memory is nonpaged) and lives as long as
        // `self`.
        let irql = unsafe { sys::KeAcquireSpinLockRaiseToDpc(self.lock.get()) };
        // SAFETY: the lock is held, so no other reference to the value exists until it is released.
        let result = critical(unsafe { &mut *self.value.get() });
        // SAFETY: this thread acquired the lock above and has run at DISPATCH_LEVEL since.
        unsafe { sys::KeReleaseSpinLock(self.lock.get(), irql) };
        result
    }

    /// Makes room for `number` elements in all in a list behind the lock, which has no more than that. Memory is
    /// allocated before the lock is taken, and freed after.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    ///
    /// # Errors
    /// [`Status::RESOURCES`] if the pool has no room.
    pub fn make_room<E>(&self, number: usize, list: impl FnOnce(&mut T) -> &mut Vec<E>) -> Result {
        let mut room = Vec::new();
        room.try_reserve_exact(number)
            .map_err(|_| Status::RESOURCES)?;
        let before = self.with(|value| {
            let list = list(value);
            room.append(list);
            mem::replace(list, room)
        });
        drop(before);
        Ok(())
    }
}
