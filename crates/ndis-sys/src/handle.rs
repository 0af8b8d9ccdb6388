//! The one handle type of NDIS.

use crate::nt::PVOID;

/// A handle that NDIS or a driver made; only its maker knows what it points to.
pub type NDIS_HANDLE = PVOID;
