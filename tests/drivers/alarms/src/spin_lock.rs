//! NDIS's spin locks by the functions that ndis.sys exports. The headers, and with them `sys`, make
//! these calls the kernel's own: only drivers that import them are known to take a lock of NDIS.

use core::cell::UnsafeCell;

use crate::sys;

/// A lock that is free.
pub struct Lock(UnsafeCell<sys::NDIS_SPIN_LOCK>);

// SAFETY: only the functions of NDIS touch it, which may run on any number of processors.
unsafe impl Sync for Lock {}

impl Lock {
    /// Makes a lock. Zeros are one that is free.
    pub const fn new() -> Self {
        Self(UnsafeCell::new(sys::NDIS_SPIN_LOCK::zeroed()))
    }

    /// Takes it and raises to DISPATCH_LEVEL.
    pub fn acquire(&self) {
        // SAFETY: none is claimed, as for `call!`.
        unsafe { NdisAcquireSpinLock(self.0.get()) };
    }

    /// Gives it back, and goes back to the IRQL before [`Lock::acquire`].
    pub fn release(&self) {
        // SAFETY: as above.
        unsafe { NdisReleaseSpinLock(self.0.get()) };
    }

    /// Takes it at DISPATCH_LEVEL.
    pub fn acquire_at_dispatch(&self) {
        // SAFETY: as above.
        unsafe { NdisDprAcquireSpinLock(self.0.get()) };
    }

    /// Gives it back and stays at DISPATCH_LEVEL.
    pub fn release_at_dispatch(&self) {
        // SAFETY: as above.
        unsafe { NdisDprReleaseSpinLock(self.0.get()) };
    }
}

#[cfg_attr(
    windows,
    link(name = "ndis.sys", kind = "raw-dylib", modifiers = "+verbatim")
)]
unsafe extern "system" {
    fn NdisAcquireSpinLock(lock: *mut sys::NDIS_SPIN_LOCK);
    fn NdisReleaseSpinLock(lock: *mut sys::NDIS_SPIN_LOCK);
    fn NdisDprAcquireSpinLock(lock: *mut sys::NDIS_SPIN_LOCK);
    fn NdisDprReleaseSpinLock(lock: *mut sys::NDIS_SPIN_LOCK);
}
