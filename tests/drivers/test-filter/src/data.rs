//! Frames, both ways. The module keeps none.

use core::{ffi::c_void, iter, sync::atomic::Ordering};

use ndis_sys as sys;

use crate::module::lend;

/// `FilterSendNetBufferLists`.
pub(crate) unsafe extern "efiapi" fn send(
    context: sys::NDIS_HANDLE,
    nbls: *mut sys::NET_BUFFER_LIST,
    port: sys::NDIS_PORT_NUMBER,
    flags: u32,
) {
    // SAFETY: NDIS passed it.
    let module = unsafe { lend(context) };
    module.sent.fetch_add(count(nbls), Ordering::Relaxed);
    // SAFETY: the NBLs are passed on as they came.
    unsafe { sys::NdisFSendNetBufferLists(module.handle, nbls, port, flags) };
}

/// `FilterSendNetBufferListsComplete`.
pub(crate) unsafe extern "efiapi" fn sent(
    context: sys::NDIS_HANDLE,
    nbls: *mut sys::NET_BUFFER_LIST,
    flags: u32,
) {
    // SAFETY: NDIS passed it.
    let module = unsafe { lend(context) };
    // SAFETY: the NBLs are passed on as they came.
    unsafe { sys::NdisFSendNetBufferListsComplete(module.handle, nbls, flags) };
}

/// `FilterCancelSendNetBufferLists`.
pub(crate) unsafe extern "efiapi" fn cancel_send(context: sys::NDIS_HANDLE, id: *mut c_void) {
    // SAFETY: NDIS passed it.
    let module = unsafe { lend(context) };
    // SAFETY: the module is attached; the identifier is a number that drivers compare.
    unsafe { sys::NdisFCancelSendNetBufferLists(module.handle, id) };
}

/// `FilterReceiveNetBufferLists`.
pub(crate) unsafe extern "efiapi" fn receive(
    context: sys::NDIS_HANDLE,
    nbls: *mut sys::NET_BUFFER_LIST,
    port: sys::NDIS_PORT_NUMBER,
    number: u32,
    flags: u32,
) {
    // SAFETY: NDIS passed it.
    let module = unsafe { lend(context) };
    module.received.fetch_add(number, Ordering::Relaxed);
    // SAFETY: the NBLs are passed on as they came.
    unsafe { sys::NdisFIndicateReceiveNetBufferLists(module.handle, nbls, port, number, flags) };
}

/// `FilterReturnNetBufferLists`.
pub(crate) unsafe extern "efiapi" fn returned(
    context: sys::NDIS_HANDLE,
    nbls: *mut sys::NET_BUFFER_LIST,
    flags: u32,
) {
    // SAFETY: NDIS passed it.
    let module = unsafe { lend(context) };
    // SAFETY: the NBLs are passed on as they came.
    unsafe { sys::NdisFReturnNetBufferLists(module.handle, nbls, flags) };
}

fn count(nbls: *mut sys::NET_BUFFER_LIST) -> u32 {
    let next = |nbl: &*mut sys::NET_BUFFER_LIST| {
        // SAFETY: the driver has the chain until it passes it on.
        let next = unsafe { (**nbl).Next };
        (!next.is_null()).then_some(next)
    };
    iter::successors(Some(nbls), next).count() as u32
}
