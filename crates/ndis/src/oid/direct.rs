//! Direct OID requests, which NDIS makes beside the regular ones and beside each other.
//!
//! They are answered in the callback that brings them, so there is none to be cancelled. Nor does this crate
//! make any of its own: `ProtocolDirectOidRequestComplete` is not given to NDIS.

use core::ptr::NonNull;

use ndis_sys as sys;

use super::{Kind, OidOutcome, OidRequest};
use crate::status::Status;

/// A direct request that an upper driver made of a miniport, in the callback that brought it.
pub struct DirectOidRequest<'callback>(OidRequest<'callback>);

impl DirectOidRequest<'_> {
    /// # Safety
    /// `raw` is a request that NDIS entrusted to the miniport in the running callback.
    pub(crate) unsafe fn from_raw(raw: NonNull<sys::NDIS_OID_REQUEST>) -> Self {
        // SAFETY: as the caller says.
        Self(unsafe { OidRequest::new(raw) })
    }

    /// What it asks for.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind()
    }

    /// Which object.
    #[must_use]
    pub fn oid(&self) -> u32 {
        self.0.oid()
    }

    /// Completes the request with a status and no data.
    ///
    /// # Panics
    /// If the status is pending.
    pub fn complete(self, status: Status) -> OidOutcome {
        self.0.complete(status)
    }
}
