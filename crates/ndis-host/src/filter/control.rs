//! OID requests, status indications and events through a built-in filter, and its own.

use std::ffi::c_void;
use std::ptr;

use ndis_sys::{
    NDIS_HANDLE, NDIS_OID, NDIS_OID_REQUEST, NDIS_STATUS, NDIS_STATUS_CLOSED, NDIS_STATUS_FAILURE,
    NDIS_STATUS_INDICATION, NDIS_STATUS_PENDING, NDIS_STATUS_SUCCESS, NET_DEVICE_PNP_EVENT,
    NET_PNP_EVENT_NOTIFICATION, NdisRequestQueryInformation, NetEventReconfigure,
};

use super::{Fault, Filter, Instance, SLOW, instance_of};
use crate::ndis::filter::direct_oid::{
    NdisFCancelDirectOidRequest, NdisFDirectOidRequest, NdisFDirectOidRequestComplete,
};
use crate::ndis::filter::event::{NdisFDevicePnPEventNotify, NdisFNetPnPEvent};
use crate::ndis::filter::oid::{NdisFCancelOidRequest, NdisFOidRequest, NdisFOidRequestComplete};
use crate::ndis::filter::status::NdisFIndicateStatus;
use crate::ndis::oid::clone::{NdisAllocateCloneOidRequest, NdisFreeCloneOidRequest};
use crate::ndis::oid::request;
use crate::ndis::{caller, event};
use crate::nt::sched;

impl Filter {
    /// Queries what is below its first module: the status, and the answer.
    pub fn query(&self, oid: NDIS_OID, room: usize) -> (NDIS_STATUS, Vec<u8>) {
        self.query_by(Path::Regular, oid, room)
    }

    /// The same by a direct request.
    pub fn query_direct(&self, oid: NDIS_OID, room: usize) -> (NDIS_STATUS, Vec<u8>) {
        self.query_by(Path::Direct, oid, room)
    }

    fn query_by(&self, path: Path, oid: NDIS_OID, room: usize) -> (NDIS_STATUS, Vec<u8>) {
        let _entered = caller::enter(self.caller());
        let Some(&instance) = self.instances().first() else {
            return (NDIS_STATUS_CLOSED, Vec::new());
        };
        let mut buffer = vec![0; room];
        let mut request = request::new(NdisRequestQueryInformation, oid, &mut buffer);
        let address = &raw mut request as usize;
        instance.state.lock().answers.insert(address, None);
        // SAFETY: the request lives until it is answered, below.
        let mut status = unsafe { instance.ask(path, &raw mut request) };
        if status == NDIS_STATUS_PENDING {
            let answer = instance
                .state
                .wait_until(None, |state| state.answers.get(&address).copied().flatten());
            status = answer.unwrap_or(NDIS_STATUS_CLOSED);
        }
        instance.state.lock().answers.remove(&address);
        // SAFETY: a query's member of the union.
        let written = unsafe { request.DATA.QUERY_INFORMATION.BytesWritten } as usize;
        buffer.truncate(written.min(room));
        (status, buffer)
    }
}

/// Which way a request takes through a filter.
#[derive(Clone, Copy, PartialEq)]
enum Path {
    /// One after the other, at PASSIVE_LEVEL.
    Regular,
    /// Beside each other, up to DISPATCH_LEVEL.
    Direct,
}

impl Instance {
    /// Asks what is below.
    ///
    /// # Safety
    /// The request lives until it is answered.
    unsafe fn ask(&self, path: Path, request: *mut NDIS_OID_REQUEST) -> NDIS_STATUS {
        match path {
            // SAFETY: the module is attached; the rest is the caller's contract.
            Path::Regular => unsafe { NdisFOidRequest(self.handle(), request) },
            // SAFETY: as above.
            Path::Direct => unsafe { NdisFDirectOidRequest(self.handle(), request) },
        }
    }

    /// Completes a request that came from above.
    ///
    /// # Safety
    /// It is pending at this module.
    unsafe fn complete(&self, path: Path, request: *mut NDIS_OID_REQUEST, status: NDIS_STATUS) {
        let handle = self.handle();
        match path {
            // SAFETY: the caller's contract.
            Path::Regular => unsafe { NdisFOidRequestComplete(handle, request, status) },
            // SAFETY: the caller's contract.
            Path::Direct => unsafe { NdisFDirectOidRequestComplete(handle, request, status) },
        }
    }

    /// Passes a clone of a request on.
    fn pass_on(&self, path: Path, original: *mut NDIS_OID_REQUEST) -> NDIS_STATUS {
        let fault = self.filter.state.lock().fault;
        if fault == Some(Fault::KeepRequest) {
            return NDIS_STATUS_PENDING;
        }
        if fault == Some(Fault::NoClone) {
            // SAFETY: what a filter must not do; NDIS sees it.
            return unsafe { self.ask(path, original) };
        }
        if fault == Some(Fault::CompleteTwice) {
            // SAFETY: as above.
            unsafe { self.complete(path, original, NDIS_STATUS_SUCCESS) };
            return NDIS_STATUS_SUCCESS;
        }
        let mut clone = ptr::null_mut();
        let tag = u32::from_le_bytes(*b"NDfo");
        // SAFETY: the request lives until it is completed; the out pointer is a local.
        let status =
            unsafe { NdisAllocateCloneOidRequest(self.handle(), original, tag, &raw mut clone) };
        if status != NDIS_STATUS_SUCCESS {
            return NDIS_STATUS_FAILURE;
        }
        let mut state = self.state.lock();
        state.clones.insert(clone as usize, original as usize);
        drop(state);
        // SAFETY: the clone is this module's until it is answered.
        let status = unsafe { self.ask(path, clone) };
        if status != NDIS_STATUS_PENDING {
            self.state.lock().clones.remove(&(clone as usize));
            self.answered(clone, original);
        }
        status
    }

