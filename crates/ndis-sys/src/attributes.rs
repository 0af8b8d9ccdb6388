//! The attributes that a miniport adapter reports by `NdisMSetMiniportAttributes`
//! (`ns-ndis-_ndis_miniport_adapter_attributes.md`).

use crate::declare::{constants, opaque, size_through, structures};
use crate::handle::NDIS_HANDLE;
use crate::hardware::*;
use crate::interface::*;
use crate::media::*;
use crate::nt::*;
use crate::object::NDIS_OBJECT_HEADER;
use crate::offload::{NDIS_HD_SPLIT_ATTRIBUTES, NDIS_OFFLOAD, NDIS_TCP_CONNECTION_OFFLOAD};
use crate::oid::NDIS_OID;
use crate::power::{NDIS_PM_CAPABILITIES, NDIS_PNP_CAPABILITIES};
use crate::rss::NDIS_RECEIVE_SCALE_CAPABILITIES;

opaque! {
    /// Attributes of a wireless PHY.
    DOT11_PHY_ATTRIBUTES,
    /// Attributes of a wireless station.
    DOT11_EXTSTA_ATTRIBUTES,
    /// Attributes of virtual wireless adapters.
    DOT11_VWIFI_ATTRIBUTES,
    /// Attributes of a wireless access point.
    DOT11_EXTAP_ATTRIBUTES,
    /// Attributes of Wi-Fi Direct.
    DOT11_WFD_ATTRIBUTES,
}

