//! Single counters, which NDIS takes from the miniport's `OID_GEN_STATISTICS`.

use std::mem::offset_of;

use ndis_sys::{
    NDIS_OID, NDIS_STATISTICS_INFO, NDIS_STATUS_SUCCESS, NdisRequestQueryInformation,
    OID_GEN_BROADCAST_BYTES_RCV, OID_GEN_BROADCAST_BYTES_XMIT, OID_GEN_BROADCAST_FRAMES_RCV,
    OID_GEN_BROADCAST_FRAMES_XMIT, OID_GEN_BYTES_RCV, OID_GEN_BYTES_XMIT,
    OID_GEN_DIRECTED_BYTES_RCV, OID_GEN_DIRECTED_BYTES_XMIT, OID_GEN_DIRECTED_FRAMES_RCV,
    OID_GEN_DIRECTED_FRAMES_XMIT, OID_GEN_MULTICAST_BYTES_RCV, OID_GEN_MULTICAST_BYTES_XMIT,
    OID_GEN_MULTICAST_FRAMES_RCV, OID_GEN_MULTICAST_FRAMES_XMIT, OID_GEN_RCV_DISCARDS,
    OID_GEN_RCV_ERROR, OID_GEN_STATISTICS, OID_GEN_XMIT_DISCARDS, OID_GEN_XMIT_ERROR,
};

use super::queue::{Entry, Own, Source};
use super::request::Request;

/// The request for all counters, if this is one for a single counter.
pub(super) fn translate(source: Source, request: Request) -> Option<Entry> {
    if !request.is_query() {
        return None;
    }
    let offset = offset_of_counter(request.oid())?;
    let buffer = vec![0; size_of::<NDIS_STATISTICS_INFO>()];
    let own = Own::new(NdisRequestQueryInformation, OID_GEN_STATISTICS, buffer);
    Some(Entry::translated(own, source, move |status, own| {
        if status != NDIS_STATUS_SUCCESS {
            return status;
        }
        let value = &own.buffer[offset..offset + 8];
        // Who has room for 32 bits only gets those.
        let (_, _, room) = request.counts();
        request.answer(if room < 8 { &value[..4] } else { value })
    }))
}

fn offset_of_counter(oid: NDIS_OID) -> Option<usize> {
    type Info = NDIS_STATISTICS_INFO;
    Some(match oid {
        OID_GEN_BYTES_RCV => offset_of!(Info, ifHCInOctets),
        OID_GEN_BYTES_XMIT => offset_of!(Info, ifHCOutOctets),
        OID_GEN_RCV_DISCARDS => offset_of!(Info, ifInDiscards),
        OID_GEN_RCV_ERROR => offset_of!(Info, ifInErrors),
        OID_GEN_XMIT_DISCARDS => offset_of!(Info, ifOutDiscards),
        OID_GEN_XMIT_ERROR => offset_of!(Info, ifOutErrors),
        OID_GEN_DIRECTED_FRAMES_RCV => offset_of!(Info, ifHCInUcastPkts),
        OID_GEN_MULTICAST_FRAMES_RCV => offset_of!(Info, ifHCInMulticastPkts),
        OID_GEN_BROADCAST_FRAMES_RCV => offset_of!(Info, ifHCInBroadcastPkts),
        OID_GEN_DIRECTED_FRAMES_XMIT => offset_of!(Info, ifHCOutUcastPkts),
        OID_GEN_MULTICAST_FRAMES_XMIT => offset_of!(Info, ifHCOutMulticastPkts),
        OID_GEN_BROADCAST_FRAMES_XMIT => offset_of!(Info, ifHCOutBroadcastPkts),
        OID_GEN_DIRECTED_BYTES_RCV => offset_of!(Info, ifHCInUcastOctets),
        OID_GEN_MULTICAST_BYTES_RCV => offset_of!(Info, ifHCInMulticastOctets),
        OID_GEN_BROADCAST_BYTES_RCV => offset_of!(Info, ifHCInBroadcastOctets),
        OID_GEN_DIRECTED_BYTES_XMIT => offset_of!(Info, ifHCOutUcastOctets),
        OID_GEN_MULTICAST_BYTES_XMIT => offset_of!(Info, ifHCOutMulticastOctets),
        OID_GEN_BROADCAST_BYTES_XMIT => offset_of!(Info, ifHCOutBroadcastOctets),
        _ => return None,
    })
}
