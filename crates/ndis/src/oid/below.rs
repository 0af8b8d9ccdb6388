//! OID requests to the adapter below: clones of those that came from above, and the driver's own.

use alloc::{boxed::Box, vec::Vec};
use core::{
    ptr::{self, NonNull},
    sync::atomic::{AtomicUsize, Ordering},
};

use ndis_sys as sys;

use super::{OidOutcome, OidRequest, PendedOid, way::Waiter};
use crate::{
    irql::Passive,
    mem::{try_box, try_to_vec},
    miniport::MiniportHandle,
    protocol::{BindingHandle, Protocol},
    status::{Result, Status},
};

/// What became of a request that was passed to the adapter below.
pub enum Forwarding {
    /// The adapter below completed it at once.
    Done(OidOutcome),
    /// It will come back to [`oid_complete`](crate::protocol::Protocol::oid_complete).
    Pending(OidOutcome),
}

/// A request that came back from the adapter below.
pub enum Completed<T> {
    /// One that was passed on, and how it went.
    Forwarded(PendedOid, Status),
    /// One of the driver's own, with its buffer as the adapter below left it, and how it went.
    Own(T, Vec<u8>, Status),
}

/// A request of the driver's own.
pub struct OwnRequest {
    kind: sys::NDIS_REQUEST_TYPE,
    oid: u32,
    buffer: Vec<u8>,
}

/// What a request needs that somebody waits for; it may serve one after the other.
pub struct WaitedCall {
    waiter: Waiter,
    request: Box<sys::NDIS_OID_REQUEST>,
}

// SAFETY: between calls the request is this driver's own memory, with no pointer that is followed.
unsafe impl Send for WaitedCall {}

/// What became of a request of the driver's own.
pub enum Requested<T> {
    /// The adapter below completed it at once, and left the buffer so; or it could not be made.
    Done(T, Vec<u8>, Status),
    /// It will come back to [`oid_complete`](crate::protocol::Protocol::oid_complete).
    Pending,
}

impl OidRequest<'_> {
    /// Passes a clone of the request to the adapter below. Before that, `announce` gets the number
    /// that [`BindingHandle::cancel_oid`] wants: no two clones have the same.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`. Sources: NdisAllocateCloneOidRequest, NdisOidRequest.
    pub fn forward<P: Protocol>(
        self,
        binding: BindingHandle<P>,
        adapter: MiniportHandle,
        announce: impl FnOnce(usize),
    ) -> Forwarding {
        // SAFETY: the request is entrusted to this driver until it is completed.
        match unsafe { forward(self.raw, binding, adapter, announce) } {
            Status::PENDING => Forwarding::Pending(OidOutcome(Status::PENDING)),
            status => Forwarding::Done(OidOutcome(status)),
        }
    }
}

impl PendedOid {
    /// The number that a cancel would name.
    #[must_use]
    pub fn id(&self) -> usize {
        // SAFETY: the request is this driver's until it is completed.
        unsafe { self.raw.as_ref() }.RequestId.addr()
    }

    /// The same for a request that was pended. It is completed here, or comes back to
    /// [`oid_complete`](crate::protocol::Protocol::oid_complete): then the answer is true.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    pub fn forward<P: Protocol>(
        self,
        binding: BindingHandle<P>,
        announce: impl FnOnce(usize),
    ) -> bool {
        // SAFETY: the request is this driver's until it is completed.
        match unsafe { forward(self.raw, binding, self.adapter, announce) } {
            Status::PENDING => {
                // What comes back makes another one of it.
                core::mem::forget(self);
                true
            }
            status => {
                self.complete(status);
                false
            }
        }
    }
}

