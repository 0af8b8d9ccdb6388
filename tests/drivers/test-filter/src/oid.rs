//! Requests. A request is passed on as a clone, in which it is noted; the clone's end is the request's.

use core::{ffi::c_void, ptr, sync::atomic::Ordering};

use ndis_sys as sys;

use crate::{
    TAG,
    module::{Module, lend},
};

/// `FilterOidRequest`.
pub(crate) unsafe extern "efiapi" fn request(
    context: sys::NDIS_HANDLE,
    request: *mut sys::NDIS_OID_REQUEST,
) -> sys::NDIS_STATUS {
    // SAFETY: NDIS passed it.
    let module = unsafe { lend(context) };
    module.requests.fetch_add(1, Ordering::Relaxed);
    let mut clone = ptr::null_mut();
    // SAFETY: NDIS lends the request until it is completed.
    let status =
        unsafe { sys::NdisAllocateCloneOidRequest(module.handle, request, TAG, &raw mut clone) };
    if status != sys::NDIS_STATUS_SUCCESS {
        return status;
    }
    // SAFETY: the clone is ours, and so is this field of it.
    unsafe { original(clone).write(request) };
    // SAFETY: as above. A cancel finds the clone by the number of its request.
    let id = unsafe { (*request).RequestId };
    // SAFETY: the clone is ours.
    unsafe { (*clone).RequestId = id };
    // SAFETY: the clone is whole, and ours until it is complete.
    let status = unsafe { sys::NdisFOidRequest(module.handle, clone) };
    if status != sys::NDIS_STATUS_PENDING {
        finish(module, clone);
    }
    status
}

/// `FilterOidRequestComplete`.
pub(crate) unsafe extern "efiapi" fn complete(
    context: sys::NDIS_HANDLE,
    clone: *mut sys::NDIS_OID_REQUEST,
    status: sys::NDIS_STATUS,
) {
    // SAFETY: NDIS passed it.
    let module = unsafe { lend(context) };
    let request = finish(module, clone);
    // SAFETY: the request was pended by `request`, and is completed once.
    unsafe { sys::NdisFOidRequestComplete(module.handle, request, status) };
}

/// `FilterCancelOidRequest`.
pub(crate) unsafe extern "efiapi" fn cancel(context: sys::NDIS_HANDLE, id: *mut c_void) {
    // SAFETY: NDIS passed it.
    let module = unsafe { lend(context) };
    // SAFETY: the module is attached; the identifier is a number that drivers compare.
    unsafe { sys::NdisFCancelOidRequest(module.handle, id) };
}

/// Copies what a clone brought back to its request, which is the answer, and frees the clone.
fn finish(module: &Module, clone: *mut sys::NDIS_OID_REQUEST) -> *mut sys::NDIS_OID_REQUEST {
    // SAFETY: the clone is ours again, and `request` wrote that.
    let request = unsafe { original(clone).read() };
    // SAFETY: the clone is ours again.
    let done = unsafe { (*clone).DATA };
    // SAFETY: NDIS lends the request until it is completed. Both are of the same kind, and have the same
    // buffers.
    unsafe { (*request).DATA = done };
    // SAFETY: the clone is this module's, and nobody else has it.
    unsafe { sys::NdisFreeCloneOidRequest(module.handle, clone) };
    request
}

/// Where a clone notes its request: the field that is the driver's that sends it.
fn original(clone: *mut sys::NDIS_OID_REQUEST) -> *mut *mut sys::NDIS_OID_REQUEST {
    clone
        .wrapping_byte_add(core::mem::offset_of!(sys::NDIS_OID_REQUEST, SourceReserved))
        .cast()
}
