//! What the slots of `NetBufferListInfo` hold: VLAN tag, checksum, large send, coalescing and
//! filtering information. Each is one pointer-sized word; the bit fields have a getter and a setter
//! each.

use crate::declare::{bits, constants, structures};
use crate::nt::*;

structures! {
    /// The 802.1Q tag of a frame, zero for none (slot `Ieee8021QNetBufferListInfo`).
    pub union NDIS_NET_BUFFER_LIST_8021Q_INFO {
        pub TagHeader: NDIS_NET_BUFFER_LIST_8021Q_INFO_TAG,
        pub WLanTagHeader: NDIS_NET_BUFFER_LIST_8021Q_INFO_WLAN_TAG,
        pub Value: PVOID,
    }

    /// The tag on wired media.
    pub struct NDIS_NET_BUFFER_LIST_8021Q_INFO_TAG {
        pub Bits: ULONG,
    }

    /// The tag on wireless media.
    pub struct NDIS_NET_BUFFER_LIST_8021Q_INFO_WLAN_TAG {
        pub Bits: ULONG,
    }

    /// Checksum work and results (slot `TcpIpChecksumNetBufferListInfo`).
    pub union NDIS_TCP_IP_CHECKSUM_NET_BUFFER_LIST_INFO {
        pub Transmit: NDIS_TCP_IP_CHECKSUM_TRANSMIT,
        pub Receive: NDIS_TCP_IP_CHECKSUM_RECEIVE,
        pub Value: PVOID,
    }

    /// What the adapter is to compute.
    pub struct NDIS_TCP_IP_CHECKSUM_TRANSMIT {
        pub Bits: ULONG,
    }

    /// What the adapter found.
    pub struct NDIS_TCP_IP_CHECKSUM_RECEIVE {
        pub Bits: ULONG,
    }

    /// Large send (slot `TcpLargeSendNetBufferListInfo`).
    pub union NDIS_TCP_LARGE_SEND_OFFLOAD_NET_BUFFER_LIST_INFO {
        pub Transmit: NDIS_TCP_LARGE_SEND_OFFLOAD_TRANSMIT,
        pub LsoV1Transmit: NDIS_TCP_LARGE_SEND_OFFLOAD_LSO_V1_TRANSMIT,
        pub LsoV1TransmitComplete: NDIS_TCP_LARGE_SEND_OFFLOAD_LSO_V1_TRANSMIT_COMPLETE,
        pub LsoV2Transmit: NDIS_TCP_LARGE_SEND_OFFLOAD_LSO_V2_TRANSMIT,
        pub LsoV2TransmitComplete: NDIS_TCP_LARGE_SEND_OFFLOAD_LSO_V2_TRANSMIT_COMPLETE,
        pub Value: PVOID,
    }

    /// What all forms share.
    pub struct NDIS_TCP_LARGE_SEND_OFFLOAD_TRANSMIT {
        pub Bits: ULONG,
    }

    /// Version 1, going down.
    pub struct NDIS_TCP_LARGE_SEND_OFFLOAD_LSO_V1_TRANSMIT {
        pub Bits: ULONG,
    }

    /// Version 1, completed.
    pub struct NDIS_TCP_LARGE_SEND_OFFLOAD_LSO_V1_TRANSMIT_COMPLETE {
        pub Bits: ULONG,
    }

    /// Version 2, going down.
    pub struct NDIS_TCP_LARGE_SEND_OFFLOAD_LSO_V2_TRANSMIT {
        pub Bits: ULONG,
    }

    /// Version 2, completed.
    pub struct NDIS_TCP_LARGE_SEND_OFFLOAD_LSO_V2_TRANSMIT_COMPLETE {
        pub Bits: ULONG,
    }

    /// UDP segmentation (slot `UdpSegmentationOffloadInfo`,
    /// `ns-nbluso-ndis_udp_segmentation_offload_net_buffer_list_info.md`).
    pub union NDIS_UDP_SEGMENTATION_OFFLOAD_NET_BUFFER_LIST_INFO {
        pub Transmit: NDIS_UDP_SEGMENTATION_OFFLOAD_TRANSMIT,
        pub Value: PVOID,
    }

    /// What the adapter is to cut the datagram into.
    pub struct NDIS_UDP_SEGMENTATION_OFFLOAD_TRANSMIT {
        pub Bits: ULONG,
    }

    /// Inner headers of encapsulated frames (slot `TcpSendOffloadsSupplementalNetBufferListInfo`).
    pub union NDIS_TCP_SEND_OFFLOADS_SUPPLEMENTAL_NET_BUFFER_LIST_INFO {
        pub EncapsulatedPacketOffsets: NDIS_TCP_SEND_OFFLOADS_ENCAPSULATED_OFFSETS,
        pub Value: PVOID,
    }

    /// Where the inner headers are.
    pub struct NDIS_TCP_SEND_OFFLOADS_ENCAPSULATED_OFFSETS {
        pub Bits: ULONG,
    }

    /// Coalesced receive segments (slot `TcpRecvSegCoalesceInfo`,
    /// `ns-nblrsc-ndis_rsc_nbl_info.md`).
    pub union NDIS_RSC_NBL_INFO {
        pub Info: NDIS_RSC_NBL_COUNTS,
        pub Value: PVOID,
    }

    /// What was coalesced.
    pub struct NDIS_RSC_NBL_COUNTS {
        pub CoalescedSegCount: USHORT,
        pub DupAckCount: USHORT,
    }

    /// The receive filter and queue a frame matched (slot `NetBufferListFilteringInfo`).
    pub union NDIS_NET_BUFFER_LIST_FILTERING_INFO {
        pub FilteringInfo: NDIS_NET_BUFFER_LIST_FILTER,
        pub Value: PVOID,
    }

    /// A receive filter and where it led.
    pub struct NDIS_NET_BUFFER_LIST_FILTER {
        pub FilterId: USHORT,
        pub QueueVPortInfo: NDIS_NET_BUFFER_LIST_QUEUE,
    }

    /// A receive queue or virtual port.
    pub union NDIS_NET_BUFFER_LIST_QUEUE {
        pub QueueId: USHORT,
        pub VPortId: USHORT,
    }

    /// Media-specific data (slot `MediaSpecificInformation`).
    pub union NDIS_NET_BUFFER_LIST_MEDIA_SPECIFIC_INFO {
        pub MediaSpecificInfo: PVOID,
        pub NativeWifiSpecificInfo: PVOID,
        pub Value: PVOID,
    }
}

