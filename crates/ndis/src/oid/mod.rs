//! OID requests: those that come from above stand here, direct ones in `direct`; their clones that go below,
//! and the driver's own, in `below`.

mod below;
mod direct;
mod way;

pub use below::{Completed, Forwarding, OwnRequest, Requested, WaitedCall};
pub use direct::DirectOidRequest;

pub(crate) use below::completed;
pub(crate) use way::dispatch;

use core::{
    marker::PhantomData,
    ptr::{self, NonNull},
    slice,
};

use ndis_sys as sys;

use crate::{miniport::MiniportHandle, statistics::GeneralStatistics, status::Status};

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `NdisRequestQueryInformation` or `NdisRequestQueryStatistics`.
    Query,
    /// `NdisRequestSetInformation`.
    Set,
    /// `NdisRequestMethod`.
    Method,
    /// Any other `NDIS_REQUEST_TYPE`.
    Other(i32),
}

/// A request that an upper driver made of a miniport, in the callback that brought it.
pub struct OidRequest<'callback> {
    raw: NonNull<sys::NDIS_OID_REQUEST>,
    callback: PhantomData<&'callback ()>,
}

/// What became of an [`OidRequest`]. Only its methods make one.
#[must_use = "NDIS waits for the outcome"]
pub struct OidOutcome(Status);

/// A request that was pended: it must be completed.
pub struct PendedOid {
    raw: NonNull<sys::NDIS_OID_REQUEST>,
    adapter: MiniportHandle,
}

// SAFETY: a pended request may be completed by any thread.
unsafe impl Send for PendedOid {}

impl<'callback> OidRequest<'callback> {
    /// # Safety
    /// `raw` is a request that NDIS entrusted to the miniport in the running callback.
    pub(crate) const unsafe fn new(raw: NonNull<sys::NDIS_OID_REQUEST>) -> Self {
        Self {
            raw,
            callback: PhantomData,
        }
    }

    /// What it asks for.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.get().RequestType {
            sys::NdisRequestQueryInformation | sys::NdisRequestQueryStatistics => Kind::Query,
            sys::NdisRequestSetInformation => Kind::Set,
            sys::NdisRequestMethod => Kind::Method,
            other => Kind::Other(other),
        }
    }

    /// Which object.
    #[must_use]
    pub fn oid(&self) -> u32 {
        // SAFETY: every member of the union begins with the OID.
        unsafe { self.get().DATA.Oid }
    }

    /// The number that a cancel would name.
    #[must_use]
    pub fn id(&self) -> usize {
        self.get().RequestId.addr()
    }

    /// The data of a set request. Nobody has looked at it yet.
    #[must_use]
    pub fn set_data(&self) -> &[u8] {
        assert_eq!(self.kind(), Kind::Set, "only a set request brings data");
        // SAFETY: the request is a set request.
        let set = unsafe { &self.get().DATA.SET_INFORMATION };
        // SAFETY: the buffer holds `InformationBufferLength` bytes, which NDIS guarantees while it
        // entrusts the request.
        unsafe { bytes(set.InformationBuffer.cast(), set.InformationBufferLength) }
    }

    /// Answers a query with these bytes, or tells how many there are.
    pub fn answer(mut self, answer: &[u8]) -> OidOutcome {
        let length = answer.len() as u32;
        let query = self.query_fields();
        if query.InformationBufferLength < length || query.InformationBuffer.is_null() {
            query.BytesNeeded = length;
            return OidOutcome(Status::BUFFER_TOO_SHORT);
        }
        // SAFETY: the buffer holds `InformationBufferLength` bytes, which are enough.
        unsafe {
            ptr::copy_nonoverlapping(
                answer.as_ptr(),
                query.InformationBuffer.cast(),
                answer.len(),
            );
        }
        query.BytesWritten = length;
        OidOutcome(Status::SUCCESS)
    }

    /// Answers OID_GEN_STATISTICS.
    pub fn answer_statistics(self, statistics: &GeneralStatistics) -> OidOutcome {
        let raw = statistics.to_raw();
        let start = (&raw const raw).cast();
        // SAFETY: the structure is integers without padding, as the assertion beside it says.
        let answer = unsafe { bytes(start, size_of_val(&raw) as u32) };
        self.answer(answer)
    }

    /// Answers OID_GEN_INTERRUPT_MODERATION for an adapter without interrupts.
    pub fn answer_no_interrupts(self) -> OidOutcome {
        let raw = sys::NDIS_INTERRUPT_MODERATION_PARAMETERS {
            Header: sys::NDIS_OBJECT_HEADER {
                Type: sys::NDIS_OBJECT_TYPE_DEFAULT,
                Revision: sys::NDIS_INTERRUPT_MODERATION_PARAMETERS_REVISION_1,
                Size: sys::NDIS_SIZEOF_INTERRUPT_MODERATION_PARAMETERS_REVISION_1,
            },
            Flags: 0,
            InterruptModeration: sys::NdisInterruptModerationNotSupported,
        };
        const { assert!(size_of::<sys::NDIS_INTERRUPT_MODERATION_PARAMETERS>() == 12) };
        let start = (&raw const raw).cast();
        // SAFETY: the structure is three integers without padding.
        let answer = unsafe { bytes(start, size_of_val(&raw) as u32) };
        self.answer(answer)
    }

    /// Answers a query for a counter, in 64 bits if they fit, else in 32.
    pub fn answer_counter(mut self, counter: u64) -> OidOutcome {
        let query = self.query_fields();
        if query.InformationBufferLength >= 8 {
            return self.answer(&counter.to_ne_bytes());
        }
        if query.InformationBufferLength >= 4 {
            query.BytesNeeded = 8;
            return self.answer(&(counter as u32).to_ne_bytes());
        }
        self.answer(&counter.to_ne_bytes())
    }

    /// Takes a set request whose data was used whole.
    pub fn accept(mut self) -> OidOutcome {
        let set = self.set_fields();
        set.BytesRead = set.InformationBufferLength;
        OidOutcome(Status::SUCCESS)
    }

    /// Refuses a set request whose data has the wrong length.
    pub fn refuse_length(mut self, needed: u32) -> OidOutcome {
        let set = self.set_fields();
        set.BytesRead = 0;
        set.BytesNeeded = needed;
        OidOutcome(Status::INVALID_LENGTH)
    }

    /// Completes the request with a status and no data.
    ///
    /// # Panics
    /// If the status is pending: a request that is left open is [pended](Self::pend).
    pub fn complete(self, status: Status) -> OidOutcome {
        assert_ne!(
            status,
            Status::PENDING,
            "a request is completed with its final status"
        );
        OidOutcome(status)
    }

    /// Leaves the request open. It must be completed through what comes out.
    pub fn pend(self, adapter: MiniportHandle) -> (PendedOid, OidOutcome) {
        (
            PendedOid {
                raw: self.raw,
                adapter,
            },
            OidOutcome(Status::PENDING),
        )
    }

    fn get(&self) -> &sys::NDIS_OID_REQUEST {
        // SAFETY: the request is this driver's until it is completed.
        unsafe { self.raw.as_ref() }
    }

    fn get_mut(&mut self) -> &mut sys::NDIS_OID_REQUEST {
        // SAFETY: the request is this driver's until it is completed.
        unsafe { self.raw.as_mut() }
    }

    fn query_fields(&mut self) -> &mut sys::NDIS_OID_REQUEST_QUERY {
        assert_eq!(self.kind(), Kind::Query, "only a query is answered");
        // SAFETY: the request is a query.
        unsafe { &mut self.get_mut().DATA.QUERY_INFORMATION }
    }

    fn set_fields(&mut self) -> &mut sys::NDIS_OID_REQUEST_SET {
        assert_eq!(self.kind(), Kind::Set, "only a set request takes data");
        // SAFETY: the request is a set request.
        unsafe { &mut self.get_mut().DATA.SET_INFORMATION }
    }
}

