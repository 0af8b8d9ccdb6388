//! Network interfaces as NDIS names them: LUIDs, indices, states (`ns-ndis-_net_if_information.md`,
//! the `ifdef` header).

use crate::declare::{bits, callbacks, constants, size_through, structures};
use crate::handle::NDIS_HANDLE;
use crate::media::*;
use crate::nt::*;
use crate::object::NDIS_OBJECT_HEADER;
use crate::oid::NDIS_OID;
use crate::status::NDIS_STATUS;

/// An interface's index; zero is none.
pub type NET_IFINDEX = ULONG;
/// An IANA interface type.
pub type NET_IFTYPE = USHORT;
/// A network compartment.
pub type NET_IF_COMPARTMENT_ID = ULONG;
/// A network's GUID.
pub type NET_IF_NETWORK_GUID = GUID;

callbacks! {
    /// Answers what NDIS asks of an interface (`nc-ndis-if_query_object.md`).
    fn IFP_QUERY_OBJECT = IF_QUERY_OBJECT_HANDLER [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        ProviderIfContext: NDIS_HANDLE,
        ObjectId: NDIS_OID,
        pOutputBufferLength: *mut ULONG,
        pOutputBuffer: PVOID,
    ) -> NDIS_STATUS;

    /// Sets something of an interface (`nc-ndis-if_set_object.md`).
    fn IFP_SET_OBJECT = IF_SET_OBJECT_HANDLER [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        ProviderIfContext: NDIS_HANDLE,
        ObjectId: NDIS_OID,
        InputBufferLength: ULONG,
        pInputBuffer: PVOID,
    ) -> NDIS_STATUS;
}

structures! {
    /// What `NdisIfRegisterProvider` registers (`ns-ndis-_ndis_if_provider_characteristics.md`).
    pub struct NDIS_IF_PROVIDER_CHARACTERISTICS {
        pub Header: NDIS_OBJECT_HEADER,
        pub QueryObjectHandler: IF_QUERY_OBJECT_HANDLER,
        pub SetObjectHandler: IF_SET_OBJECT_HANDLER,
        pub Reserved1: PVOID,
        pub Reserved2: PVOID,
    }

    /// The locally unique name of an interface.
    pub struct NET_LUID_LH {
        pub Value: ULONG64,
    }

    /// What an interface provider says of an interface (`ns-ndis-_net_if_information.md`).
    pub struct NET_IF_INFORMATION {
        pub Header: NDIS_OBJECT_HEADER,
        pub Flags: ULONG,
        pub PhysicalLocation: NET_PHYSICAL_LOCATION_LH,
        pub WanTunnelType: ULONG,
        pub PortNumber: ULONG,
        pub AccessType: NET_IF_ACCESS_TYPE,
        pub DirectionType: NET_IF_DIRECTION_TYPE,
        pub ConnectionType: NET_IF_CONNECTION_TYPE,
        pub ifConnectorPresent: BOOLEAN,
        pub PhysAddressLength: USHORT,
        pub PhysAddressOffset: USHORT,
        pub PermanentPhysAddressOffset: USHORT,
        pub FriendlyNameLength: USHORT,
        pub FriendlyNameOffset: USHORT,
        pub InterfaceGuid: GUID,
        pub NetworkGuid: GUID,
        pub SupportedStatistics: ULONG,
        pub MediaType: NDIS_MEDIUM,
        pub PhysicalMediumType: NDIS_PHYSICAL_MEDIUM,
    }

    /// Where on a bus an interface is.
    pub struct NET_PHYSICAL_LOCATION_LH {
        pub BusNumber: ULONG,
        pub SlotNumber: ULONG,
        pub FunctionNumber: ULONG,
    }

    /// One address that an interface receives for.
    pub struct NET_IF_RCV_ADDRESS_LH {
        pub ifRcvAddressType: NET_IF_RCV_ADDRESS_TYPE,
        pub ifRcvAddressLength: USHORT,
        pub ifRcvAddressOffset: USHORT,
    }

    /// A counted interface string of up to 256 characters and a null.
    pub struct IF_COUNTED_STRING_LH {
        /// Bytes used in `String`.
        pub Length: USHORT,
        pub String: [WCHAR; 257],
    }
}

bits! {
    NET_LUID_LH.Value: ULONG64 {
        Reserved / set_Reserved: 0..=23,
        NetLuidIndex / set_NetLuidIndex: 24..=47,
        IfType / set_IfType: 48..=63,
    }
}

