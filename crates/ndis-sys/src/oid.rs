//! OID requests: queries and settings that travel down to an adapter
//! (`ns-oidrequest-ndis_oid_request.md`). The codes are in `oid::codes`.

use crate::declare::{constants, size_through, structures};
use crate::handle::NDIS_HANDLE;
use crate::hardware::{NDIS_NIC_SWITCH_ID, NDIS_NIC_SWITCH_VPORT_ID};
use crate::nt::*;
use crate::object::NDIS_OBJECT_HEADER;
use crate::port::NDIS_PORT_NUMBER;

pub(crate) mod codes;
pub use codes::*;

/// An object identifier: what a request is about.
pub type NDIS_OID = ULONG;

structures! {
    /// One request; who made it owns it until it is completed.
    pub struct NDIS_OID_REQUEST {
        pub Header: NDIS_OBJECT_HEADER,
        pub RequestType: NDIS_REQUEST_TYPE,
        pub PortNumber: NDIS_PORT_NUMBER,
        pub Timeout: UINT,
        pub RequestId: PVOID,
        pub RequestHandle: NDIS_HANDLE,
        pub DATA: NDIS_OID_REQUEST_DATA,
        pub NdisReserved: [UCHAR; 128],
        pub MiniportReserved: [UCHAR; 16],
        pub SourceReserved: [UCHAR; 16],
        pub SupportedRevision: UCHAR,
        pub Reserved1: UCHAR,
        pub Reserved2: USHORT,
        pub SwitchId: NDIS_NIC_SWITCH_ID,
        pub VPortId: NDIS_NIC_SWITCH_VPORT_ID,
        pub Flags: ULONG,
    }

    /// The request by its type; all begin with the OID.
    pub union NDIS_OID_REQUEST_DATA {
        pub Oid: NDIS_OID,
        /// For `NdisRequestQueryInformation` and `NdisRequestQueryStatistics`.
        pub QUERY_INFORMATION: NDIS_OID_REQUEST_QUERY,
        /// For `NdisRequestSetInformation`.
        pub SET_INFORMATION: NDIS_OID_REQUEST_SET,
        /// For `NdisRequestMethod`.
        pub METHOD_INFORMATION: NDIS_OID_REQUEST_METHOD,
    }

    /// A query.
    pub struct NDIS_OID_REQUEST_QUERY {
        pub Oid: NDIS_OID,
        pub InformationBuffer: PVOID,
        /// Bytes.
        pub InformationBufferLength: UINT,
        /// Bytes that the answer took.
        pub BytesWritten: UINT,
        /// Bytes that the answer would take.
        pub BytesNeeded: UINT,
    }

    /// A setting.
    pub struct NDIS_OID_REQUEST_SET {
        pub Oid: NDIS_OID,
        pub InformationBuffer: PVOID,
        /// Bytes.
        pub InformationBufferLength: UINT,
        /// Bytes that were taken.
        pub BytesRead: UINT,
        /// Bytes that would be taken.
        pub BytesNeeded: UINT,
    }

    /// A setting with an answer.
    pub struct NDIS_OID_REQUEST_METHOD {
        pub Oid: NDIS_OID,
        pub InformationBuffer: PVOID,
        /// Bytes of the setting.
        pub InputBufferLength: ULONG,
        /// Bytes there are for the answer.
        pub OutputBufferLength: ULONG,
        pub MethodId: ULONG,
        pub BytesWritten: UINT,
        pub BytesRead: UINT,
        pub BytesNeeded: UINT,
    }

    /// One counter in a list of counters.
    pub struct NDIS_STATISTICS_VALUE {
        pub Oid: NDIS_OID,
        pub DataLength: ULONG,
        pub Data: [UCHAR; 1],
    }

    /// Answer to OID_GEN_LINK_SPEED_EX and OID_GEN_MAX_LINK_SPEED: bits a second.
    pub struct NDIS_LINK_SPEED {
        pub XmitLinkSpeed: ULONG64,
        pub RcvLinkSpeed: ULONG64,
    }

    /// For OID_GEN_INTERRUPT_MODERATION (`ns-ntddndis-_ndis_interrupt_moderation_parameters.md`).
    pub struct NDIS_INTERRUPT_MODERATION_PARAMETERS {
        pub Header: NDIS_OBJECT_HEADER,
        pub Flags: ULONG,
        pub InterruptModeration: NDIS_INTERRUPT_MODERATION,
    }
}

/// What kind of request it is (`NDIS_REQUEST_TYPE` of the `oidrequest` header).
pub type NDIS_REQUEST_TYPE = i32;
/// Whether interrupts are moderated.
pub type NDIS_INTERRUPT_MODERATION = i32;

constants! {
    NDIS_REQUEST_TYPE {
        NdisRequestQueryInformation = 0,
        NdisRequestSetInformation = 1,
        NdisRequestQueryStatistics = 2,
        NdisRequestOpen = 3,
        NdisRequestClose = 4,
        NdisRequestSend = 5,
        NdisRequestTransferData = 6,
        NdisRequestReset = 7,
        NdisRequestGeneric1 = 8,
        NdisRequestGeneric2 = 9,
        NdisRequestGeneric3 = 10,
        NdisRequestGeneric4 = 11,
        NdisRequestMethod = 12,
    }
    NDIS_INTERRUPT_MODERATION {
        NdisInterruptModerationUnknown = 0,
        NdisInterruptModerationNotSupported = 1,
        NdisInterruptModerationEnabled = 2,
        NdisInterruptModerationDisabled = 3,
    }
    UCHAR {
        NDIS_OID_REQUEST_REVISION_1 = 1,
        NDIS_OID_REQUEST_REVISION_2 = 2,
    }
    USHORT {
        NDIS_SIZEOF_OID_REQUEST_REVISION_1 = size_through!(NDIS_OID_REQUEST, Reserved2),
        NDIS_SIZEOF_OID_REQUEST_REVISION_2 = size_through!(NDIS_OID_REQUEST, Flags),
    }
    UCHAR {
        NDIS_INTERRUPT_MODERATION_PARAMETERS_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_INTERRUPT_MODERATION_PARAMETERS_REVISION_1 =
            size_through!(NDIS_INTERRUPT_MODERATION_PARAMETERS, InterruptModeration),
    }
}