bits! {
    NDIS_NET_BUFFER_LIST_8021Q_INFO_TAG.Bits: ULONG {
        UserPriority / set_UserPriority: 0..=2,
        CanonicalFormatId / set_CanonicalFormatId: 3..=3,
        VlanId / set_VlanId: 4..=15,
        Reserved / set_Reserved: 16..=31,
    }
    NDIS_NET_BUFFER_LIST_8021Q_INFO_WLAN_TAG.Bits: ULONG {
        UserPriority / set_UserPriority: 0..=2,
        CanonicalFormatId / set_CanonicalFormatId: 3..=3,
        VlanId / set_VlanId: 4..=15,
        WMMInfo / set_WMMInfo: 16..=19,
        Reserved / set_Reserved: 20..=31,
    }
    NDIS_TCP_IP_CHECKSUM_TRANSMIT.Bits: ULONG {
        IsIPv4 / set_IsIPv4: 0..=0,
        IsIPv6 / set_IsIPv6: 1..=1,
        TcpChecksum / set_TcpChecksum: 2..=2,
        UdpChecksum / set_UdpChecksum: 3..=3,
        IpHeaderChecksum / set_IpHeaderChecksum: 4..=4,
        Reserved / set_Reserved: 5..=15,
        TcpHeaderOffset / set_TcpHeaderOffset: 16..=25,
    }
    NDIS_TCP_IP_CHECKSUM_RECEIVE.Bits: ULONG {
        TcpChecksumFailed / set_TcpChecksumFailed: 0..=0,
        UdpChecksumFailed / set_UdpChecksumFailed: 1..=1,
        IpChecksumFailed / set_IpChecksumFailed: 2..=2,
        TcpChecksumSucceeded / set_TcpChecksumSucceeded: 3..=3,
        UdpChecksumSucceeded / set_UdpChecksumSucceeded: 4..=4,
        IpChecksumSucceeded / set_IpChecksumSucceeded: 5..=5,
        Loopback / set_Loopback: 6..=6,
        TcpChecksumValueInvalid / set_TcpChecksumValueInvalid: 7..=7,
        IpChecksumValueInvalid / set_IpChecksumValueInvalid: 8..=8,
    }
    NDIS_TCP_LARGE_SEND_OFFLOAD_TRANSMIT.Bits: ULONG {
        Unused / set_Unused: 0..=29,
        Type / set_Type: 30..=30,
        Reserved2 / set_Reserved2: 31..=31,
    }
    NDIS_TCP_LARGE_SEND_OFFLOAD_LSO_V1_TRANSMIT.Bits: ULONG {
        MSS / set_MSS: 0..=19,
        TcpHeaderOffset / set_TcpHeaderOffset: 20..=29,
        Type / set_Type: 30..=30,
        Reserved2 / set_Reserved2: 31..=31,
    }
    NDIS_TCP_LARGE_SEND_OFFLOAD_LSO_V1_TRANSMIT_COMPLETE.Bits: ULONG {
        TcpPayload / set_TcpPayload: 0..=29,
        Type / set_Type: 30..=30,
        Reserved2 / set_Reserved2: 31..=31,
    }
    NDIS_TCP_LARGE_SEND_OFFLOAD_LSO_V2_TRANSMIT.Bits: ULONG {
        MSS / set_MSS: 0..=19,
        TcpHeaderOffset / set_TcpHeaderOffset: 20..=29,
        Type / set_Type: 30..=30,
        IPVersion / set_IPVersion: 31..=31,
    }
    NDIS_TCP_LARGE_SEND_OFFLOAD_LSO_V2_TRANSMIT_COMPLETE.Bits: ULONG {
        Reserved / set_Reserved: 0..=29,
        Type / set_Type: 30..=30,
        Reserved2 / set_Reserved2: 31..=31,
    }
    NDIS_UDP_SEGMENTATION_OFFLOAD_TRANSMIT.Bits: ULONG {
        MSS / set_MSS: 0..=19,
        UdpHeaderOffset / set_UdpHeaderOffset: 20..=29,
        Reserved / set_Reserved: 30..=30,
        IPVersion / set_IPVersion: 31..=31,
    }
    NDIS_TCP_SEND_OFFLOADS_ENCAPSULATED_OFFSETS.Bits: ULONG {
        IsEncapsulatedPacket / set_IsEncapsulatedPacket: 0..=0,
        EncapsulatedPacketOffsetsValid / set_EncapsulatedPacketOffsetsValid: 1..=1,
        InnerFrameOffset / set_InnerFrameOffset: 2..=9,
        TransportIpHeaderRelativeOffset / set_TransportIpHeaderRelativeOffset: 10..=15,
        TcpHeaderRelativeOffset / set_TcpHeaderRelativeOffset: 16..=25,
        IsInnerIPv6 / set_IsInnerIPv6: 26..=26,
        TcpOptionsPresent / set_TcpOptionsPresent: 27..=27,
        Reserved / set_Reserved: 28..=31,
    }
}