structures! {
    /// Any of the attribute structures, told apart by `Header.Type`.
    pub union NDIS_MINIPORT_ADAPTER_ATTRIBUTES {
        pub Header: NDIS_OBJECT_HEADER,
        pub AddDeviceRegistrationAttributes: NDIS_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES,
        pub RegistrationAttributes: NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES,
        pub GeneralAttributes: NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES,
        pub OffloadAttributes: NDIS_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES,
        pub Native_802_11_Attributes: NDIS_MINIPORT_ADAPTER_NATIVE_802_11_ATTRIBUTES,
        pub HardwareAssistAttributes: NDIS_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES,
        pub NDKAttributes: NDIS_MINIPORT_ADAPTER_NDK_ATTRIBUTES,
        pub PacketDirectAttributes: NDIS_MINIPORT_ADAPTER_PACKET_DIRECT_ATTRIBUTES,
    }

    /// The adapter's context and what kind of driver it has; set first.
    pub struct NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES {
        pub Header: NDIS_OBJECT_HEADER,
        pub MiniportAdapterContext: NDIS_HANDLE,
        pub AttributeFlags: ULONG,
        pub CheckForHangTimeInSeconds: UINT,
        pub InterfaceType: NDIS_INTERFACE_TYPE,
    }

    /// What the adapter is; set second.
    pub struct NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES {
        pub Header: NDIS_OBJECT_HEADER,
        pub Flags: ULONG,
        pub MediaType: NDIS_MEDIUM,
        pub PhysicalMediumType: NDIS_PHYSICAL_MEDIUM,
        pub MtuSize: ULONG,
        pub MaxXmitLinkSpeed: ULONG64,
        pub XmitLinkSpeed: ULONG64,
        pub MaxRcvLinkSpeed: ULONG64,
        pub RcvLinkSpeed: ULONG64,
        pub MediaConnectState: NDIS_MEDIA_CONNECT_STATE,
        pub MediaDuplexState: NDIS_MEDIA_DUPLEX_STATE,
        pub LookaheadSize: ULONG,
        pub PowerManagementCapabilities: *mut NDIS_PNP_CAPABILITIES,
        pub MacOptions: ULONG,
        pub SupportedPacketFilters: ULONG,
        pub MaxMulticastListSize: ULONG,
        pub MacAddressLength: USHORT,
        pub PermanentMacAddress: [UCHAR; 32],
        pub CurrentMacAddress: [UCHAR; 32],
        pub RecvScaleCapabilities: *mut NDIS_RECEIVE_SCALE_CAPABILITIES,
        pub AccessType: NET_IF_ACCESS_TYPE,
        pub DirectionType: NET_IF_DIRECTION_TYPE,
        pub ConnectionType: NET_IF_CONNECTION_TYPE,
        pub IfType: NET_IFTYPE,
        pub IfConnectorPresent: BOOLEAN,
        pub SupportedStatistics: ULONG,
        pub SupportedPauseFunctions: ULONG,
        pub DataBackFillSize: ULONG,
        pub ContextBackFillSize: ULONG,
        pub SupportedOidList: *mut NDIS_OID,
        pub SupportedOidListLength: ULONG,
        pub AutoNegotiationFlags: ULONG,
        pub PowerManagementCapabilitiesEx: *mut NDIS_PM_CAPABILITIES,
    }

    /// What the adapter can take over.
    pub struct NDIS_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES {
        pub Header: NDIS_OBJECT_HEADER,
        pub DefaultOffloadConfiguration: *mut NDIS_OFFLOAD,
        pub HardwareOffloadCapabilities: *mut NDIS_OFFLOAD,
        pub DefaultTcpConnectionOffloadConfiguration: *mut NDIS_TCP_CONNECTION_OFFLOAD,
        pub TcpConnectionOffloadHardwareCapabilities: *mut NDIS_TCP_CONNECTION_OFFLOAD,
    }

    /// Hardware that virtual machines use.
    pub struct NDIS_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES {
        pub Header: NDIS_OBJECT_HEADER,
        pub HDSplitAttributes: *mut NDIS_HD_SPLIT_ATTRIBUTES,
        pub HardwareReceiveFilterCapabilities: *mut NDIS_RECEIVE_FILTER_CAPABILITIES,
        pub CurrentReceiveFilterCapabilities: *mut NDIS_RECEIVE_FILTER_CAPABILITIES,
        pub HardwareNicSwitchCapabilities: *mut NDIS_NIC_SWITCH_CAPABILITIES,
        pub CurrentNicSwitchCapabilities: *mut NDIS_NIC_SWITCH_CAPABILITIES,
        pub HardwareSriovCapabilities: *mut NDIS_SRIOV_CAPABILITIES,
        pub CurrentSriovCapabilities: *mut NDIS_SRIOV_CAPABILITIES,
        pub HardwareQosCapabilities: *mut NDIS_QOS_CAPABILITIES,
        pub CurrentQosCapabilities: *mut NDIS_QOS_CAPABILITIES,
        pub HardwareGftOffloadCapabilities: *mut NDIS_GFT_OFFLOAD_CAPABILITIES,
        pub CurrentGftOffloadCapabilities: *mut NDIS_GFT_OFFLOAD_CAPABILITIES,
    }

    /// Remote DMA.
    pub struct NDIS_MINIPORT_ADAPTER_NDK_ATTRIBUTES {
        pub Header: NDIS_OBJECT_HEADER,
        pub Enabled: BOOLEAN,
        pub NdkCapabilities: *mut NDIS_NDK_CAPABILITIES,
    }

    /// Packet direct.
    pub struct NDIS_MINIPORT_ADAPTER_PACKET_DIRECT_ATTRIBUTES {
        pub Header: NDIS_OBJECT_HEADER,
        pub Flags: ULONG,
        pub DmaAddressWidth: UCHAR,
    }

    /// The context of a device that is being added.
    pub struct NDIS_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES {
        pub Header: NDIS_OBJECT_HEADER,
        pub MiniportAddDeviceContext: NDIS_HANDLE,
        pub Flags: ULONG,
    }

    /// Native 802.11.
    pub struct NDIS_MINIPORT_ADAPTER_NATIVE_802_11_ATTRIBUTES {
        pub Header: NDIS_OBJECT_HEADER,
        pub OpModeCapability: ULONG,
        pub NumOfTXBuffers: ULONG,
        pub NumOfRXBuffers: ULONG,
        pub MultiDomainCapabilityImplemented: BOOLEAN,
        pub NumSupportedPhys: ULONG,
        pub SupportedPhyAttributes: *mut DOT11_PHY_ATTRIBUTES,
        pub ExtSTAAttributes: *mut DOT11_EXTSTA_ATTRIBUTES,
        pub VWiFiAttributes: *mut DOT11_VWIFI_ATTRIBUTES,
        pub ExtAPAttributes: *mut DOT11_EXTAP_ATTRIBUTES,
        pub WFDAttributes: *mut DOT11_WFD_ATTRIBUTES,
    }
}

