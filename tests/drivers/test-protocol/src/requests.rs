//! What a binding asks of the adapter below.

use ndis::Passive;
use ndis_sys as sys;

use crate::binding::{Binding, lend};

/// Sets the packet filter, and waits for the answer.
///
/// # Errors
/// What the adapter says.
pub(crate) fn set_filter(binding: &Binding, mut filter: u32, at: Passive<'_>) -> ndis::Result {
    let mut request = sys::NDIS_OID_REQUEST {
        Header: sys::NDIS_OBJECT_HEADER::new(
            sys::NDIS_OBJECT_TYPE_OID_REQUEST,
            sys::NDIS_OID_REQUEST_REVISION_1,
            sys::NDIS_SIZEOF_OID_REQUEST_REVISION_1,
        ),
        RequestType: sys::NdisRequestSetInformation,
        ..sys::NDIS_OID_REQUEST::zeroed()
    };
    request.DATA.SET_INFORMATION = sys::NDIS_OID_REQUEST_SET {
        Oid: sys::OID_GEN_CURRENT_PACKET_FILTER,
        InformationBuffer: (&raw mut filter).cast(),
        InformationBufferLength: size_of_val(&filter) as u32,
        BytesRead: 0,
        BytesNeeded: 0,
    };
    // SAFETY: the adapter is open; the request lives until it is complete, for which this waits.
    binding.wait_for(at, || unsafe {
        sys::NdisOidRequest(binding.handle(), &raw mut request)
    })
}

/// `ProtocolOidRequestComplete`.
pub(crate) unsafe extern "efiapi" fn complete(
    context: sys::NDIS_HANDLE,
    _request: *mut sys::NDIS_OID_REQUEST,
    status: sys::NDIS_STATUS,
) {
    // SAFETY: NDIS passed it; `set_filter` waits for this.
    unsafe { lend(context) }.completed(status);
}

/// What a binding receives.
pub(crate) const FILTER: u32 = sys::NDIS_PACKET_TYPE_DIRECTED | sys::NDIS_PACKET_TYPE_BROADCAST;
