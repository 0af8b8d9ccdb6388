//! The counters of an adapter, as OID_GEN_STATISTICS tells them.

use ndis_sys as sys;

/// What an adapter has sent and received since it was initialised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GeneralStatistics {
    /// What it received.
    pub received: Direction,
    /// What it sent.
    pub sent: Direction,
}

/// The counters of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Direction {
    /// Frames for one station.
    pub directed: Count,
    /// Frames for a group.
    pub multicast: Count,
    /// Frames for everybody.
    pub broadcast: Count,
    /// Frames that failed.
    pub errors: u64,
    /// Frames that were given up for want of something other than the frame's own fault.
    pub discards: u64,
}

/// Frames, and their bytes from the first address to the end of the data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How many frames.
    pub frames: u64,
    /// How many bytes they have together.
    pub bytes: u64,
}

impl GeneralStatistics {
    pub(crate) fn to_raw(self) -> sys::NDIS_STATISTICS_INFO {
        let Self { received, sent } = self;
        sys::NDIS_STATISTICS_INFO {
            Header: sys::NDIS_OBJECT_HEADER {
                Type: sys::NDIS_OBJECT_TYPE_DEFAULT,
                Revision: sys::NDIS_STATISTICS_INFO_REVISION_1,
                Size: sys::NDIS_SIZEOF_STATISTICS_INFO_REVISION_1,
            },
            SupportedStatistics: ALL_VALID,
            ifInDiscards: received.discards,
            ifInErrors: received.errors,
            ifHCInOctets: received.bytes(),
            ifHCInUcastPkts: received.directed.frames,
            ifHCInMulticastPkts: received.multicast.frames,
            ifHCInBroadcastPkts: received.broadcast.frames,
            ifHCOutOctets: sent.bytes(),
            ifHCOutUcastPkts: sent.directed.frames,
            ifHCOutMulticastPkts: sent.multicast.frames,
            ifHCOutBroadcastPkts: sent.broadcast.frames,
            ifOutErrors: sent.errors,
            ifOutDiscards: sent.discards,
            ifHCInUcastOctets: received.directed.bytes,
            ifHCInMulticastOctets: received.multicast.bytes,
            ifHCInBroadcastOctets: received.broadcast.bytes,
            ifHCOutUcastOctets: sent.directed.bytes,
            ifHCOutMulticastOctets: sent.multicast.bytes,
            ifHCOutBroadcastOctets: sent.broadcast.bytes,
        }
    }
}

impl Direction {
    const fn bytes(&self) -> u64 {
        self.directed
            .bytes
            .wrapping_add(self.multicast.bytes)
            .wrapping_add(self.broadcast.bytes)
    }
}

/// The structure goes out as bytes, so none of them may be padding: a header, a mask, 18 counters.
const _: () = assert!(size_of::<sys::NDIS_STATISTICS_INFO>() == 4 + 4 + 18 * 8);

/// Every counter of the structure is counted.
const ALL_VALID: u32 = sys::NDIS_STATISTICS_FLAGS_VALID_DIRECTED_FRAMES_RCV
    | sys::NDIS_STATISTICS_FLAGS_VALID_MULTICAST_FRAMES_RCV
    | sys::NDIS_STATISTICS_FLAGS_VALID_BROADCAST_FRAMES_RCV
    | sys::NDIS_STATISTICS_FLAGS_VALID_BYTES_RCV
    | sys::NDIS_STATISTICS_FLAGS_VALID_RCV_DISCARDS
    | sys::NDIS_STATISTICS_FLAGS_VALID_RCV_ERROR
    | sys::NDIS_STATISTICS_FLAGS_VALID_DIRECTED_FRAMES_XMIT
    | sys::NDIS_STATISTICS_FLAGS_VALID_MULTICAST_FRAMES_XMIT
    | sys::NDIS_STATISTICS_FLAGS_VALID_BROADCAST_FRAMES_XMIT
    | sys::NDIS_STATISTICS_FLAGS_VALID_BYTES_XMIT
    | sys::NDIS_STATISTICS_FLAGS_VALID_XMIT_ERROR
    | sys::NDIS_STATISTICS_FLAGS_VALID_XMIT_DISCARDS
    | sys::NDIS_STATISTICS_FLAGS_VALID_DIRECTED_BYTES_RCV
    | sys::NDIS_STATISTICS_FLAGS_VALID_MULTICAST_BYTES_RCV
    | sys::NDIS_STATISTICS_FLAGS_VALID_BROADCAST_BYTES_RCV
    | sys::NDIS_STATISTICS_FLAGS_VALID_DIRECTED_BYTES_XMIT
    | sys::NDIS_STATISTICS_FLAGS_VALID_MULTICAST_BYTES_XMIT
    | sys::NDIS_STATISTICS_FLAGS_VALID_BROADCAST_BYTES_XMIT;