constants! {
    ULONG {
        NDIS_MINIPORT_ATTRIBUTES_BUS_MASTER = 0x40,
        NDIS_MINIPORT_ATTRIBUTES_CONTROLS_DEFAULT_PORT = 0x80,
        NDIS_MINIPORT_ATTRIBUTES_DO_NOT_BIND_TO_ALL_CO = 0x10,
        NDIS_MINIPORT_ATTRIBUTES_HARDWARE_DEVICE = 0x1,
        NDIS_MINIPORT_ATTRIBUTES_NDIS_WDM = 0x2,
        NDIS_MINIPORT_ATTRIBUTES_NOT_CO_NDIS = 0x8,
        NDIS_MINIPORT_ATTRIBUTES_NO_HALT_ON_SUSPEND = 0x20,
        NDIS_MINIPORT_ATTRIBUTES_NO_OID_INTERCEPT_ON_NONDEFAULT_PORTS = 0x200,
        NDIS_MINIPORT_ATTRIBUTES_NO_PAUSE_ON_SUSPEND = 0x100,
        NDIS_MINIPORT_ATTRIBUTES_REGISTER_BUGCHECK_CALLBACK = 0x400,
        NDIS_MINIPORT_ATTRIBUTES_SURPRISE_REMOVE_OK = 0x4,
    }
    UCHAR {
        NDIS_MINIPORT_ADAPTER_802_11_ATTRIBUTES_REVISION_1 = 1,
        NDIS_MINIPORT_ADAPTER_802_11_ATTRIBUTES_REVISION_2 = 2,
        NDIS_MINIPORT_ADAPTER_802_11_ATTRIBUTES_REVISION_3 = 3,
        NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1 = 1,
        NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_2 = 2,
    }
    USHORT {
        NDIS_SIZEOF_MINIPORT_ADAPTER_NATIVE_802_11_ATTRIBUTES_REVISION_1 =
            size_through!(NDIS_MINIPORT_ADAPTER_NATIVE_802_11_ATTRIBUTES, ExtSTAAttributes),
        NDIS_SIZEOF_MINIPORT_ADAPTER_NATIVE_802_11_ATTRIBUTES_REVISION_2 =
            size_through!(NDIS_MINIPORT_ADAPTER_NATIVE_802_11_ATTRIBUTES, ExtAPAttributes),
        NDIS_SIZEOF_MINIPORT_ADAPTER_NATIVE_802_11_ATTRIBUTES_REVISION_3 =
            size_through!(NDIS_MINIPORT_ADAPTER_NATIVE_802_11_ATTRIBUTES, WFDAttributes),
        NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1 =
            size_through!(NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES, InterfaceType),
        NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_2 =
            size_through!(NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES, InterfaceType),
    }
    UCHAR {
        NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_1 = 1,
        NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2 = 2,
    }
    USHORT {
        NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_1 =
            size_through!(NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES, AutoNegotiationFlags),
        NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2 =
            size_through!(NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES, PowerManagementCapabilitiesEx),
    }
    UCHAR {
        NDIS_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES_REVISION_1 = size_through!(
            NDIS_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES,
            TcpConnectionOffloadHardwareCapabilities
        ),
    }
    UCHAR {
        NDIS_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES_REVISION_1 = 1,
        NDIS_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES_REVISION_2 = 2,
        NDIS_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES_REVISION_3 = 3,
        NDIS_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES_REVISION_4 = 4,
    }
    USHORT {
        NDIS_SIZEOF_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES_REVISION_1 =
            size_through!(NDIS_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES, HDSplitAttributes),
        NDIS_SIZEOF_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES_REVISION_2 = size_through!(
            NDIS_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES,
            CurrentNicSwitchCapabilities
        ),
        NDIS_SIZEOF_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES_REVISION_3 =
            size_through!(NDIS_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES, CurrentQosCapabilities),
        NDIS_SIZEOF_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES_REVISION_4 = size_through!(
            NDIS_MINIPORT_ADAPTER_HARDWARE_ASSIST_ATTRIBUTES,
            CurrentGftOffloadCapabilities
        ),
    }
    UCHAR {
        NDIS_MINIPORT_ADAPTER_NDK_ATTRIBUTES_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_MINIPORT_ADAPTER_NDK_ATTRIBUTES_REVISION_1 =
            size_through!(NDIS_MINIPORT_ADAPTER_NDK_ATTRIBUTES, NdkCapabilities),
    }
    UCHAR {
        NDIS_MINIPORT_ADAPTER_PACKET_DIRECT_ATTRIBUTES_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_MINIPORT_ADAPTER_PACKET_DIRECT_ATTRIBUTES_REVISION_1 =
            size_through!(NDIS_MINIPORT_ADAPTER_PACKET_DIRECT_ATTRIBUTES, DmaAddressWidth),
    }
    UCHAR {
        NDIS_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES_REVISION_1 =
            size_through!(NDIS_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES, Flags),
    }
}
