//! Counters of adapters and interfaces (`oid-gen-statistics.md`,
//! `oid-gen-interface-info.md`). They count from initialization and are never cleared.

use crate::declare::{constants, size_through, structures};
use crate::interface::*;
use crate::nt::*;
use crate::object::NDIS_OBJECT_HEADER;

structures! {
    /// Answer to OID_TCP_RSC_STATISTICS (`ns-ntddndis-_ndis_rsc_statistics_info.md`).
    pub struct NDIS_RSC_STATISTICS_INFO {
        pub Header: NDIS_OBJECT_HEADER,
        pub CoalescedPkts: ULONG64,
        pub CoalescedOctets: ULONG64,
        pub CoalesceEvents: ULONG64,
        pub Aborts: ULONG64,
    }

    /// Answer to OID_GEN_STATISTICS.
    pub struct NDIS_STATISTICS_INFO {
        pub Header: NDIS_OBJECT_HEADER,
        pub SupportedStatistics: ULONG,
        pub ifInDiscards: ULONG64,
        pub ifInErrors: ULONG64,
        pub ifHCInOctets: ULONG64,
        pub ifHCInUcastPkts: ULONG64,
        pub ifHCInMulticastPkts: ULONG64,
        pub ifHCInBroadcastPkts: ULONG64,
        pub ifHCOutOctets: ULONG64,
        pub ifHCOutUcastPkts: ULONG64,
        pub ifHCOutMulticastPkts: ULONG64,
        pub ifHCOutBroadcastPkts: ULONG64,
        pub ifOutErrors: ULONG64,
        pub ifOutDiscards: ULONG64,
        pub ifHCInUcastOctets: ULONG64,
        pub ifHCInMulticastOctets: ULONG64,
        pub ifHCInBroadcastOctets: ULONG64,
        pub ifHCOutUcastOctets: ULONG64,
        pub ifHCOutMulticastOctets: ULONG64,
        pub ifHCOutBroadcastOctets: ULONG64,
    }

    /// Answer to OID_GEN_INTERFACE_INFO.
    pub struct NDIS_INTERFACE_INFORMATION {
        pub ifOperStatus: NET_IF_OPER_STATUS,
        pub ifOperStatusFlags: ULONG,
        pub MediaConnectState: NET_IF_MEDIA_CONNECT_STATE,
        pub MediaDuplexState: NET_IF_MEDIA_DUPLEX_STATE,
        pub ifMtu: ULONG,
        pub ifPromiscuousMode: BOOLEAN,
        pub ifDeviceWakeUpEnable: BOOLEAN,
        pub XmitLinkSpeed: ULONG64,
        pub RcvLinkSpeed: ULONG64,
        pub ifLastChange: ULONG64,
        pub ifCounterDiscontinuityTime: ULONG64,
        pub ifInUnknownProtos: ULONG64,
        pub ifInDiscards: ULONG64,
        pub ifInErrors: ULONG64,
        pub ifHCInOctets: ULONG64,
        pub ifHCInUcastPkts: ULONG64,
        pub ifHCInMulticastPkts: ULONG64,
        pub ifHCInBroadcastPkts: ULONG64,
        pub ifHCOutOctets: ULONG64,
        pub ifHCOutUcastPkts: ULONG64,
        pub ifHCOutMulticastPkts: ULONG64,
        pub ifHCOutBroadcastPkts: ULONG64,
        pub ifOutErrors: ULONG64,
        pub ifOutDiscards: ULONG64,
        pub ifHCInUcastOctets: ULONG64,
        pub ifHCInMulticastOctets: ULONG64,
        pub ifHCInBroadcastOctets: ULONG64,
        pub ifHCOutUcastOctets: ULONG64,
        pub ifHCOutMulticastOctets: ULONG64,
        pub ifHCOutBroadcastOctets: ULONG64,
        pub CompartmentId: NET_IF_COMPARTMENT_ID,
        pub SupportedStatistics: ULONG,
    }
}