/// The name that newer headers use.
pub type NET_LUID = NET_LUID_LH;
/// How an address in `NET_IF_RCV_ADDRESS_LH` came to be.
pub type NET_IF_RCV_ADDRESS_TYPE = i32;
/// Operational state, RFC 2863.
pub type NET_IF_OPER_STATUS = i32;
/// Administrative state, RFC 2863.
pub type NET_IF_ADMIN_STATUS = i32;
/// How an interface connects.
pub type NET_IF_CONNECTION_TYPE = i32;
/// What can be reached at once.
pub type NET_IF_ACCESS_TYPE = i32;
/// Which way data goes.
pub type NET_IF_DIRECTION_TYPE = i32;
/// Whether there is a link.
pub type NET_IF_MEDIA_CONNECT_STATE = i32;
/// The link's duplex state.
pub type NET_IF_MEDIA_DUPLEX_STATE = i32;
/// The NDIS name of the same enumeration.
pub type NDIS_MEDIA_CONNECT_STATE = NET_IF_MEDIA_CONNECT_STATE;
/// The NDIS name of the same enumeration.
pub type NDIS_MEDIA_DUPLEX_STATE = NET_IF_MEDIA_DUPLEX_STATE;

constants! {
    NET_IFTYPE {
        /// Ethernet-like interfaces, RFC 2665 (`IF_TYPE_*` of the `ipifcons` header).
        IF_TYPE_ETHERNET_CSMACD = 6,
        /// A software loopback interface.
        IF_TYPE_SOFTWARE_LOOPBACK = 24,
    }
    usize {
        /// The longest physical address that an interface can have.
        IF_MAX_PHYS_ADDRESS_LENGTH = 32,
        /// The longest MAC address that NDIS handles.
        NDIS_MAX_PHYS_ADDRESS_LENGTH = IF_MAX_PHYS_ADDRESS_LENGTH,
        /// `NDIS_IF_MAX_STRING_SIZE`: the longest interface string, in characters.
        NDIS_IF_MAX_STRING_SIZE = 256,
    }
    NET_IF_COMPARTMENT_ID {
        /// The compartment that is none.
        NET_IF_COMPARTMENT_ID_UNSPECIFIED = 0,
        /// The compartment every interface starts in.
        NET_IF_COMPARTMENT_ID_PRIMARY = 1,
    }
    NET_IF_OPER_STATUS {
        NET_IF_OPER_STATUS_UP = 1,
        NET_IF_OPER_STATUS_DOWN = 2,
        NET_IF_OPER_STATUS_TESTING = 3,
        NET_IF_OPER_STATUS_UNKNOWN = 4,
        NET_IF_OPER_STATUS_DORMANT = 5,
        NET_IF_OPER_STATUS_NOT_PRESENT = 6,
        NET_IF_OPER_STATUS_LOWER_LAYER_DOWN = 7,
    }
    NET_IF_ADMIN_STATUS {
        NET_IF_ADMIN_STATUS_UP = 1,
        NET_IF_ADMIN_STATUS_DOWN = 2,
        NET_IF_ADMIN_STATUS_TESTING = 3,
    }
    NET_IF_CONNECTION_TYPE {
        NET_IF_CONNECTION_DEDICATED = 1,
        NET_IF_CONNECTION_PASSIVE = 2,
        NET_IF_CONNECTION_DEMAND = 3,
        NET_IF_CONNECTION_MAXIMUM = 4,
    }
    NET_IF_ACCESS_TYPE {
        NET_IF_ACCESS_LOOPBACK = 1,
        NET_IF_ACCESS_BROADCAST = 2,
        NET_IF_ACCESS_POINT_TO_POINT = 3,
        NET_IF_ACCESS_POINT_TO_MULTI_POINT = 4,
        NET_IF_ACCESS_MAXIMUM = 5,
    }
    NET_IF_DIRECTION_TYPE {
        NET_IF_DIRECTION_SENDRECEIVE = 0,
        NET_IF_DIRECTION_SENDONLY = 1,
        NET_IF_DIRECTION_RECEIVEONLY = 2,
        NET_IF_DIRECTION_MAXIMUM = 3,
    }
    NET_IF_MEDIA_CONNECT_STATE {
        MediaConnectStateUnknown = 0,
        MediaConnectStateConnected = 1,
        MediaConnectStateDisconnected = 2,
    }
    NET_IF_MEDIA_DUPLEX_STATE {
        MediaDuplexStateUnknown = 0,
        MediaDuplexStateHalf = 1,
        MediaDuplexStateFull = 2,
    }
    USHORT {
        NDIS_SIZEOF_IF_PROVIDER_CHARACTERISTICS_REVISION_1 =
            size_through!(NDIS_IF_PROVIDER_CHARACTERISTICS, Reserved2),
        NDIS_SIZEOF_NET_IF_INFORMATION_REVISION_1 =
            size_through!(NET_IF_INFORMATION, PhysicalMediumType),
    }
}

const _: () = assert!(size_of::<NDIS_IF_PROVIDER_CHARACTERISTICS>() == 40);
