//! Status codes, status indications, and the structures that travel in those
//! (`ns-ndis-_ndis_status_indication.md`). The codes are in `status::codes`.

use crate::declare::{constants, size_through, structures};
use crate::handle::NDIS_HANDLE;
use crate::interface::*;
use crate::media::*;
use crate::nt::*;
use crate::object::NDIS_OBJECT_HEADER;
use crate::port::NDIS_PORT_NUMBER;

pub(crate) mod codes;
pub use codes::*;

/// The result of an NDIS function, or what a status indication is about. Success, the pending code
/// and some that mean neither are not negative: compare with `NDIS_STATUS_SUCCESS`.
pub type NDIS_STATUS = i32;
/// The code of an event log entry.
pub type NDIS_ERROR_CODE = ULONG;

structures! {
    /// A status on its way up.
    pub struct NDIS_STATUS_INDICATION {
        pub Header: NDIS_OBJECT_HEADER,
        pub SourceHandle: NDIS_HANDLE,
        pub PortNumber: NDIS_PORT_NUMBER,
        pub StatusCode: NDIS_STATUS,
        pub Flags: ULONG,
        pub DestinationHandle: NDIS_HANDLE,
        pub RequestId: PVOID,
        pub StatusBuffer: PVOID,
        pub StatusBufferSize: ULONG,
        pub Guid: GUID,
        pub NdisReserved: [PVOID; 4],
    }

    /// The link, with NDIS_STATUS_LINK_STATE (`ns-ntddndis-_ndis_link_state.md`).
    pub struct NDIS_LINK_STATE {
        pub Header: NDIS_OBJECT_HEADER,
        pub MediaConnectState: NDIS_MEDIA_CONNECT_STATE,
        pub MediaDuplexState: NDIS_MEDIA_DUPLEX_STATE,
        pub XmitLinkSpeed: ULONG64,
        pub RcvLinkSpeed: ULONG64,
        pub PauseFunctions: NDIS_SUPPORTED_PAUSE_FUNCTIONS,
        pub AutoNegotiationFlags: ULONG,
    }

    /// The link as it should be, OID_GEN_LINK_PARAMETERS (`oid-gen-link-parameters.md`).
    pub struct NDIS_LINK_PARAMETERS {
        pub Header: NDIS_OBJECT_HEADER,
        pub MediaDuplexState: NDIS_MEDIA_DUPLEX_STATE,
        pub XmitLinkSpeed: ULONG64,
        pub RcvLinkSpeed: ULONG64,
        pub PauseFunctions: NDIS_SUPPORTED_PAUSE_FUNCTIONS,
        pub AutoNegotiationFlags: ULONG,
    }

    /// The operational state, with NDIS_STATUS_OPER_STATUS (`ns-ntddndis-_ndis_oper_state.md`).
    pub struct NDIS_OPER_STATE {
        pub Header: NDIS_OBJECT_HEADER,
        pub OperationalStatus: NET_IF_OPER_STATUS,
        pub OperationalStatusFlags: ULONG,
    }
}

constants! {
    ULONG {
        NDIS_STATUS_INDICATION_FLAGS_MEDIA_CONNECT_TO_CONNECT = 0x1000,
        NDIS_STATUS_INDICATION_FLAGS_NDIS_RESERVED = 0xfff,
    }
    ULONG64 {
        /// A link speed that is not known, in bits a second.
        NDIS_LINK_SPEED_UNKNOWN = ULONG64::MAX,
    }
    UCHAR {
        NDIS_STATUS_INDICATION_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_STATUS_INDICATION_REVISION_1 =
            size_through!(NDIS_STATUS_INDICATION, NdisReserved),
    }
    UCHAR {
        NDIS_LINK_STATE_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_LINK_STATE_REVISION_1 = size_through!(NDIS_LINK_STATE, AutoNegotiationFlags),
    }
    UCHAR {
        NDIS_LINK_PARAMETERS_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_LINK_PARAMETERS_REVISION_1 =
            size_through!(NDIS_LINK_PARAMETERS, AutoNegotiationFlags),
    }
    UCHAR {
        NDIS_OPER_STATE_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_OPER_STATE_REVISION_1 = size_through!(NDIS_OPER_STATE, OperationalStatusFlags),
    }
}
