//! NDIS ports: parts of an adapter with a state of their own (`ns-ntddndis-_ndis_port.md`). The
//! default port is number 0 and most adapters have no other.

use crate::declare::{constants, size_through, structures};
use crate::interface::*;
use crate::nt::*;
use crate::object::NDIS_OBJECT_HEADER;

/// A port's number.
pub type NDIS_PORT_NUMBER = ULONG;

structures! {
    /// A port in a list.
    pub struct NDIS_PORT {
        pub Next: *mut NDIS_PORT,
        pub NdisReserved: PVOID,
        pub MiniportReserved: PVOID,
        pub ProtocolReserved: PVOID,
        pub PortCharacteristics: NDIS_PORT_CHARACTERISTICS,
    }

    /// All ports (OID_GEN_ENUMERATE_PORTS).
    pub struct NDIS_PORT_ARRAY {
        pub Header: NDIS_OBJECT_HEADER,
        pub NumberOfPorts: ULONG,
        pub OffsetFirstPort: ULONG,
        pub ElementSize: ULONG,
        pub Ports: [NDIS_PORT_CHARACTERISTICS; 1],
    }

    /// What a port is.
    pub struct NDIS_PORT_CHARACTERISTICS {
        pub Header: NDIS_OBJECT_HEADER,
        pub PortNumber: NDIS_PORT_NUMBER,
        pub Flags: ULONG,
        pub Type: NDIS_PORT_TYPE,
        pub MediaConnectState: NDIS_MEDIA_CONNECT_STATE,
        pub XmitLinkSpeed: ULONG64,
        pub RcvLinkSpeed: ULONG64,
        pub Direction: NET_IF_DIRECTION_TYPE,
        pub SendControlState: NDIS_PORT_CONTROL_STATE,
        pub RcvControlState: NDIS_PORT_CONTROL_STATE,
        pub SendAuthorizationState: NDIS_PORT_AUTHORIZATION_STATE,
        pub RcvAuthorizationState: NDIS_PORT_AUTHORIZATION_STATE,
    }

    /// A port's state (NDIS_STATUS_PORT_STATE).
    pub struct NDIS_PORT_STATE {
        pub Header: NDIS_OBJECT_HEADER,
        pub MediaConnectState: NDIS_MEDIA_CONNECT_STATE,
        pub XmitLinkSpeed: ULONG64,
        pub RcvLinkSpeed: ULONG64,
        pub Direction: NET_IF_DIRECTION_TYPE,
        pub SendControlState: NDIS_PORT_CONTROL_STATE,
        pub RcvControlState: NDIS_PORT_CONTROL_STATE,
        pub SendAuthorizationState: NDIS_PORT_AUTHORIZATION_STATE,
        pub RcvAuthorizationState: NDIS_PORT_AUTHORIZATION_STATE,
        pub Flags: ULONG,
    }

    /// A port's 802.1X state.
    pub struct NDIS_PORT_AUTHENTICATION_PARAMETERS {
        pub Header: NDIS_OBJECT_HEADER,
        pub SendControlState: NDIS_PORT_CONTROL_STATE,
        pub RcvControlState: NDIS_PORT_CONTROL_STATE,
        pub SendAuthorizationState: NDIS_PORT_AUTHORIZATION_STATE,
        pub RcvAuthorizationState: NDIS_PORT_AUTHORIZATION_STATE,
    }
}

/// What a port is for.
pub type NDIS_PORT_TYPE = i32;
/// 802.1X authorization.
pub type NDIS_PORT_AUTHORIZATION_STATE = i32;
/// Whether 802.1X controls the port.
pub type NDIS_PORT_CONTROL_STATE = i32;

constants! {
    NDIS_PORT_TYPE {
        NdisPortTypeUndefined = 0,
        NdisPortTypeBridge = 1,
        NdisPortTypeRasConnection = 2,
        NdisPortType8021xSupplicant = 3,
        NdisPortTypeNdisImPlatform = 4,
        NdisPortTypeMax = 5,
    }
    NDIS_PORT_AUTHORIZATION_STATE {
        NdisPortAuthorizationUnknown = 0,
        NdisPortAuthorized = 1,
        NdisPortUnauthorized = 2,
        NdisPortReauthorizing = 3,
    }
    NDIS_PORT_CONTROL_STATE {
        NdisPortControlStateUnknown = 0,
        NdisPortControlStateControlled = 1,
        NdisPortControlStateUncontrolled = 2,
    }
    NDIS_PORT_NUMBER {
        NDIS_DEFAULT_PORT_NUMBER = 0,
    }
    ULONG {
        NDIS_PORT_CHAR_USE_DEFAULT_AUTH_SETTINGS = 0x1,
    }
    UCHAR {
        NDIS_PORT_ARRAY_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_PORT_ARRAY_REVISION_1 = size_through!(NDIS_PORT_ARRAY, Ports),
    }
    UCHAR {
        NDIS_PORT_CHARACTERISTICS_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_PORT_CHARACTERISTICS_REVISION_1 =
            size_through!(NDIS_PORT_CHARACTERISTICS, RcvAuthorizationState),
    }
    UCHAR {
        NDIS_PORT_STATE_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_PORT_STATE_REVISION_1 = size_through!(NDIS_PORT_STATE, Flags),
    }
    UCHAR {
        NDIS_PORT_AUTHENTICATION_PARAMETERS_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_PORT_AUTHENTICATION_PARAMETERS_REVISION_1 =
            size_through!(NDIS_PORT_AUTHENTICATION_PARAMETERS, RcvAuthorizationState),
    }
}