/// Passes a clone of a request on. If the answer is not [`Status::PENDING`], the original has what the
/// adapter below said, and is still to be completed.
///
/// # Safety
/// `original` is entrusted to this driver by `adapter`'s upper edge, and is not completed yet.
unsafe fn forward<P: Protocol>(
    original: NonNull<sys::NDIS_OID_REQUEST>,
    binding: BindingHandle<P>,
    adapter: MiniportHandle,
    announce: impl FnOnce(usize),
) -> Status {
    let mut clone = ptr::null_mut();
    // SAFETY: the request is entrusted to this driver, and the handle is that of its binding.
    let status = unsafe {
        sys::NdisAllocateCloneOidRequest(binding.raw(), original.as_ptr(), OID_TAG, &raw mut clone)
    };
    if let Err(status) = Status::from_raw(status).ok() {
        return status;
    }
    let Some(mut clone) = NonNull::new(clone) else {
        return Status::RESOURCES;
    };
    // SAFETY: the clone was just made for this driver.
    let request = unsafe { clone.as_mut() };
    let id = CLONES.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
    request.RequestId = ptr::without_provenance_mut(id);
    request.set_source([original.as_ptr().cast(), adapter.raw()]);
    announce(id);
    // SAFETY: the clone and its buffer stay until the request is complete.
    let status = Status::from_raw(unsafe { sys::NdisOidRequest(binding.raw(), clone.as_ptr()) });
    if status != Status::PENDING {
        // SAFETY: the clone is complete, and its original still entrusted to this driver.
        unsafe { end_clone(binding, clone) };
    }
    status
}

impl<P: Protocol> BindingHandle<P> {
    /// Queries the adapter below, and waits for the answer. Returns how many bytes it has.
    ///
    /// # Errors
    /// What the adapter says.
    pub fn query(self, oid: u32, answer: &mut [u8], at: Passive<'_>) -> Result<usize> {
        let query = sys::NDIS_OID_REQUEST_QUERY {
            Oid: oid,
            InformationBuffer: answer.as_mut_ptr().cast(),
            InformationBufferLength: answer.len() as u32,
            BytesWritten: 0,
            BytesNeeded: 0,
        };
        let data = sys::NDIS_OID_REQUEST_DATA {
            QUERY_INFORMATION: query,
        };
        let mut call = WaitedCall::try_new()?;
        self.call(&mut call, sys::NdisRequestQueryInformation, data, at)?;
        // SAFETY: the request was a query.
        let written = unsafe { call.request.DATA.QUERY_INFORMATION.BytesWritten };
        Ok((written as usize).min(answer.len()))
    }

    /// Sets something of the adapter below, and waits until it has. Needs no memory.
    ///
    /// # Errors
    /// What the adapter says.
    pub fn set(self, call: &mut WaitedCall, oid: u32, value: &[u8], at: Passive<'_>) -> Result {
        let data = sys::NDIS_OID_REQUEST_DATA {
            SET_INFORMATION: set_fields(oid, value),
        };
        self.call(call, sys::NdisRequestSetInformation, data, at)
    }

    /// Makes a request of the adapter below without waiting. `token` comes back with the outcome.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`. Source: NdisOidRequest.
    pub fn request(self, request: OwnRequest, token: P::Request) -> Requested<P::Request> {
        let OwnRequest { kind, oid, buffer } = request;
        let call = OwnCall {
            request: new_request(kind),
            buffer,
            token,
        };
        let Ok(mut call) = try_box(call) else {
            return Requested::Done(token, Vec::new(), Status::RESOURCES);
        };
        call.request.DATA = data_of(kind, oid, &mut call.buffer);
        let call = NonNull::from(Box::leak(call));
        // SAFETY: the box was just leaked.
        let request = unsafe { &raw mut (*call.as_ptr()).request };
        // SAFETY: nobody else knows of the request.
        unsafe { &mut *request }.set_source([source::OWN_CALL, call.as_ptr().cast()]);
        // SAFETY: the request and its buffer stay until it is complete (NdisOidRequest).
        let status = Status::from_raw(unsafe { sys::NdisOidRequest(self.raw(), request) });
        if status == Status::PENDING {
            return Requested::Pending;
        }
        // SAFETY: the request is complete, so the box is this driver's again.
        let call = unsafe { Box::from_raw(call.as_ptr()) };
        let OwnCall { token, buffer, .. } = *call;
        Requested::Done(token, buffer, status)
    }

    /// Asks the adapter below to complete a forwarded request early. It completes as always.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`. Source: NdisCancelOidRequest.
    pub fn cancel_oid(self, id: usize) {
        // SAFETY: the binding is open; the ID is a number that NDIS compares.
        unsafe { sys::NdisCancelOidRequest(self.raw(), ptr::without_provenance_mut(id)) };
    }

