//! A spin lock that lends its value to a closure.

use core::cell::UnsafeCell;

use ndis_sys as sys;

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
}
