//! OID requests that somebody who is no protocol makes of an adapter: they reach its driver as they
//! are, also those that NDIS answers for protocols.

use ndis_sys::{
    NDIS_OID, NDIS_OID_REQUEST_METHOD, NDIS_REQUEST_TYPE, NDIS_STATUS, NdisRequestMethod,
    NdisRequestQueryInformation, NdisRequestSetInformation,
};

use super::{Lab, LabError};
use crate::ndis::oid::request;

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
        let mut buffer = buffer.to_vec();
        let mut request = request::new(kind, oid, &mut buffer);
        let status = self.ask(label, &mut request)?;
        // SAFETY: queries and sets have the same layout, and all bytes are valid.
        let done = unsafe { request.DATA.QUERY_INFORMATION };
        Ok(Answer {
            status,
            buffer,
            done: done.BytesWritten,
            needed: done.BytesNeeded,
        })
    }

    /// Makes a method request with a buffer for both ways.
    ///
    /// # Errors
    /// There is no such adapter.
    pub fn method(&self, label: &str, oid: NDIS_OID, buffer: &[u8]) -> Result<Answer, LabError> {
        let mut buffer = buffer.to_vec();
        let mut request = request::new(NdisRequestMethod, oid, &mut []);
        let method = NDIS_OID_REQUEST_METHOD {
            Oid: oid,
            InformationBuffer: buffer.as_mut_ptr().cast(),
            InputBufferLength: buffer.len() as u32,
            OutputBufferLength: buffer.len() as u32,
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
            buffer,
            done: done.BytesWritten,
            needed: done.BytesNeeded,
        })
    }
}
