//! The fields of an OID request, by its type.

use std::ffi::c_void;
use std::ptr;

use ndis_sys::{
    NDIS_OBJECT_HEADER, NDIS_OBJECT_TYPE_OID_REQUEST, NDIS_OID, NDIS_OID_REQUEST,
    NDIS_OID_REQUEST_QUERY, NDIS_OID_REQUEST_REVISION_1, NDIS_REQUEST_TYPE,
    NDIS_SIZEOF_OID_REQUEST_REVISION_1, NDIS_STATUS, NDIS_STATUS_BUFFER_TOO_SHORT,
    NDIS_STATUS_SUCCESS, NdisRequestMethod, NdisRequestQueryInformation,
    NdisRequestQueryStatistics, NdisRequestSetInformation,
};

use crate::ndis::header;

/// A request that is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request(*mut NDIS_OID_REQUEST);

// SAFETY: whoever has a request on its way is its only user, and hands it on by the queue.
unsafe impl Send for Request {}

impl Request {
    /// # Safety
    /// A request that lives, with its buffer, as long as the value is used.
    pub(crate) unsafe fn new(request: *mut NDIS_OID_REQUEST) -> Self {
        Self(request)
    }

    /// A request that a driver passed to `function`, with a header that is checked.
    ///
    /// # Safety
    /// As for [`Request::new`].
    pub(crate) unsafe fn checked(request: *mut NDIS_OID_REQUEST, function: &str) -> Self {
        // SAFETY: the caller's contract.
        let head = unsafe { (*request).Header };
        header::require(
            &head,
            NDIS_OBJECT_TYPE_OID_REQUEST,
            &[(
                NDIS_OID_REQUEST_REVISION_1,
                NDIS_SIZEOF_OID_REQUEST_REVISION_1,
            )],
            function,
        );
        Self(request)
    }

    pub(crate) fn raw(self) -> *mut NDIS_OID_REQUEST {
        self.0
    }

    pub(crate) fn kind(self) -> NDIS_REQUEST_TYPE {
        // SAFETY: the request lives, by `new`.
        unsafe { (*self.0).RequestType }
    }

    pub(crate) fn oid(self) -> NDIS_OID {
        self.query().Oid
    }

    pub(crate) fn id(self) -> *mut c_void {
        // SAFETY: the request lives.
        unsafe { (*self.0).RequestId }
    }

    pub(crate) fn is_query(self) -> bool {
        matches!(
            self.kind(),
            NdisRequestQueryInformation | NdisRequestQueryStatistics
        )
    }

    pub(crate) fn is_set(self) -> bool {
        self.kind() == NdisRequestSetInformation
    }

    pub(crate) fn is_method(self) -> bool {
        self.kind() == NdisRequestMethod
    }

    /// The request as a query: a set has the same layout, and all begin with the OID.
    fn query(self) -> NDIS_OID_REQUEST_QUERY {
        // SAFETY: the request lives, by `new`.
        let data = unsafe { (*self.0).DATA };
        // SAFETY: all bytes are valid in this member.
        unsafe { data.QUERY_INFORMATION }
    }

    /// The buffer's address and length: of a query or a set.
    fn buffer(self) -> (*mut u8, usize) {
        let query = self.query();
        (
            query.InformationBuffer.cast(),
            query.InformationBufferLength as usize,
        )
    }

    /// What a set sets.
    pub(crate) fn input(self) -> Vec<u8> {
        let (start, length) = self.buffer();
        if start.is_null() {
            return Vec::new();
        }
        // SAFETY: the buffer lives with the request and has this length.
        unsafe { std::slice::from_raw_parts(start, length) }.to_vec()
    }

    /// Overwrites a part of what a set sets.
    pub(crate) fn put(self, offset: usize, bytes: &[u8]) {
        let (start, length) = self.buffer();
        assert!(
            offset + bytes.len() <= length,
            "the part lies within the buffer"
        );
        // SAFETY: the buffer lives with the request, and the part lies within it.
        let place = unsafe { start.add(offset) };
        // SAFETY: as above.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), place, bytes.len()) };
    }

