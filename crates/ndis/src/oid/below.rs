//! OID requests to the adapter below: clones of those that came from above, and the driver's own.

use alloc::boxed::Box;
use core::{
    ptr::{self, NonNull},
    sync::atomic::{AtomicI32, AtomicUsize, Ordering},
};

use ndis_sys as sys;

use super::{OidOutcome, OidRequest, PendedOid, bytes};
use crate::{
    irql::Passive,
    mem::try_box,
    miniport::MiniportHandle,
    protocol::{BindingHandle, Protocol},
    status::{Result, Status},
    sync::Event,
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
    /// One of the driver's own, and how it went.
    Own(T, Status),
}

/// What became of a request of the driver's own.
pub enum Requested<T> {
    /// The adapter below completed it at once.
    Done(T, Status),
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
        let mut clone = ptr::null_mut();
        // SAFETY: the request is entrusted to this driver, and the handle is that of its binding.
        let status = unsafe {
            sys::NdisAllocateCloneOidRequest(
                binding.raw(),
                self.raw.as_ptr(),
                OID_TAG,
                &raw mut clone,
            )
        };
        if let Err(status) = Status::from_raw(status).ok() {
            return Forwarding::Done(OidOutcome(status));
        }
        let Some(mut clone) = NonNull::new(clone) else {
            return Forwarding::Done(OidOutcome(Status::RESOURCES));
        };
        // SAFETY: the clone was just made for this driver.
        let request = unsafe { clone.as_mut() };
        let id = CLONES.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        request.RequestId = ptr::without_provenance_mut(id);
        request.set_source([self.raw.as_ptr().cast(), adapter.raw()]);
        announce(id);
        // SAFETY: the clone and its buffer stay until the request is complete.
        let status =
            Status::from_raw(unsafe { sys::NdisOidRequest(binding.raw(), clone.as_ptr()) });
        if status == Status::PENDING {
            return Forwarding::Pending(OidOutcome(Status::PENDING));
        }
        // SAFETY: the clone is complete, and its original still entrusted to this driver.
        unsafe { end_clone(binding, clone) };
        Forwarding::Done(OidOutcome(status))
    }
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
        let done = self.call(sys::NdisRequestQueryInformation, data, at)?;
        // SAFETY: the request was a query.
        let written = unsafe { done.DATA.QUERY_INFORMATION.BytesWritten };
        Ok((written as usize).min(answer.len()))
    }

    /// Sets something of the adapter below, and waits until it has.
    ///
    /// # Errors
    /// What the adapter says.
    pub fn set(self, oid: u32, value: &[u8], at: Passive<'_>) -> Result {
        let data = sys::NDIS_OID_REQUEST_DATA {
            SET_INFORMATION: set_fields(oid, value),
        };
        self.call(sys::NdisRequestSetInformation, data, at)
            .map(|_| ())
    }

    /// Sets a number of the adapter below without waiting. `token` comes back with the outcome.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    pub fn set_number(self, oid: u32, number: u32, token: P::Request) -> Requested<P::Request> {
        let call = OwnCall {
            request: new_request(sys::NdisRequestSetInformation),
            number,
            token,
        };
        let Ok(call) = try_box(call) else {
            return Requested::Done(token, Status::RESOURCES);
        };
        let call = Box::leak(call);
        // SAFETY: a number of four bytes is four bytes.
        let value = unsafe { bytes((&raw const call.number).cast(), 4) };
        call.request.DATA.SET_INFORMATION = set_fields(oid, value);
        let call = NonNull::from(call);
        // SAFETY: the box was just leaked.
        let request = unsafe { &raw mut (*call.as_ptr()).request };
        // SAFETY: nobody else knows of the request.
        unsafe { &mut *request }.set_source([source::OWN_CALL, call.as_ptr().cast()]);
        // SAFETY: the request and its number stay until it is complete (NdisOidRequest).
        let status = Status::from_raw(unsafe { sys::NdisOidRequest(self.raw(), request) });
        if status == Status::PENDING {
            return Requested::Pending;
        }
        // SAFETY: the request is complete, so the box is this driver's again.
        drop(unsafe { Box::from_raw(call.as_ptr()) });
        Requested::Done(token, status)
    }

    /// Asks the adapter below to complete a forwarded request early. It completes as always.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`. Source: NdisCancelOidRequest.
    pub fn cancel_oid(self, id: usize) {
        // SAFETY: the binding is open; the ID is a number that NDIS compares.
        unsafe { sys::NdisCancelOidRequest(self.raw(), ptr::without_provenance_mut(id)) };
    }

    /// Makes a request and waits for its end. Gives it back if it succeeded.
    fn call(
        self,
        kind: sys::NDIS_REQUEST_TYPE,
        data: sys::NDIS_OID_REQUEST_DATA,
        at: Passive<'_>,
    ) -> Result<Box<sys::NDIS_OID_REQUEST>> {
        let waiter = Waiter {
            done: Event::try_new()?,
            status: AtomicI32::new(0),
        };
        let mut request = try_box(new_request(kind))?;
        request.DATA = data;
        request.set_source([source::WAITER, (&raw const waiter).cast_mut().cast()]);
        // SAFETY: the request, its buffer and the waiter stay until it is complete: this function
        // waits for that (NdisOidRequest).
        let mut status = unsafe { sys::NdisOidRequest(self.raw(), &raw mut *request) };
        if status == sys::NDIS_STATUS_PENDING {
            waiter.done.wait(at);
            status = waiter.status.load(Ordering::Acquire);
        }
        Status::from_raw(status).ok()?;
        Ok(request)
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
        waiter.status.store(status.raw(), Ordering::Release);
        waiter.done.set();
        return None;
    }
    if first == source::OWN_CALL {
        // SAFETY: the box that `set_number` leaked; its request is complete.
        let call = unsafe { Box::from_raw(second.cast::<OwnCall<P::Request>>()) };
        return Some(Completed::Own(call.token, status));
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
/// The clone was made by [`OidRequest::forward`] for this binding and is complete; its original is
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

/// A request of the driver's own that somebody waits for.
struct Waiter {
    done: Event,
    status: AtomicI32,
}

/// A request of the driver's own that nobody waits for.
struct OwnCall<T> {
    request: sys::NDIS_OID_REQUEST,
    number: u32,
    token: T,
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
