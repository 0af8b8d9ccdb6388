//! Power management: what an adapter can wake for, what it is told to, and why it woke
//! (`ns-ntddndis-_ndis_pm_capabilities.md`, `ns-ntddndis-_ndis_pm_parameters.md`,
//! `ns-ntddndis-_ndis_pm_wol_pattern.md`, `ns-ntddndis-_ndis_pm_wake_reason.md`).

use crate::declare::{constants, size_through, structures};
use crate::nt::*;
use crate::object::NDIS_OBJECT_HEADER;

structures! {
    /// What an adapter can wake for.
    pub struct NDIS_PM_CAPABILITIES {
        pub Header: NDIS_OBJECT_HEADER,
        pub Flags: ULONG,
        pub SupportedWoLPacketPatterns: ULONG,
        pub NumTotalWoLPatterns: ULONG,
        pub MaxWoLPatternSize: ULONG,
        pub MaxWoLPatternOffset: ULONG,
        pub MaxWoLPacketSaveBuffer: ULONG,
        pub SupportedProtocolOffloads: ULONG,
        pub NumArpOffloadIPv4Addresses: ULONG,
        pub NumNSOffloadIPv6Addresses: ULONG,
        pub MinMagicPacketWakeUp: NDIS_DEVICE_POWER_STATE,
        pub MinPatternWakeUp: NDIS_DEVICE_POWER_STATE,
        pub MinLinkChangeWakeUp: NDIS_DEVICE_POWER_STATE,
        pub SupportedWakeUpEvents: ULONG,
        pub MediaSpecificWakeUpEvents: ULONG,
    }

    /// What an adapter is to wake for (OID_PM_PARAMETERS).
    pub struct NDIS_PM_PARAMETERS {
        pub Header: NDIS_OBJECT_HEADER,
        pub EnabledWoLPacketPatterns: ULONG,
        pub EnabledProtocolOffloads: ULONG,
        pub WakeUpFlags: ULONG,
        pub MediaSpecificWakeUpEvents: ULONG,
    }

    /// A text of at most `NDIS_PM_MAX_STRING_SIZE` characters, and its length in bytes.
    pub struct NDIS_PM_COUNTED_STRING {
        pub Length: USHORT,
        pub String: [WCHAR; NDIS_PM_MAX_STRING_SIZE as usize + 1],
    }

    /// A TCP SYN over IPv4 to wake for.
    pub struct NDIS_PM_WOL_IPV4_TCP_SYN {
        pub Flags: ULONG,
        pub IPv4SourceAddress: [UCHAR; 4],
        pub IPv4DestAddress: [UCHAR; 4],
        pub TCPSourcePortNumber: USHORT,
        pub TCPDestPortNumber: USHORT,
    }

    /// A TCP SYN over IPv6 to wake for.
    pub struct NDIS_PM_WOL_IPV6_TCP_SYN {
        pub Flags: ULONG,
        pub IPv6SourceAddress: [UCHAR; 16],
        pub IPv6DestAddress: [UCHAR; 16],
        pub TCPSourcePortNumber: USHORT,
        pub TCPDestPortNumber: USHORT,
    }

    /// Bytes of a frame to wake for. Offsets count from the start of [`NDIS_PM_WOL_PATTERN`].
    pub struct NDIS_PM_WOL_BITMAP_PATTERN {
        pub Flags: ULONG,
        pub MaskOffset: ULONG,
        pub MaskSize: ULONG,
        pub PatternOffset: ULONG,
        pub PatternSize: ULONG,
    }

    /// What a wake-on-LAN pattern matches, by its `WoLPacketType`.
    pub union NDIS_PM_WOL_PATTERN_PARAMETERS {
        pub IPv4TcpSynParameters: NDIS_PM_WOL_IPV4_TCP_SYN,
        pub IPv6TcpSynParameters: NDIS_PM_WOL_IPV6_TCP_SYN,
        pub EapolRequestIdMessageParameters: ULONG,
        pub WoLBitMapPattern: NDIS_PM_WOL_BITMAP_PATTERN,
    }

    /// A wake-on-LAN pattern (OID_PM_ADD_WOL_PATTERN).
    pub struct NDIS_PM_WOL_PATTERN {
        pub Header: NDIS_OBJECT_HEADER,
        pub Flags: ULONG,
        pub Priority: ULONG,
        pub WoLPacketType: NDIS_PM_WOL_PACKET,
        pub FriendlyName: NDIS_PM_COUNTED_STRING,
        pub PatternId: ULONG,
        pub NextWoLPatternOffset: ULONG,
        pub WoLPattern: NDIS_PM_WOL_PATTERN_PARAMETERS,
    }

    /// Why an adapter woke (NDIS_STATUS_PM_WAKE_REASON).
    pub struct NDIS_PM_WAKE_REASON {
        pub Header: NDIS_OBJECT_HEADER,
        pub Flags: ULONG,
        pub WakeReason: NDIS_PM_WAKE_REASON_TYPE,
        pub InfoBufferOffset: ULONG,
        pub InfoBufferSize: ULONG,
    }

    /// The frame that it woke for.
    pub struct NDIS_PM_WAKE_PACKET {
        pub Header: NDIS_OBJECT_HEADER,
        pub Flags: ULONG,
        pub PatternId: ULONG,
        pub PatternFriendlyName: NDIS_PM_COUNTED_STRING,
        pub OriginalPacketSize: ULONG,
        pub SavedPacketSize: ULONG,
        pub SavedPacketOffset: ULONG,
    }

    /// A wake-up pattern of the older kind.
    pub struct NDIS_PM_PACKET_PATTERN {
        pub Priority: ULONG,
        pub Reserved: ULONG,
        pub MaskSize: ULONG,
        pub PatternOffset: ULONG,
        pub PatternSize: ULONG,
        pub PatternFlags: ULONG,
    }

    /// Lowest power states of the older kind.
    pub struct NDIS_PM_WAKE_UP_CAPABILITIES {
        pub MinMagicPacketWakeUp: NDIS_DEVICE_POWER_STATE,
        pub MinPatternWakeUp: NDIS_DEVICE_POWER_STATE,
        pub MinLinkChangeWakeUp: NDIS_DEVICE_POWER_STATE,
    }

    /// Power capabilities of the older kind (OID_PNP_CAPABILITIES).
    pub struct NDIS_PNP_CAPABILITIES {
        pub Flags: ULONG,
        pub WakeUpCapabilities: NDIS_PM_WAKE_UP_CAPABILITIES,
    }
}