    /// Answers a query with `bytes`, or says how many bytes it needs.
    pub(crate) fn answer(self, bytes: &[u8]) -> NDIS_STATUS {
        let (start, length) = self.buffer();
        let (written, status) = if start.is_null() || length < bytes.len() {
            (0, NDIS_STATUS_BUFFER_TOO_SHORT)
        } else {
            // SAFETY: the buffer lives with the request and is long enough.
            unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), start, bytes.len()) };
            (bytes.len() as u32, NDIS_STATUS_SUCCESS)
        };
        self.set_counts(written, bytes.len() as u32);
        status
    }

    /// Sets `BytesWritten` or `BytesRead`, and `BytesNeeded`.
    pub(crate) fn set_counts(self, done: u32, needed: u32) {
        // BytesRead of a set lies where BytesWritten of a query does.
        let mut query = self.query();
        query.BytesWritten = done;
        query.BytesNeeded = needed;
        // SAFETY: the request lives, by `new`, and this is its only reference.
        let request = unsafe { &mut *self.0 };
        request.DATA.QUERY_INFORMATION = query;
    }

    /// What a method request is given, as far as its answer would have room too.
    pub(crate) fn method_input(self) -> Vec<u8> {
        let (start, length) = self.method_buffer();
        if start.is_null() {
            return Vec::new();
        }
        // SAFETY: the buffer lives with the request and has this length.
        unsafe { std::slice::from_raw_parts(start, length) }.to_vec()
    }

    /// Answers a method request with as many bytes as there is room for.
    pub(crate) fn answer_method(self, answer: &[u8]) {
        let (start, room) = self.method_buffer();
        let length = room.min(answer.len());
        // SAFETY: the buffer lives with the request and has room for this length.
        unsafe { ptr::copy_nonoverlapping(answer.as_ptr(), start, length) };
        // SAFETY: the request lives, by `new`, and this is its only reference.
        let request = unsafe { &mut *self.0 };
        // SAFETY: the request is a method, as `method_buffer` makes sure.
        let method = unsafe { &mut request.DATA.METHOD_INFORMATION };
        method.BytesWritten = length as u32;
        method.BytesRead = length as u32;
    }

    fn method_buffer(self) -> (*mut u8, usize) {
        assert!(
            self.is_method(),
            "only a method has one buffer for both ways"
        );
        // SAFETY: the request lives, by `new`.
        let data = unsafe { (*self.0).DATA };
        // SAFETY: the request is a method, and all bytes are valid in its member.
        let method = unsafe { data.METHOD_INFORMATION };
        let start: *mut u8 = method.InformationBuffer.cast();
        let length = method.InputBufferLength.min(method.OutputBufferLength);
        (start, if start.is_null() { 0 } else { length as usize })
    }

    /// What the request says was done, and how much there is room for: (name of the count, it, limit).
    pub(crate) fn counts(self) -> (&'static str, u32, u32) {
        if self.is_method() {
            // SAFETY: the request lives, by `new`.
            let data = unsafe { (*self.0).DATA };
            // SAFETY: the request is a method, and all bytes are valid in its member.
            let method = unsafe { data.METHOD_INFORMATION };
            return (
                "BytesWritten",
                method.BytesWritten,
                method.OutputBufferLength,
            );
        }
        let query = self.query();
        let name = if self.is_set() {
            "BytesRead"
        } else {
            "BytesWritten"
        };
        (name, query.BytesWritten, query.InformationBufferLength)
    }

    /// `query 0x00010106`, for traces and reports.
    pub(crate) fn describe(self) -> String {
        let kind = match self.kind() {
            NdisRequestQueryInformation => "query",
            NdisRequestQueryStatistics => "query statistics",
            NdisRequestSetInformation => "set",
            NdisRequestMethod => "method",
            _ => "request",
        };
        format!("{kind} {:#010x}", self.oid())
    }
}

/// A new request of the host's with a buffer that outlives it.
pub(crate) fn new(kind: NDIS_REQUEST_TYPE, oid: NDIS_OID, buffer: &mut [u8]) -> NDIS_OID_REQUEST {
    let mut request = NDIS_OID_REQUEST {
        Header: NDIS_OBJECT_HEADER::new(
            NDIS_OBJECT_TYPE_OID_REQUEST,
            NDIS_OID_REQUEST_REVISION_1,
            NDIS_SIZEOF_OID_REQUEST_REVISION_1,
        ),
        RequestType: kind,
        ..NDIS_OID_REQUEST::zeroed()
    };
    request.DATA.QUERY_INFORMATION = NDIS_OID_REQUEST_QUERY {
        Oid: oid,
        InformationBuffer: buffer.as_mut_ptr().cast(),
        InformationBufferLength: buffer.len() as u32,
        BytesWritten: 0,
        BytesNeeded: 0,
    };
    request
}
