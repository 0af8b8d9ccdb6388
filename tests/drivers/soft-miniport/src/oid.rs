//! Requests. All are answered inside the handler.

use core::{ffi::c_void, slice, sync::atomic::Ordering};

use ndis_sys as sys;

use crate::{
    adapter::{Adapter, Counted, lend},
    attributes::{LARGEST_FRAME, STATISTICS},
    filter::{MULTICAST, TYPES},
};

/// `MiniportOidRequest`.
pub(crate) unsafe extern "efiapi" fn request(
    context: sys::NDIS_HANDLE,
    request: *mut sys::NDIS_OID_REQUEST,
) -> sys::NDIS_STATUS {
    // SAFETY: NDIS passed it.
    let adapter = unsafe { lend(context) };
    // SAFETY: NDIS lends the request until it is completed, which the return does.
    let request = unsafe { &mut *request };
    match request.RequestType {
        sys::NdisRequestQueryInformation | sys::NdisRequestQueryStatistics => {
            // SAFETY: the request is a query.
            query(adapter, unsafe { &mut request.DATA.QUERY_INFORMATION })
        }
        sys::NdisRequestSetInformation => {
            // SAFETY: the request is a set.
            set(adapter, unsafe { &mut request.DATA.SET_INFORMATION })
        }
        _ => sys::NDIS_STATUS_NOT_SUPPORTED,
    }
}

/// `MiniportCancelOidRequest`: no request is ever pending.
pub(crate) unsafe extern "efiapi" fn cancel(_context: sys::NDIS_HANDLE, _id: *mut c_void) {}

fn query(adapter: &Adapter, query: &mut sys::NDIS_OID_REQUEST_QUERY) -> sys::NDIS_STATUS {
    let number = |query, number: usize| answer(query, &(number as u32).to_le_bytes());
    match query.Oid {
        sys::OID_GEN_MAXIMUM_TOTAL_SIZE
        | sys::OID_GEN_RECEIVE_BLOCK_SIZE
        | sys::OID_GEN_TRANSMIT_BLOCK_SIZE => number(query, LARGEST_FRAME),
        sys::OID_GEN_RECEIVE_BUFFER_SPACE | sys::OID_GEN_TRANSMIT_BUFFER_SPACE => {
            number(query, LARGEST_FRAME * 64)
        }
        sys::OID_GEN_VENDOR_ID => number(query, NO_VENDOR),
        sys::OID_GEN_VENDOR_DRIVER_VERSION => number(query, 1 << 16),
        sys::OID_GEN_VENDOR_DESCRIPTION => answer(query, b"Adapter without hardware\0"),
        sys::OID_802_3_MAXIMUM_LIST_SIZE => number(query, MULTICAST),
        sys::OID_802_3_CURRENT_ADDRESS | sys::OID_802_3_PERMANENT_ADDRESS => {
            answer(query, &adapter.address)
        }
        // It sleeps as it is: there is no hardware, and a pause comes first.
        sys::OID_PNP_QUERY_POWER => sys::NDIS_STATUS_SUCCESS,
        sys::OID_GEN_XMIT_OK => count(query, adapter.counters.sent.frames()),
        sys::OID_GEN_RCV_OK => count(query, adapter.counters.received.frames()),
        sys::OID_GEN_STATISTICS => {
            let statistics = statistics(adapter);
            let start = (&raw const statistics).cast();
            // SAFETY: the structure has this many bytes, and its padding was zeroed with it.
            answer(query, unsafe {
                slice::from_raw_parts(start, size_of_val(&statistics))
            })
        }
        sys::OID_GEN_INTERRUPT_MODERATION => {
            let none = sys::NDIS_INTERRUPT_MODERATION_PARAMETERS {
                Header: sys::NDIS_OBJECT_HEADER::new(
                    sys::NDIS_OBJECT_TYPE_DEFAULT,
                    sys::NDIS_INTERRUPT_MODERATION_PARAMETERS_REVISION_1,
                    sys::NDIS_SIZEOF_INTERRUPT_MODERATION_PARAMETERS_REVISION_1,
                ),
                Flags: 0,
                InterruptModeration: sys::NdisInterruptModerationNotSupported,
            };
            let start = (&raw const none).cast();
            // SAFETY: the structure has this many bytes, and no padding.
            answer(query, unsafe {
                slice::from_raw_parts(start, size_of_val(&none))
            })
        }
        _ => sys::NDIS_STATUS_NOT_SUPPORTED,
    }
}

fn set(adapter: &Adapter, set: &mut sys::NDIS_OID_REQUEST_SET) -> sys::NDIS_STATUS {
    let length = set.InformationBufferLength as usize;
    // SAFETY: the buffer is as long as the request says, and NDIS lends it with the request.
    let input = unsafe { slice::from_raw_parts(set.InformationBuffer.cast::<u8>(), length) };
    let number = input.first_chunk().copied().map(u32::from_le_bytes);
    let status = match (set.Oid, number) {
        (sys::OID_PNP_SET_POWER, _) => sys::NDIS_STATUS_SUCCESS,
        (sys::OID_802_3_MULTICAST_LIST, _) => set_multicast(adapter, input),
        (sys::OID_GEN_CURRENT_PACKET_FILTER, Some(types)) if types & !TYPES == 0 => {
            adapter.filter.with(|filter| filter.types = types);
            sys::NDIS_STATUS_SUCCESS
        }
        (sys::OID_GEN_CURRENT_PACKET_FILTER, Some(_)) => sys::NDIS_STATUS_NOT_SUPPORTED,
        // All of a frame is always indicated, and there is no link to set up.
        (sys::OID_GEN_CURRENT_LOOKAHEAD, Some(_)) => sys::NDIS_STATUS_SUCCESS,
        (sys::OID_GEN_CURRENT_PACKET_FILTER | sys::OID_GEN_CURRENT_LOOKAHEAD, None) => {
            set.BytesNeeded = 4;
            sys::NDIS_STATUS_INVALID_LENGTH
        }
        (sys::OID_GEN_LINK_PARAMETERS | sys::OID_GEN_INTERRUPT_MODERATION, _) => {
            sys::NDIS_STATUS_INVALID_DATA
        }
        _ => sys::NDIS_STATUS_NOT_SUPPORTED,
    };
    if status == sys::NDIS_STATUS_SUCCESS {
        set.BytesRead = set.InformationBufferLength;
    }
    status
}

