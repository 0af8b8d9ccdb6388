//! Which NDIS this is.

use std::sync::atomic::{AtomicU32, Ordering};

use ndis_sys::NDIS_RUNTIME_VERSION;

/// The number that `NdisGetVersion` answers: major version in the upper half, minor in the lower.
pub fn current() -> u32 {
    VERSION.load(Ordering::Relaxed)
}

/// Makes this NDIS another version, for drivers that are loaded from now on.
pub fn set(version: u32) {
    VERSION.store(version, Ordering::Relaxed);
}

crate::ddi! { "ndis.sys":
    /// The newest NDIS version that this system knows.
    [PASSIVE..=DISPATCH] fn NdisGetVersion() -> u32 {
        current()
    }
}

static VERSION: AtomicU32 = AtomicU32::new(NDIS_RUNTIME_VERSION(6, 83));