    /// A clone, or a request of its own, came back.
    fn came_back(&self, path: Path, request: *mut NDIS_OID_REQUEST, status: NDIS_STATUS) {
        let original = {
            let mut state = self.state.lock();
            let original = state.clones.remove(&(request as usize));
            if original.is_none() {
                state.answers.insert(request as usize, Some(status));
            }
            original
        };
        self.state.notify_all();
        if let Some(original) = original {
            let original = original as *mut NDIS_OID_REQUEST;
            self.answered(request, original);
            // SAFETY: the request is pending at this module.
            unsafe { self.complete(path, original, status) };
        }
    }

    /// The answer to a clone is that to the request; the clone is freed.
    fn answered(&self, clone: *mut NDIS_OID_REQUEST, original: *mut NDIS_OID_REQUEST) {
        // SAFETY: the clone lives until it is freed.
        let data = unsafe { (*clone).DATA };
        // SAFETY: the original lives until it is completed.
        unsafe { (*original).DATA = data };
        // SAFETY: the clone is back.
        unsafe { NdisFreeCloneOidRequest(self.handle(), clone) };
    }
}

pub(super) unsafe extern "efiapi" fn request(
    context: NDIS_HANDLE,
    original: *mut NDIS_OID_REQUEST,
) -> NDIS_STATUS {
    let instance = instance_of(context);
    instance.filter.count(|counters| counters.requests += 1);
    if instance.filter.has_fault(Fault::EventInRequest) {
        let mut notification = event::notification(NetEventReconfigure);
        // SAFETY: what a filter must not do; NDIS sees it.
        return unsafe { NdisFNetPnPEvent(instance.handle(), &raw mut notification) };
    }
    instance.pass_on(Path::Regular, original)
}

pub(super) unsafe extern "efiapi" fn request_complete(
    context: NDIS_HANDLE,
    request: *mut NDIS_OID_REQUEST,
    status: NDIS_STATUS,
) {
    instance_of(context).came_back(Path::Regular, request, status);
}

pub(super) unsafe extern "efiapi" fn cancel_request(context: NDIS_HANDLE, id: *mut c_void) {
    let instance = instance_of(context);
    // SAFETY: the module is attached; the clone has the request's id.
    unsafe { NdisFCancelOidRequest(instance.handle(), id) };
}

pub(super) unsafe extern "efiapi" fn direct_request(
    context: NDIS_HANDLE,
    original: *mut NDIS_OID_REQUEST,
) -> NDIS_STATUS {
    let instance = instance_of(context);
    instance
        .filter
        .count(|counters| counters.direct_requests += 1);
    instance.pass_on(Path::Direct, original)
}

pub(super) unsafe extern "efiapi" fn direct_request_complete(
    context: NDIS_HANDLE,
    request: *mut NDIS_OID_REQUEST,
    status: NDIS_STATUS,
) {
    instance_of(context).came_back(Path::Direct, request, status);
}

pub(super) unsafe extern "efiapi" fn cancel_direct_request(context: NDIS_HANDLE, id: *mut c_void) {
    let instance = instance_of(context);
    // SAFETY: the module is attached; the clone has the request's id.
    unsafe { NdisFCancelDirectOidRequest(instance.handle(), id) };
}

pub(super) unsafe extern "efiapi" fn status(
    context: NDIS_HANDLE,
    indication: *mut NDIS_STATUS_INDICATION,
) {
    let instance = instance_of(context);
    instance.filter.count(|counters| counters.statuses += 1);
    if instance.filter.has_fault(Fault::SlowStatus) {
        sched::sleep(SLOW);
    }
    // SAFETY: the indication lives during the call.
    unsafe { NdisFIndicateStatus(instance.handle(), indication) };
}

pub(super) unsafe extern "efiapi" fn network_event(
    context: NDIS_HANDLE,
    notification: *mut NET_PNP_EVENT_NOTIFICATION,
) -> NDIS_STATUS {
    let instance = instance_of(context);
    instance
        .filter
        .count(|counters| counters.network_events += 1);
    // SAFETY: the notification lives during the call.
    let code = unsafe { (*notification).NetPnPEvent.NetEvent };
    if code == ndis_sys::NetEventFilterPreDetach {
        return NDIS_STATUS_SUCCESS;
    }
    // SAFETY: as above.
    unsafe { NdisFNetPnPEvent(instance.handle(), notification) }
}

pub(super) unsafe extern "efiapi" fn device_event(
    context: NDIS_HANDLE,
    event: *mut NET_DEVICE_PNP_EVENT,
) {
    let instance = instance_of(context);
    instance
        .filter
        .count(|counters| counters.device_events += 1);
    // SAFETY: the event lives during the call.
    unsafe { NdisFDevicePnPEventNotify(instance.handle(), event) };
}