fn set_multicast(adapter: &Adapter, input: &[u8]) -> sys::NDIS_STATUS {
    let (addresses, rest) = input.as_chunks();
    if !rest.is_empty() {
        return sys::NDIS_STATUS_INVALID_LENGTH;
    }
    if adapter
        .filter
        .with(|filter| filter.set_multicast(addresses))
    {
        sys::NDIS_STATUS_SUCCESS
    } else {
        sys::NDIS_STATUS_MULTICAST_FULL
    }
}

/// Answers a query.
fn answer(query: &mut sys::NDIS_OID_REQUEST_QUERY, bytes: &[u8]) -> sys::NDIS_STATUS {
    let length = bytes.len() as u32;
    if query.InformationBufferLength < length {
        query.BytesNeeded = length;
        return sys::NDIS_STATUS_BUFFER_TOO_SHORT;
    }
    let buffer = query.InformationBuffer.cast::<u8>();
    // SAFETY: NDIS lends the buffer with the request, and it is long enough.
    unsafe { buffer.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    query.BytesWritten = length;
    sys::NDIS_STATUS_SUCCESS
}

/// Answers a query for a counter: 64 bits, or the lower 32 if there is no room for more.
fn count(query: &mut sys::NDIS_OID_REQUEST_QUERY, count: u64) -> sys::NDIS_STATUS {
    if query.InformationBufferLength < 8 {
        let status = answer(query, &(count as u32).to_le_bytes());
        query.BytesNeeded = 8;
        return status;
    }
    answer(query, &count.to_le_bytes())
}

fn statistics(adapter: &Adapter) -> sys::NDIS_STATISTICS_INFO {
    let kinds = |counted: &Counted| {
        [&counted.directed, &counted.multicast, &counted.broadcast]
            .map(|[frames, bytes]| [frames, bytes].map(|counter| counter.load(Ordering::Relaxed)))
    };
    let received = kinds(&adapter.counters.received);
    let sent = kinds(&adapter.counters.sent);
    let bytes = |kinds: [[u64; 2]; 3]| kinds.iter().map(|[_, bytes]| bytes).sum();
    sys::NDIS_STATISTICS_INFO {
        Header: sys::NDIS_OBJECT_HEADER::new(
            sys::NDIS_OBJECT_TYPE_DEFAULT,
            sys::NDIS_STATISTICS_INFO_REVISION_1,
            sys::NDIS_SIZEOF_STATISTICS_INFO_REVISION_1,
        ),
        SupportedStatistics: STATISTICS,
        ifInDiscards: adapter.counters.not_received.load(Ordering::Relaxed),
        ifHCInOctets: bytes(received),
        ifHCInUcastPkts: received[0][0],
        ifHCInMulticastPkts: received[1][0],
        ifHCInBroadcastPkts: received[2][0],
        ifHCOutOctets: bytes(sent),
        ifHCOutUcastPkts: sent[0][0],
        ifHCOutMulticastPkts: sent[1][0],
        ifHCOutBroadcastPkts: sent[2][0],
        ifHCInUcastOctets: received[0][1],
        ifHCInMulticastOctets: received[1][1],
        ifHCInBroadcastOctets: received[2][1],
        ifHCOutUcastOctets: sent[0][1],
        ifHCOutMulticastOctets: sent[1][1],
        ifHCOutBroadcastOctets: sent[2][1],
        ..sys::NDIS_STATISTICS_INFO::zeroed()
    }
}

/// The requests that the adapter answers.
pub(crate) static SUPPORTED: &[sys::NDIS_OID] = &[
    sys::OID_GEN_CURRENT_PACKET_FILTER,
    sys::OID_GEN_CURRENT_LOOKAHEAD,
    sys::OID_GEN_MAXIMUM_TOTAL_SIZE,
    sys::OID_GEN_RECEIVE_BLOCK_SIZE,
    sys::OID_GEN_TRANSMIT_BLOCK_SIZE,
    sys::OID_GEN_RECEIVE_BUFFER_SPACE,
    sys::OID_GEN_TRANSMIT_BUFFER_SPACE,
    sys::OID_GEN_VENDOR_ID,
    sys::OID_GEN_VENDOR_DESCRIPTION,
    sys::OID_GEN_VENDOR_DRIVER_VERSION,
    sys::OID_GEN_XMIT_OK,
    sys::OID_GEN_RCV_OK,
    sys::OID_GEN_STATISTICS,
    sys::OID_GEN_LINK_PARAMETERS,
    sys::OID_GEN_INTERRUPT_MODERATION,
    sys::OID_802_3_PERMANENT_ADDRESS,
    sys::OID_802_3_CURRENT_ADDRESS,
    sys::OID_802_3_MULTICAST_LIST,
    sys::OID_802_3_MAXIMUM_LIST_SIZE,
    sys::OID_PNP_QUERY_POWER,
    sys::OID_PNP_SET_POWER,
];

/// What vendors without an identifier answer.
const NO_VENDOR: usize = 0x00ff_ffff;
