//! OID requests that somebody who is no protocol makes of an adapter: they reach its driver as they
//! are, also those that NDIS answers for protocols.

use std::{ptr, slice};

use ndis_sys::{
    NDIS_OID, NDIS_OID_REQUEST, NDIS_OID_REQUEST_METHOD, NDIS_REQUEST_TYPE, NDIS_STATUS,
    NdisRequestMethod, NdisRequestQueryInformation, NdisRequestSetInformation,
};

use super::{Lab, LabError, unknown};
use crate::ndis::oid::{self, request};
use crate::nt::pool::{self, Fill, Tag};

/// What a driver made of an OID request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// How it ended.
    pub status: NDIS_STATUS,
    /// The whole buffer, as long as it was given, with the answer of a query at its start.
    pub buffer: Vec<u8>,
    /// `BytesWritten` of a query or a method, `BytesRead` of a set.
    pub done: u32,
    /// `BytesNeeded`.
    pub needed: u32,
}

impl Answer {
    /// The answer of a query: as many bytes as the driver says that it wrote.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[..(self.done as usize).min(self.buffer.len())]
    }
}

impl Lab {
    /// Queries an adapter with a buffer of that many bytes.
    ///
    /// # Errors
    /// There is no such adapter.
    pub fn query(&self, label: &str, oid: NDIS_OID, room: usize) -> Result<Answer, LabError> {
        self.request(label, NdisRequestQueryInformation, oid, &vec![0xa5; room])
    }

    /// Begins a query of an adapter, and leaves it to go its way.
    ///
    /// # Errors
    /// There is no such adapter.
    pub fn query_start(&self, label: &str, oid: NDIS_OID, room: usize) -> Result<Query, LabError> {
        let adapter = self.adapter(label);
        let adapter = adapter.ok_or_else(|| unknown("adapter", label))?;
        let mut buffer = Guarded::new(&vec![0xa5; room]);
        let request = request::new(NdisRequestQueryInformation, oid, buffer.bytes());
        let mut request = Box::new(request);
        // SAFETY: the box and the buffer go into the answer, which waits before it drops them.
        let asked = self.as_host(|| unsafe { oid::begin(adapter, &raw mut *request) });
        Ok(Query {
            asked: Some(asked),
            _request: request,
            _buffer: buffer,
        })
    }

    /// Sets something of an adapter.
    ///
    /// # Errors
    /// There is no such adapter.
    pub fn set(&self, label: &str, oid: NDIS_OID, value: &[u8]) -> Result<Answer, LabError> {
        self.request(label, NdisRequestSetInformation, oid, value)
    }

    /// Makes a query or set request of that type, of which there are more than two.
    ///
    /// # Errors
    /// There is no such adapter.
    pub fn request(
        &self,
        label: &str,
        kind: NDIS_REQUEST_TYPE,
        oid: NDIS_OID,
        buffer: &[u8],
    ) -> Result<Answer, LabError> {
        let mut buffer = Guarded::new(buffer);
        let mut request = request::new(kind, oid, buffer.bytes());
        let status = self.ask(label, &mut request)?;
        // SAFETY: queries and sets have the same layout, and all bytes are valid.
        let done = unsafe { request.DATA.QUERY_INFORMATION };
        Ok(Answer {
            status,
            buffer: buffer.bytes().to_vec(),
            done: done.BytesWritten,
            needed: done.BytesNeeded,
        })
    }

    /// Makes a method request with a buffer for both ways.
    ///
    /// # Errors
    /// There is no such adapter.
    pub fn method(&self, label: &str, oid: NDIS_OID, buffer: &[u8]) -> Result<Answer, LabError> {
        let mut buffer = Guarded::new(buffer);
        let bytes = buffer.bytes();
        let mut request = request::new(NdisRequestMethod, oid, &mut []);
        let method = NDIS_OID_REQUEST_METHOD {
            Oid: oid,
            InformationBuffer: bytes.as_mut_ptr().cast(),
            InputBufferLength: bytes.len() as u32,
            OutputBufferLength: bytes.len() as u32,
            MethodId: 0,
            BytesWritten: 0,
            BytesRead: 0,
            BytesNeeded: 0,
        };
        request.DATA.METHOD_INFORMATION = method;
        let status = self.ask(label, &mut request)?;
        // SAFETY: the request is a method.
        let done = unsafe { request.DATA.METHOD_INFORMATION };
        Ok(Answer {
            status,
            buffer: buffer.bytes().to_vec(),
            done: done.BytesWritten,
            needed: done.BytesNeeded,
        })
    }
}

/// A query on its way. When it is dropped, its end is waited for.
pub struct Query {
    // None once it has ended.
    asked: Option<oid::Asked>,
    _request: Box<NDIS_OID_REQUEST>,
    _buffer: Guarded,
}

impl Drop for Query {
    fn drop(&mut self) {
        if let Some(asked) = self.asked.take() {
            asked.wait();
        }
    }
}

/// The buffer of a request: the page right behind its last byte cannot be touched, so that a driver that
/// looks past its end is found.
struct Guarded {
    start: *mut u8,
    length: usize,
}

impl Guarded {
    fn new(bytes: &[u8]) -> Self {
        let length = bytes.len();
        let start = if bytes.is_empty() {
            ptr::dangling_mut()
        } else {
            let tag = Tag::from(u32::from_le_bytes(*b"NDoi"));
            pool::allocate_with(length, tag, pool::Kind::NonPaged, 1, Fill::Zero)
        };
        assert!(!start.is_null(), "there is memory for a request");
        let mut buffer = Self { start, length };
        buffer.bytes().copy_from_slice(bytes);
        buffer
    }

    fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: the block has this many bytes, all initialized, until the buffer is dropped.
        unsafe { slice::from_raw_parts_mut(self.start, self.length) }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        if self.length != 0 {
            pool::free(self.start, None);
        }
    }
}
