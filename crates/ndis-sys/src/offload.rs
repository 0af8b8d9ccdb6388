//! Task offloads: what an adapter can do, what is switched on, and how to ask for a change
//! (`ns-ntddndis-_ndis_offload.md`, `ns-ntddndis-_ndis_offload_parameters.md`).
//!
//! What goes with each frame is in `nbl_info`.

use crate::declare::{bits, structures};
use crate::nt::*;
use crate::object::NDIS_OBJECT_HEADER;

structures! {
    /// An adapter's task offloads.
    pub struct NDIS_OFFLOAD {
        pub Header: NDIS_OBJECT_HEADER,
        pub Checksum: NDIS_TCP_IP_CHECKSUM_OFFLOAD,
        pub LsoV1: NDIS_TCP_LARGE_SEND_OFFLOAD_V1,
        pub IPsecV1: NDIS_IPSEC_OFFLOAD_V1,
        pub LsoV2: NDIS_TCP_LARGE_SEND_OFFLOAD_V2,
        pub Flags: ULONG,
        pub IPsecV2: NDIS_IPSEC_OFFLOAD_V2,
        pub Rsc: NDIS_TCP_RECV_SEG_COALESCE_OFFLOAD,
        pub EncapsulatedPacketTaskOffloadGre: NDIS_ENCAPSULATED_PACKET_TASK_OFFLOAD,
        pub EncapsulatedPacketTaskOffloadVxlan: NDIS_ENCAPSULATED_PACKET_TASK_OFFLOAD_V2,
        pub EncapsulationTypes: UCHAR,
        pub Rfc6877Xlat: NDIS_RFC6877_464XLAT_OFFLOAD,
        pub UdpSegmentation: NDIS_UDP_SEGMENTATION_OFFLOAD,
        pub UdpRsc: NDIS_UDP_RSC_OFFLOAD,
    }

    /// Checksum offloads, by direction and IP version.
    pub struct NDIS_TCP_IP_CHECKSUM_OFFLOAD {
        pub IPv4Transmit: NDIS_TCP_IP_CHECKSUM_OFFLOAD_IPV4,
        pub IPv4Receive: NDIS_TCP_IP_CHECKSUM_OFFLOAD_IPV4,
        pub IPv6Transmit: NDIS_TCP_IP_CHECKSUM_OFFLOAD_IPV6,
        pub IPv6Receive: NDIS_TCP_IP_CHECKSUM_OFFLOAD_IPV6,
    }

    /// IPv4 checksum offloads of one direction.
    pub struct NDIS_TCP_IP_CHECKSUM_OFFLOAD_IPV4 {
        pub Encapsulation: ULONG,
        pub Bits: ULONG,
    }

    /// IPv6 checksum offloads of one direction.
    pub struct NDIS_TCP_IP_CHECKSUM_OFFLOAD_IPV6 {
        pub Encapsulation: ULONG,
        pub Bits: ULONG,
    }

    /// Large send, version 1.
    pub struct NDIS_TCP_LARGE_SEND_OFFLOAD_V1 {
        pub IPv4: NDIS_TCP_LARGE_SEND_OFFLOAD_V1_IPV4,
    }

    /// Large send, version 1, IPv4.
    pub struct NDIS_TCP_LARGE_SEND_OFFLOAD_V1_IPV4 {
        pub Encapsulation: ULONG,
        /// Bytes.
        pub MaxOffLoadSize: ULONG,
        pub MinSegmentCount: ULONG,
        pub Bits: ULONG,
    }

    /// Large send, version 2.
    pub struct NDIS_TCP_LARGE_SEND_OFFLOAD_V2 {
        pub IPv4: NDIS_TCP_LARGE_SEND_OFFLOAD_V2_IPV4,
        pub IPv6: NDIS_TCP_LARGE_SEND_OFFLOAD_V2_IPV6,
    }

    /// Large send, version 2, IPv4.
    pub struct NDIS_TCP_LARGE_SEND_OFFLOAD_V2_IPV4 {
        pub Encapsulation: ULONG,
        /// Bytes.
        pub MaxOffLoadSize: ULONG,
        pub MinSegmentCount: ULONG,
    }

    /// Large send, version 2, IPv6.
    pub struct NDIS_TCP_LARGE_SEND_OFFLOAD_V2_IPV6 {
        pub Encapsulation: ULONG,
        /// Bytes.
        pub MaxOffLoadSize: ULONG,
        pub MinSegmentCount: ULONG,
        pub Bits: ULONG,
    }

    /// IPsec offload, version 1.
    pub struct NDIS_IPSEC_OFFLOAD_V1 {
        pub Supported: NDIS_IPSEC_OFFLOAD_V1_SUPPORTED,
        pub IPv4AH: NDIS_IPSEC_OFFLOAD_V1_AH,
        pub IPv4ESP: NDIS_IPSEC_OFFLOAD_V1_ESP,
    }

    /// What IPsec offload version 1 goes with.
    pub struct NDIS_IPSEC_OFFLOAD_V1_SUPPORTED {
        pub Encapsulation: ULONG,
        pub AhEspCombined: ULONG,
        pub TransportTunnelCombined: ULONG,
        pub IPv4Options: ULONG,
        pub Flags: ULONG,
    }

    /// Authentication headers.
    pub struct NDIS_IPSEC_OFFLOAD_V1_AH {
        pub Bits: ULONG,
    }

    /// Encapsulating security payloads.
    pub struct NDIS_IPSEC_OFFLOAD_V1_ESP {
        pub Bits: ULONG,
    }

    /// IPsec offload, version 2.
    pub struct NDIS_IPSEC_OFFLOAD_V2 {
        pub Encapsulation: ULONG,
        pub IPv6Supported: BOOLEAN,
        pub IPv4Options: BOOLEAN,
        pub IPv6NonIPsecExtensionHeaders: BOOLEAN,
        pub Ah: BOOLEAN,
        pub Esp: BOOLEAN,
        pub AhEspCombined: BOOLEAN,
        pub Transport: BOOLEAN,
        pub Tunnel: BOOLEAN,
        pub TransportTunnelCombined: BOOLEAN,
        pub LsoSupported: BOOLEAN,
        pub ExtendedSequenceNumbers: BOOLEAN,
        pub UdpEsp: ULONG,
        pub AuthenticationAlgorithms: ULONG,
        pub EncryptionAlgorithms: ULONG,
        pub SaOffloadCapacity: ULONG,
    }

    /// Receive segment coalescing.
    pub struct NDIS_TCP_RECV_SEG_COALESCE_OFFLOAD {
        pub IPv4: NDIS_RECV_SEG_COALESCE_ENABLED,
        pub IPv6: NDIS_RECV_SEG_COALESCE_ENABLED,
    }

    /// Receive segment coalescing for one IP version.
    pub struct NDIS_RECV_SEG_COALESCE_ENABLED {
        pub Enabled: BOOLEAN,
    }

    /// Offloads for frames inside GRE.
    pub struct NDIS_ENCAPSULATED_PACKET_TASK_OFFLOAD {
        pub Bits: ULONG,
        /// Bytes.
        pub MaxHeaderSizeSupported: ULONG,
    }

    /// Offloads for frames inside VXLAN.
    pub struct NDIS_ENCAPSULATED_PACKET_TASK_OFFLOAD_V2 {
        pub Bits: ULONG,
        /// Bytes.
        pub MaxHeaderSizeSupported: ULONG,
        pub EncapsulationProtocolInfo: ENCAPSULATION_PROTOCOL_INFO,
        pub Reserved1: ULONG,
        pub Reserved2: ULONG,
    }

    /// What an encapsulation needs to be known by.
    pub union ENCAPSULATION_PROTOCOL_INFO {
        pub VxlanInfo: VXLAN_INFO,
        pub Value: ULONG,
    }

    /// VXLAN's UDP port.
    pub struct VXLAN_INFO {
        pub VxlanUDPPortNumber: USHORT,
        pub Bits: USHORT,
    }

    /// Address translation of RFC 6877.
    pub struct NDIS_RFC6877_464XLAT_OFFLOAD {
        pub XlatOffload: NDIS_RFC6877_464XLAT_OFFLOAD_OPTIONS,
        pub Flags: ULONG,
    }

    /// UDP segmentation (`ns-ntddndis-_ndis_udp_segmentation_offload.md`).
    pub struct NDIS_UDP_SEGMENTATION_OFFLOAD {
        pub IPv4: NDIS_UDP_SEGMENTATION_OFFLOAD_IPV4_CAPABILITIES,
        pub IPv6: NDIS_UDP_SEGMENTATION_OFFLOAD_IPV6_CAPABILITIES,
    }

    /// UDP segmentation, IPv4.
    pub struct NDIS_UDP_SEGMENTATION_OFFLOAD_IPV4_CAPABILITIES {
        pub Encapsulation: ULONG,
        /// Bytes.
        pub MaxOffLoadSize: ULONG,
        pub Bits: ULONG,
    }

    /// UDP segmentation, IPv6.
    pub struct NDIS_UDP_SEGMENTATION_OFFLOAD_IPV6_CAPABILITIES {
        pub Encapsulation: ULONG,
        /// Bytes.
        pub MaxOffLoadSize: ULONG,
        pub Bits: ULONG,
        pub Bits2: ULONG,
    }

    /// Coalescing of received UDP datagrams.
    pub struct NDIS_UDP_RSC_OFFLOAD {
        pub Enabled: BOOLEAN,
    }

    /// TCP connection offload, which no current system uses.
    pub struct NDIS_TCP_CONNECTION_OFFLOAD {
        pub Header: NDIS_OBJECT_HEADER,
        pub Encapsulation: ULONG,
        pub Bits: ULONG,
        pub TcpConnectionOffloadCapacity: ULONG,
        pub Flags: ULONG,
    }

    /// The encapsulation that a protocol will send with (OID_OFFLOAD_ENCAPSULATION).
    pub struct NDIS_OFFLOAD_ENCAPSULATION {
        pub Header: NDIS_OBJECT_HEADER,
        pub IPv4: NDIS_OFFLOAD_ENCAPSULATION_IP,
        pub IPv6: NDIS_OFFLOAD_ENCAPSULATION_IP,
    }

    /// The encapsulation of one IP version.
    pub struct NDIS_OFFLOAD_ENCAPSULATION_IP {
        pub Enabled: ULONG,
        pub EncapsulationType: ULONG,
        /// Bytes.
        pub HeaderSize: ULONG,
    }

    /// Which offloads to switch (OID_TCP_OFFLOAD_PARAMETERS).
    pub struct NDIS_OFFLOAD_PARAMETERS {
        pub Header: NDIS_OBJECT_HEADER,
        pub IPv4Checksum: UCHAR,
        pub TCPIPv4Checksum: UCHAR,
        pub UDPIPv4Checksum: UCHAR,
        pub TCPIPv6Checksum: UCHAR,
        pub UDPIPv6Checksum: UCHAR,
        pub LsoV1: UCHAR,
        pub IPsecV1: UCHAR,
        pub LsoV2IPv4: UCHAR,
        pub LsoV2IPv6: UCHAR,
        pub TcpConnectionIPv4: UCHAR,
        pub TcpConnectionIPv6: UCHAR,
        pub Flags: ULONG,
        pub IPsecV2: UCHAR,
        pub IPsecV2IPv4: UCHAR,
        pub RscIPv4: UCHAR,
        pub RscIPv6: UCHAR,
        pub EncapsulatedPacketTaskOffload: UCHAR,
        pub EncapsulationTypes: UCHAR,
        pub EncapsulationProtocolParameters: ENCAPSULATION_PROTOCOL_PARAMETERS,
    }

    /// What an encapsulation is set to.
    pub union ENCAPSULATION_PROTOCOL_PARAMETERS {
        pub VxlanParameters: VXLAN_PARAMETERS,
        pub Value: ULONG,
    }

    /// VXLAN's UDP port.
    pub struct VXLAN_PARAMETERS {
        pub VxlanUDPPortNumber: USHORT,
    }

    /// Header-data split, which no current system uses.
    pub struct NDIS_HD_SPLIT_ATTRIBUTES {
        pub Header: NDIS_OBJECT_HEADER,
        pub HardwareCapabilities: ULONG,
        pub CurrentCapabilities: ULONG,
        pub HDSplitFlags: ULONG,
        pub BackfillSize: ULONG,
        pub MaxHeaderSize: ULONG,
    }

    /// Header-data split as it is.
    pub struct NDIS_HD_SPLIT_CURRENT_CONFIG {
        pub Header: NDIS_OBJECT_HEADER,
        pub HardwareCapabilities: ULONG,
        pub CurrentCapabilities: ULONG,
        pub HDSplitFlags: ULONG,
        pub HDSplitCombineFlags: ULONG,
        pub BackfillSize: ULONG,
        pub MaxHeaderSize: ULONG,
    }

    /// Hardware timestamps (`ns-ntddndis-_ndis_timestamp_capabilities.md`).
    pub struct NDIS_TIMESTAMP_CAPABILITIES {
        pub Header: NDIS_OBJECT_HEADER,
        pub HardwareClockFrequencyHz: ULONG64,
        pub CrossTimestamp: BOOLEAN,
        pub Reserved1: ULONG64,
        pub Reserved2: ULONG64,
        pub TimestampFlags: NDIS_TIMESTAMP_CAPABILITY_FLAGS,
    }

    /// Which frames are stamped (`ns-ntddndis-_ndis_timestamp_capability_flags.md`).
    pub struct NDIS_TIMESTAMP_CAPABILITY_FLAGS {
        pub PtpV2OverUdpIPv4EventMsgReceiveHw: BOOLEAN,
        pub PtpV2OverUdpIPv4AllMsgReceiveHw: BOOLEAN,
        pub PtpV2OverUdpIPv4EventMsgTransmitHw: BOOLEAN,
        pub PtpV2OverUdpIPv4AllMsgTransmitHw: BOOLEAN,
        pub PtpV2OverUdpIPv6EventMsgReceiveHw: BOOLEAN,
        pub PtpV2OverUdpIPv6AllMsgReceiveHw: BOOLEAN,
        pub PtpV2OverUdpIPv6EventMsgTransmitHw: BOOLEAN,
        pub PtpV2OverUdpIPv6AllMsgTransmitHw: BOOLEAN,
        pub AllReceiveHw: BOOLEAN,
        pub AllTransmitHw: BOOLEAN,
        pub TaggedTransmitHw: BOOLEAN,
        pub AllReceiveSw: BOOLEAN,
        pub AllTransmitSw: BOOLEAN,
        pub TaggedTransmitSw: BOOLEAN,
    }
}