    /// Makes a request and waits for its end.
    fn call(
        self,
        call: &mut WaitedCall,
        kind: sys::NDIS_REQUEST_TYPE,
        data: sys::NDIS_OID_REQUEST_DATA,
        at: Passive<'_>,
    ) -> Result {
        let WaitedCall { waiter, request } = call;
        waiter.reset();
        **request = new_request(kind);
        request.DATA = data;
        request.set_source([source::WAITER, (&raw const *waiter).cast_mut().cast()]);
        // SAFETY: the request, its buffer and the waiter stay until it is complete: this function
        // waits for that (NdisOidRequest).
        let status = unsafe { sys::NdisOidRequest(self.raw(), &raw mut **request) };
        match Status::from_raw(status) {
            Status::PENDING => waiter.wait(at).ok(),
            status => status.ok(),
        }
    }
}

impl WaitedCall {
    /// # Errors
    /// [`Status::RESOURCES`].
    pub fn try_new() -> Result<Self> {
        Ok(Self {
            waiter: Waiter::try_new()?,
            request: try_box(new_request(sys::NdisRequestSetInformation))?,
        })
    }
}

/// Sorts out a request that came back to `ProtocolOidRequestComplete`. `None` if somebody waits for
/// it, who has been told.
///
/// # Safety
/// `request` is one that this driver made by a function of this module, through a handle of `P`'s, and
/// that was pending.
pub(crate) unsafe fn completed<P: Protocol>(
    binding: BindingHandle<P>,
    request: NonNull<sys::NDIS_OID_REQUEST>,
    status: Status,
) -> Option<Completed<P::Request>> {
    // SAFETY: the request is this driver's again.
    let [first, second] = unsafe { request.as_ref() }.source();
    if first == source::WAITER {
        // SAFETY: whoever made the request waits, and so keeps the waiter.
        let waiter = unsafe { &*second.cast::<Waiter>() };
        waiter.tell(status);
        return None;
    }
    if first == source::OWN_CALL {
        // SAFETY: the box that `request` leaked; its request is complete.
        let call = unsafe { Box::from_raw(second.cast::<OwnCall<P::Request>>()) };
        let OwnCall { token, buffer, .. } = *call;
        return Some(Completed::Own(token, buffer, status));
    }
    // SAFETY: the clone is complete, and its original still entrusted to this driver.
    unsafe { end_clone(binding, request) };
    let raw = NonNull::new(first.cast())?;
    let original = PendedOid {
        raw,
        adapter: MiniportHandle::from_raw(second),
    };
    Some(Completed::Forwarded(original, status))
}

/// Copies what the adapter below said to the original of a clone, and frees the clone.
///
/// # Safety
/// The clone was made by [`forward`] for this binding and is complete; its original is
/// not completed yet.
unsafe fn end_clone<P: Protocol>(binding: BindingHandle<P>, clone: NonNull<sys::NDIS_OID_REQUEST>) {
    // SAFETY: the clone is complete, so nobody else uses it.
    let done = unsafe { clone.as_ref() };
    let [original, _] = done.source();
    // SAFETY: the original is this driver's until it is completed.
    let original = unsafe { &mut *original.cast::<sys::NDIS_OID_REQUEST>() };
    original.SupportedRevision = done.SupportedRevision;
    match done.RequestType {
        sys::NdisRequestSetInformation => {
            // SAFETY: this is a set request, so this member of both unions is the one in use.
            original.DATA.SET_INFORMATION = unsafe { done.DATA.SET_INFORMATION };
        }
        sys::NdisRequestMethod => {
            // SAFETY: as above, for a method request.
            original.DATA.METHOD_INFORMATION = unsafe { done.DATA.METHOD_INFORMATION };
        }
        _ => {
            // SAFETY: as above, for a query: requests of other types have its form.
            original.DATA.QUERY_INFORMATION = unsafe { done.DATA.QUERY_INFORMATION };
        }
    }
    // SAFETY: the clone was allocated with this handle (NdisFreeCloneOidRequest).
    unsafe { sys::NdisFreeCloneOidRequest(binding.raw(), clone.as_ptr()) };
}

/// A request of the driver's own that nobody waits for.
struct OwnCall<T> {
    request: sys::NDIS_OID_REQUEST,
    buffer: Vec<u8>,
    token: T,
}

impl OwnRequest {
    /// Sets something.
    #[must_use]
    pub const fn set(oid: u32, value: Vec<u8>) -> Self {
        Self {
            kind: sys::NdisRequestSetInformation,
            oid,
            buffer: value,
        }
    }

