//! Status indications of an adapter.

use crate::{Adapter, call, sys};

impl Adapter {
    /// Indicates a status without a buffer, changed by the caller.
    pub fn indicate_status(&self, change: impl FnOnce(&mut sys::NDIS_STATUS_INDICATION)) {
        let mut indication = sys::NDIS_STATUS_INDICATION {
            Header: sys::NDIS_OBJECT_HEADER::new(
                sys::NDIS_OBJECT_TYPE_STATUS_INDICATION,
                sys::NDIS_STATUS_INDICATION_REVISION_1,
                sys::NDIS_SIZEOF_STATUS_INDICATION_REVISION_1,
            ),
            SourceHandle: self.handle(),
            StatusCode: sys::NDIS_STATUS_MEDIA_SPECIFIC_INDICATION,
            ..sys::NDIS_STATUS_INDICATION::zeroed()
        };
        change(&mut indication);
        call!(NdisMIndicateStatusEx(self.handle(), &raw mut indication));
    }
}