bits! {
    NDIS_TCP_IP_CHECKSUM_OFFLOAD_IPV4.Bits: ULONG {
        IpOptionsSupported / set_IpOptionsSupported: 0..=1,
        TcpOptionsSupported / set_TcpOptionsSupported: 2..=3,
        TcpChecksum / set_TcpChecksum: 4..=5,
        UdpChecksum / set_UdpChecksum: 6..=7,
        IpChecksum / set_IpChecksum: 8..=9,
    }
    NDIS_TCP_IP_CHECKSUM_OFFLOAD_IPV6.Bits: ULONG {
        IpExtensionHeadersSupported / set_IpExtensionHeadersSupported: 0..=1,
        TcpOptionsSupported / set_TcpOptionsSupported: 2..=3,
        TcpChecksum / set_TcpChecksum: 4..=5,
        UdpChecksum / set_UdpChecksum: 6..=7,
    }
    NDIS_TCP_LARGE_SEND_OFFLOAD_V1_IPV4.Bits: ULONG {
        TcpOptions / set_TcpOptions: 0..=1,
        IpOptions / set_IpOptions: 2..=3,
    }
    NDIS_TCP_LARGE_SEND_OFFLOAD_V2_IPV6.Bits: ULONG {
        IpExtensionHeadersSupported / set_IpExtensionHeadersSupported: 0..=1,
        TcpOptionsSupported / set_TcpOptionsSupported: 2..=3,
    }
    NDIS_IPSEC_OFFLOAD_V1_AH.Bits: ULONG {
        Md5 / set_Md5: 0..=1,
        Sha_1 / set_Sha_1: 2..=3,
        Transport / set_Transport: 4..=5,
        Tunnel / set_Tunnel: 6..=7,
        Send / set_Send: 8..=9,
        Receive / set_Receive: 10..=11,
    }
    NDIS_IPSEC_OFFLOAD_V1_ESP.Bits: ULONG {
        Des / set_Des: 0..=1,
        Reserved / set_Reserved: 2..=3,
        TripleDes / set_TripleDes: 4..=5,
        NullEsp / set_NullEsp: 6..=7,
        Transport / set_Transport: 8..=9,
        Tunnel / set_Tunnel: 10..=11,
        Send / set_Send: 12..=13,
        Receive / set_Receive: 14..=15,
    }
    NDIS_ENCAPSULATED_PACKET_TASK_OFFLOAD.Bits: ULONG {
        TransmitChecksumOffloadSupported / set_TransmitChecksumOffloadSupported: 0..=3,
        ReceiveChecksumOffloadSupported / set_ReceiveChecksumOffloadSupported: 4..=7,
        LsoV2Supported / set_LsoV2Supported: 8..=11,
        RssSupported / set_RssSupported: 12..=15,
        VmqSupported / set_VmqSupported: 16..=19,
        UsoSupported / set_UsoSupported: 20..=23,
        Reserved / set_Reserved: 24..=31,
    }
    NDIS_ENCAPSULATED_PACKET_TASK_OFFLOAD_V2.Bits: ULONG {
        TransmitChecksumOffloadSupported / set_TransmitChecksumOffloadSupported: 0..=3,
        ReceiveChecksumOffloadSupported / set_ReceiveChecksumOffloadSupported: 4..=7,
        LsoV2Supported / set_LsoV2Supported: 8..=11,
        RssSupported / set_RssSupported: 12..=15,
        VmqSupported / set_VmqSupported: 16..=19,
        UsoSupported / set_UsoSupported: 20..=23,
        Reserved / set_Reserved: 24..=31,
    }
    VXLAN_INFO.Bits: USHORT {
        VxlanUDPPortNumberConfigurable / set_VxlanUDPPortNumberConfigurable: 0..=0,
    }
    NDIS_UDP_SEGMENTATION_OFFLOAD_IPV4_CAPABILITIES.Bits: ULONG {
        MinSegmentCount / set_MinSegmentCount: 0..=5,
        SubMssFinalSegmentSupported / set_SubMssFinalSegmentSupported: 6..=6,
        Reserved / set_Reserved: 7..=31,
    }
    NDIS_UDP_SEGMENTATION_OFFLOAD_IPV6_CAPABILITIES.Bits: ULONG {
        MinSegmentCount / set_MinSegmentCount: 0..=5,
        SubMssFinalSegmentSupported / set_SubMssFinalSegmentSupported: 6..=6,
        Reserved1 / set_Reserved1: 7..=31,
    }
    NDIS_UDP_SEGMENTATION_OFFLOAD_IPV6_CAPABILITIES.Bits2: ULONG {
        IpExtensionHeadersSupported / set_IpExtensionHeadersSupported: 0..=1,
        Reserved2 / set_Reserved2: 2..=31,
    }
    NDIS_TCP_CONNECTION_OFFLOAD.Bits: ULONG {
        SupportIPv4 / set_SupportIPv4: 0..=1,
        SupportIPv6 / set_SupportIPv6: 2..=3,
        SupportIPv6ExtensionHeaders / set_SupportIPv6ExtensionHeaders: 4..=5,
        SupportSack / set_SupportSack: 6..=7,
        CongestionAlgorithm / set_CongestionAlgorithm: 8..=11,
    }
}

/// Which translations of RFC 6877 are meant.
pub type NDIS_RFC6877_464XLAT_OFFLOAD_OPTIONS = i32;

const _: () = assert!(size_of::<NDIS_TIMESTAMP_CAPABILITY_FLAGS>() == 14);

pub(crate) mod codes;
pub use codes::*;