    /// Sets a number.
    ///
    /// # Errors
    /// [`Status::RESOURCES`].
    pub fn set_number(oid: u32, number: u32) -> Result<Self> {
        Ok(Self::set(oid, try_to_vec(&number.to_ne_bytes())?))
    }

    /// Calls a method, with one buffer for what it is given and what it answers.
    #[must_use]
    pub const fn method(oid: u32, buffer: Vec<u8>) -> Self {
        Self {
            kind: sys::NdisRequestMethod,
            oid,
            buffer,
        }
    }
}

/// How many clones were made: the source of their numbers. A number that is never used again can be
/// cancelled too late without harm.
static CLONES: AtomicUsize = AtomicUsize::new(0);

/// What stands in `SourceReserved`, which belongs to whoever made the request: two pointers. Of a
/// clone, the original and the adapter that it came from. Of the driver's own, one of these markers
/// and a pointer to the rest.
mod source {
    use core::{ffi::c_void, ptr};

    pub(super) const WAITER: *mut c_void = ptr::without_provenance_mut(1);
    pub(super) const OWN_CALL: *mut c_void = ptr::without_provenance_mut(2);
}

/// Access to `SourceReserved`.
trait Source {
    fn source(&self) -> [sys::PVOID; 2];
    fn set_source(&mut self, source: [sys::PVOID; 2]);
}

impl Source for sys::NDIS_OID_REQUEST {
    fn source(&self) -> [sys::PVOID; 2] {
        let place = (&raw const self.SourceReserved).cast::<[sys::PVOID; 2]>();
        // SAFETY: the field is as large as two pointers, which any bytes are.
        unsafe { place.read_unaligned() }
    }

    fn set_source(&mut self, source: [sys::PVOID; 2]) {
        let place = (&raw mut self.SourceReserved).cast::<[sys::PVOID; 2]>();
        // SAFETY: the field is as large as two pointers.
        unsafe { place.write_unaligned(source) };
    }
}

/// A request of the driver's own, without its data.
fn new_request(kind: sys::NDIS_REQUEST_TYPE) -> sys::NDIS_OID_REQUEST {
    sys::NDIS_OID_REQUEST {
        Header: sys::NDIS_OBJECT_HEADER {
            Type: sys::NDIS_OBJECT_TYPE_OID_REQUEST,
            Revision: sys::NDIS_OID_REQUEST_REVISION_1,
            Size: sys::NDIS_SIZEOF_OID_REQUEST_REVISION_1,
        },
        RequestType: kind,
        PortNumber: sys::NDIS_DEFAULT_PORT_NUMBER,
        ..sys::NDIS_OID_REQUEST::zeroed()
    }
}

/// The data of a set or method request with this buffer.
fn data_of(
    kind: sys::NDIS_REQUEST_TYPE,
    oid: u32,
    buffer: &mut [u8],
) -> sys::NDIS_OID_REQUEST_DATA {
    if kind != sys::NdisRequestMethod {
        return sys::NDIS_OID_REQUEST_DATA {
            SET_INFORMATION: set_fields(oid, buffer),
        };
    }
    let length = buffer.len() as u32;
    sys::NDIS_OID_REQUEST_DATA {
        METHOD_INFORMATION: sys::NDIS_OID_REQUEST_METHOD {
            Oid: oid,
            InformationBuffer: buffer.as_mut_ptr().cast(),
            InputBufferLength: length,
            OutputBufferLength: length,
            MethodId: 0,
            BytesWritten: 0,
            BytesRead: 0,
            BytesNeeded: 0,
        },
    }
}

/// The fields of a set request; the value is only read, though NDIS's type says otherwise.
fn set_fields(oid: u32, value: &[u8]) -> sys::NDIS_OID_REQUEST_SET {
    sys::NDIS_OID_REQUEST_SET {
        Oid: oid,
        InformationBuffer: value.as_ptr().cast_mut().cast(),
        InformationBufferLength: value.len() as u32,
        BytesRead: 0,
        BytesNeeded: 0,
    }
}

/// Pool tag of cloned requests, `NmxO` as the debugger shows it.
const OID_TAG: u32 = u32::from_le_bytes(*b"NmxO");