impl OidOutcome {
    pub(crate) const fn raw(self) -> sys::NDIS_STATUS {
        self.0.raw()
    }
}

impl OidOutcome {
    /// How the request was completed, or [`Status::PENDING`].
    #[must_use]
    pub const fn status(&self) -> Status {
        self.0
    }
}

impl PendedOid {
    /// What it asks for.
    #[must_use]
    pub fn oid(&self) -> u32 {
        // SAFETY: the request is this driver's until it is completed.
        let data = unsafe { &self.raw.as_ref().DATA };
        // SAFETY: every member of the union begins with the OID.
        unsafe { data.Oid }
    }

    /// Completes the request. Of a set request that succeeds, all data was used.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`. Source: NdisMOidRequestComplete.
    pub fn complete(self, status: Status) {
        let (raw, adapter) = (self.raw, self.adapter);
        core::mem::forget(self);
        let complete = || {
            // SAFETY: the request was pended by this adapter and is completed once, here.
            unsafe { sys::NdisMOidRequestComplete(adapter.raw(), raw.as_ptr(), status.raw()) };
        };
        // SAFETY: every regular request comes by `dispatch`; the rest as above.
        unsafe { way::finish(raw, status, complete) };
    }

    /// Completes a set request whose data was used whole.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    pub fn accept(mut self) {
        // SAFETY: the request is this driver's until it is completed.
        let data = unsafe { &mut self.raw.as_mut().DATA };
        // SAFETY: only set requests are accepted, as their kind says.
        let set = unsafe { &mut data.SET_INFORMATION };
        set.BytesRead = set.InformationBufferLength;
        self.complete(Status::SUCCESS);
    }
}

impl Drop for PendedOid {
    fn drop(&mut self) {
        panic!("a pended OID request was dropped instead of being completed");
    }
}

/// A buffer of a request; an absent one is empty.
///
/// # Safety
/// `start` is null, or points at `length` bytes that stay as they are for `'a`.
unsafe fn bytes<'a>(start: *const u8, length: u32) -> &'a [u8] {
    if start.is_null() {
        return &[];
    }
    // SAFETY: as the caller says.
    unsafe { slice::from_raw_parts(start, length as usize) }
}