constants! {
    UCHAR {
        NDIS_RSC_STATISTICS_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_RSC_STATISTICS_REVISION_1 = size_through!(NDIS_RSC_STATISTICS_INFO, Aborts),
    }
    ULONG {
        NDIS_STATISTICS_FLAGS_VALID_BROADCAST_BYTES_RCV = 0x0004_0000,
        NDIS_STATISTICS_FLAGS_VALID_BROADCAST_BYTES_XMIT = 0x0020_0000,
        NDIS_STATISTICS_FLAGS_VALID_BROADCAST_FRAMES_RCV = 0x4,
        NDIS_STATISTICS_FLAGS_VALID_BROADCAST_FRAMES_XMIT = 0x100,
        NDIS_STATISTICS_FLAGS_VALID_BYTES_RCV = 0x8,
        NDIS_STATISTICS_FLAGS_VALID_BYTES_XMIT = 0x200,
        NDIS_STATISTICS_FLAGS_VALID_DIRECTED_BYTES_RCV = 0x0001_0000,
        NDIS_STATISTICS_FLAGS_VALID_DIRECTED_BYTES_XMIT = 0x0008_0000,
        NDIS_STATISTICS_FLAGS_VALID_DIRECTED_FRAMES_RCV = 0x1,
        NDIS_STATISTICS_FLAGS_VALID_DIRECTED_FRAMES_XMIT = 0x40,
        NDIS_STATISTICS_FLAGS_VALID_MULTICAST_BYTES_RCV = 0x0002_0000,
        NDIS_STATISTICS_FLAGS_VALID_MULTICAST_BYTES_XMIT = 0x0010_0000,
        NDIS_STATISTICS_FLAGS_VALID_MULTICAST_FRAMES_RCV = 0x2,
        NDIS_STATISTICS_FLAGS_VALID_MULTICAST_FRAMES_XMIT = 0x80,
        NDIS_STATISTICS_FLAGS_VALID_RCV_DISCARDS = 0x10,
        NDIS_STATISTICS_FLAGS_VALID_RCV_ERROR = 0x20,
        NDIS_STATISTICS_FLAGS_VALID_XMIT_DISCARDS = 0x8000,
        NDIS_STATISTICS_FLAGS_VALID_XMIT_ERROR = 0x400,
        NDIS_STATISTICS_BROADCAST_BYTES_RCV_SUPPORTED = 0x8000,
        NDIS_STATISTICS_BROADCAST_BYTES_XMIT_SUPPORTED = 0x200,
        NDIS_STATISTICS_BROADCAST_FRAMES_RCV_SUPPORTED = 0x0001_0000,
        NDIS_STATISTICS_BROADCAST_FRAMES_XMIT_SUPPORTED = 0x400,
        NDIS_STATISTICS_BYTES_RCV_SUPPORTED = 0x0008_0000,
        NDIS_STATISTICS_BYTES_XMIT_SUPPORTED = 0x0010_0000,
        NDIS_STATISTICS_DIRECTED_BYTES_RCV_SUPPORTED = 0x800,
        NDIS_STATISTICS_DIRECTED_BYTES_XMIT_SUPPORTED = 0x20,
        NDIS_STATISTICS_DIRECTED_FRAMES_RCV_SUPPORTED = 0x1000,
        NDIS_STATISTICS_DIRECTED_FRAMES_XMIT_SUPPORTED = 0x40,
        NDIS_STATISTICS_GEN_STATISTICS_SUPPORTED = 0x0040_0000,
        NDIS_STATISTICS_MULTICAST_BYTES_RCV_SUPPORTED = 0x2000,
        NDIS_STATISTICS_MULTICAST_BYTES_XMIT_SUPPORTED = 0x80,
        NDIS_STATISTICS_MULTICAST_FRAMES_RCV_SUPPORTED = 0x4000,
        NDIS_STATISTICS_MULTICAST_FRAMES_XMIT_SUPPORTED = 0x100,
        NDIS_STATISTICS_RCV_CRC_ERROR_SUPPORTED = 0x0002_0000,
        NDIS_STATISTICS_RCV_DISCARDS_SUPPORTED = 0x0020_0000,
        NDIS_STATISTICS_RCV_ERROR_SUPPORTED = 0x8,
        NDIS_STATISTICS_RCV_NO_BUFFER_SUPPORTED = 0x10,
        NDIS_STATISTICS_RCV_OK_SUPPORTED = 0x2,
        NDIS_STATISTICS_TRANSMIT_QUEUE_LENGTH_SUPPORTED = 0x0004_0000,
        NDIS_STATISTICS_XMIT_DISCARDS_SUPPORTED = 0x0800_0000,
        NDIS_STATISTICS_XMIT_ERROR_SUPPORTED = 0x4,
        NDIS_STATISTICS_XMIT_OK_SUPPORTED = 0x1,
    }
    UCHAR {
        NDIS_STATISTICS_INFO_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_STATISTICS_INFO_REVISION_1 =
            size_through!(NDIS_STATISTICS_INFO, ifHCOutBroadcastOctets),
    }
}