constants! {
    ULONG {
        NDIS_TCP_LARGE_SEND_OFFLOAD_IPv4 = 0x0,
        NDIS_TCP_LARGE_SEND_OFFLOAD_IPv6 = 0x1,
        NDIS_TCP_LARGE_SEND_OFFLOAD_V1_TYPE = 0x0,
        NDIS_TCP_LARGE_SEND_OFFLOAD_V2_TYPE = 0x1,
        /// `IPVersion` of an IPv4 datagram.
        NDIS_UDP_SEGMENTATION_OFFLOAD_IPV4 = 0,
        /// `IPVersion` of an IPv6 datagram.
        NDIS_UDP_SEGMENTATION_OFFLOAD_IPV6 = 1,
    }
}

const _: () = assert!(size_of::<NDIS_UDP_SEGMENTATION_OFFLOAD_NET_BUFFER_LIST_INFO>() == 8);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bit_field_is_set_without_its_neighbours() {
        let mut tag = NDIS_NET_BUFFER_LIST_8021Q_INFO_TAG { Bits: ULONG::MAX };
        tag.set_VlanId(0);
        assert_eq!(tag.Bits, 0xffff_000f);
        tag.set_VlanId(0x00a5);
        assert_eq!((tag.UserPriority(), tag.VlanId()), (7, 0x00a5));
    }

    #[test]
    fn bits_that_do_not_fit_a_bit_field_are_dropped() {
        let mut tag = NDIS_NET_BUFFER_LIST_8021Q_INFO_TAG::zeroed();
        tag.set_UserPriority(0xff);
        assert_eq!(tag.Bits, 7);
    }

    #[test]
    fn a_bit_field_may_end_at_the_highest_bit() {
        let mut transmit = NDIS_TCP_LARGE_SEND_OFFLOAD_LSO_V2_TRANSMIT::zeroed();
        transmit.set_IPVersion(1);
        assert_eq!(transmit.Bits, 0x8000_0000);
    }
}
