//! The one NDIS function with any number of arguments, which no macro here can declare.

use crate::declare::Function;
use crate::nt::*;
use crate::{handle::NDIS_HANDLE, status::NDIS_ERROR_CODE};

#[cfg_attr(
    windows,
    link(name = "ndis.sys", kind = "raw-dylib", modifiers = "+verbatim")
)]
unsafe extern "C" {
    /// Writes up to `NumberOfErrorValues` values of 32 bits to the system event log. Up to
    /// DISPATCH_LEVEL (`nf-ndis-ndiswriteerrorlogentry.md`).
    pub fn NdisWriteErrorLogEntry(
        NdisAdapterHandle: NDIS_HANDLE,
        ErrorCode: NDIS_ERROR_CODE,
        NumberOfErrorValues: ULONG,
        ...
    );
}

pub(crate) const FUNCTIONS: &[Function] = &[Function {
    name: "NdisWriteErrorLogEntry",
    module: "ndis.sys",
    irql_min: PASSIVE_LEVEL,
    irql_max: DISPATCH_LEVEL,
}];