/// A device's power state (OID_PNP_SET_POWER).
pub type NDIS_DEVICE_POWER_STATE = i32;
/// The same in a `NetEventSetPower`.
pub type NET_DEVICE_POWER_STATE = i32;
/// What a wake-on-LAN pattern matches.
pub type NDIS_PM_WOL_PACKET = i32;
/// Why an adapter woke.
pub type NDIS_PM_WAKE_REASON_TYPE = i32;

constants! {
    NDIS_DEVICE_POWER_STATE {
        NdisDeviceStateUnspecified = 0,
        NdisDeviceStateD0 = 1,
        NdisDeviceStateD1 = 2,
        NdisDeviceStateD2 = 3,
        NdisDeviceStateD3 = 4,
        NdisDeviceStateMaximum = 5,
    }
    NET_DEVICE_POWER_STATE {
        NetDeviceStateUnspecified = 0,
        NetDeviceStateD0 = 1,
        NetDeviceStateD1 = 2,
        NetDeviceStateD2 = 3,
        NetDeviceStateD3 = 4,
        NetDeviceStateMaximum = 5,
    }
    NDIS_PM_WOL_PACKET {
        NdisPMWoLPacketUnspecified = 0,
        NdisPMWoLPacketBitmapPattern = 1,
        NdisPMWoLPacketMagicPacket = 2,
        NdisPMWoLPacketIPv4TcpSyn = 3,
        NdisPMWoLPacketIPv6TcpSyn = 4,
        NdisPMWoLPacketEapolRequestIdMessage = 5,
        NdisPMWoLPacketMaximum = 6,
    }
    NDIS_PM_WAKE_REASON_TYPE {
        NdisWakeReasonUnspecified = 0,
        NdisWakeReasonPacket = 1,
        NdisWakeReasonMediaDisconnect = 2,
        NdisWakeReasonMediaConnect = 3,
    }
    ULONG {
        NDIS_PM_MAX_PATTERN_ID = 0xffff,
        NDIS_PM_MAX_STRING_SIZE = 0x40,
        NDIS_PM_PRIVATE_PATTERN_ID = 0x1,
        NDIS_PM_PROTOCOL_OFFLOAD_80211_RSN_REKEY_ENABLED = 0x80,
        NDIS_PM_PROTOCOL_OFFLOAD_80211_RSN_REKEY_SUPPORTED = 0x80,
        NDIS_PM_PROTOCOL_OFFLOAD_ARP_ENABLED = 0x1,
        NDIS_PM_PROTOCOL_OFFLOAD_ARP_SUPPORTED = 0x1,
        NDIS_PM_PROTOCOL_OFFLOAD_NS_ENABLED = 0x2,
        NDIS_PM_PROTOCOL_OFFLOAD_NS_SUPPORTED = 0x2,
        NDIS_PM_PROTOCOL_OFFLOAD_PRIORITY_HIGHEST = 0x1,
        NDIS_PM_PROTOCOL_OFFLOAD_PRIORITY_LOWEST = 0xffff_ffff,
        NDIS_PM_PROTOCOL_OFFLOAD_PRIORITY_NORMAL = 0x1000_0000,
        NDIS_PM_SELECTIVE_SUSPEND_ENABLED = 0x10,
        NDIS_PM_SELECTIVE_SUSPEND_SUPPORTED = 0x2,
        NDIS_PM_WAKE_ON_LINK_CHANGE_ENABLED = 0x1,
        NDIS_PM_WAKE_ON_MEDIA_CONNECT_SUPPORTED = 0x1,
        NDIS_PM_WAKE_ON_MEDIA_DISCONNECT_ENABLED = 0x2,
        NDIS_PM_WAKE_ON_MEDIA_DISCONNECT_SUPPORTED = 0x2,
        NDIS_PM_WAKE_PACKET_INDICATION_SUPPORTED = 0x1,
        NDIS_PM_WOL_BITMAP_PATTERN_ENABLED = 0x1,
        NDIS_PM_WOL_BITMAP_PATTERN_SUPPORTED = 0x1,
        NDIS_PM_WOL_EAPOL_REQUEST_ID_MESSAGE_ENABLED = 0x0001_0000,
        NDIS_PM_WOL_EAPOL_REQUEST_ID_MESSAGE_SUPPORTED = 0x0001_0000,
        NDIS_PM_WOL_IPV4_DEST_ADDR_WILDCARD_ENABLED = 0x200,
        NDIS_PM_WOL_IPV4_DEST_ADDR_WILDCARD_SUPPORTED = 0x200,
        NDIS_PM_WOL_IPV4_TCP_SYN_ENABLED = 0x4,
        NDIS_PM_WOL_IPV4_TCP_SYN_SUPPORTED = 0x4,
        NDIS_PM_WOL_IPV6_DEST_ADDR_WILDCARD_ENABLED = 0x800,
        NDIS_PM_WOL_IPV6_DEST_ADDR_WILDCARD_SUPPORTED = 0x800,
        NDIS_PM_WOL_IPV6_TCP_SYN_ENABLED = 0x8,
        NDIS_PM_WOL_IPV6_TCP_SYN_SUPPORTED = 0x8,
        NDIS_PM_WOL_MAGIC_PACKET_ENABLED = 0x2,
        NDIS_PM_WOL_MAGIC_PACKET_SUPPORTED = 0x2,
        NDIS_PM_WOL_PRIORITY_HIGHEST = 0x1,
        NDIS_PM_WOL_PRIORITY_LOWEST = 0xffff_ffff,
        NDIS_PM_WOL_PRIORITY_NORMAL = 0x1000_0000,
        NDIS_PNP_WAKE_UP_LINK_CHANGE = 0x4,
        NDIS_PNP_WAKE_UP_MAGIC_PACKET = 0x1,
        NDIS_PNP_WAKE_UP_PATTERN_MATCH = 0x2,
        NDIS_DEVICE_WAKE_ON_MAGIC_PACKET_ENABLE = 0x4,
        NDIS_DEVICE_WAKE_ON_PATTERN_MATCH_ENABLE = 0x2,
        NDIS_DEVICE_WAKE_UP_ENABLE = 0x1,
    }
    UCHAR {
        NDIS_PM_CAPABILITIES_REVISION_1 = 1,
        NDIS_PM_CAPABILITIES_REVISION_2 = 2,
    }
    USHORT {
        NDIS_SIZEOF_NDIS_PM_CAPABILITIES_REVISION_1 =
            size_through!(NDIS_PM_CAPABILITIES, MinLinkChangeWakeUp),
        NDIS_SIZEOF_NDIS_PM_CAPABILITIES_REVISION_2 =
            size_through!(NDIS_PM_CAPABILITIES, MediaSpecificWakeUpEvents),
    }
    UCHAR {
        NDIS_PM_PARAMETERS_REVISION_1 = 1,
        NDIS_PM_PARAMETERS_REVISION_2 = 2,
    }
    USHORT {
        NDIS_SIZEOF_NDIS_PM_PARAMETERS_REVISION_1 = size_through!(NDIS_PM_PARAMETERS, WakeUpFlags),
        NDIS_SIZEOF_NDIS_PM_PARAMETERS_REVISION_2 =
            size_through!(NDIS_PM_PARAMETERS, MediaSpecificWakeUpEvents),
    }
    UCHAR {
        NDIS_PM_WOL_PATTERN_REVISION_1 = 1,
        NDIS_PM_WOL_PATTERN_REVISION_2 = 2,
        NDIS_PM_WAKE_REASON_REVISION_1 = 1,
        NDIS_PM_WAKE_PACKET_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_NDIS_PM_WOL_PATTERN_REVISION_1 =
            size_through!(NDIS_PM_WOL_PATTERN, WoLPattern),
        NDIS_SIZEOF_NDIS_PM_WOL_PATTERN_REVISION_2 =
            size_through!(NDIS_PM_WOL_PATTERN, WoLPattern),
        NDIS_SIZEOF_PM_WAKE_REASON_REVISION_1 = size_through!(NDIS_PM_WAKE_REASON, InfoBufferSize),
        NDIS_SIZEOF_PM_WAKE_PACKET_REVISION_1 =
            size_through!(NDIS_PM_WAKE_PACKET, SavedPacketOffset),
    }
}
