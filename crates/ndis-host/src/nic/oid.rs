//! What the built-in NIC answers to OID requests.

use ndis_sys::{
    NDIS_OBJECT_HEADER, NDIS_OBJECT_TYPE_DEFAULT, NDIS_OID, NDIS_SIZEOF_STATISTICS_INFO_REVISION_1,
    NDIS_STATISTICS_INFO, NDIS_STATISTICS_INFO_REVISION_1, NDIS_STATUS, NDIS_STATUS_INVALID_LENGTH,
    NDIS_STATUS_INVALID_PARAMETER, NDIS_STATUS_NOT_SUPPORTED, NDIS_STATUS_RESOURCES,
    NDIS_STATUS_SUCCESS, OID_802_3_CURRENT_ADDRESS, OID_802_3_MAXIMUM_LIST_SIZE,
    OID_802_3_MULTICAST_LIST, OID_802_3_PERMANENT_ADDRESS, OID_GEN_CURRENT_LOOKAHEAD,
    OID_GEN_CURRENT_PACKET_FILTER, OID_GEN_INTERRUPT_MODERATION, OID_GEN_LINK_PARAMETERS,
    OID_GEN_MAXIMUM_TOTAL_SIZE, OID_GEN_PROTOCOL_OPTIONS, OID_GEN_RCV_OK,
    OID_GEN_RECEIVE_BLOCK_SIZE, OID_GEN_RECEIVE_BUFFER_SPACE, OID_GEN_RECEIVE_SCALE_PARAMETERS,
    OID_GEN_STATISTICS, OID_GEN_TRANSMIT_BLOCK_SIZE, OID_GEN_TRANSMIT_BUFFER_SPACE,
    OID_GEN_TRANSMIT_QUEUE_LENGTH, OID_GEN_VENDOR_DESCRIPTION, OID_GEN_VENDOR_DRIVER_VERSION,
    OID_GEN_VENDOR_ID, OID_GEN_XMIT_OK, OID_OFFLOAD_ENCAPSULATION, OID_PM_ADD_WOL_PATTERN,
    OID_PM_PARAMETERS, OID_PM_REMOVE_WOL_PATTERN, OID_PNP_QUERY_POWER, OID_PNP_SET_POWER,
    OID_RECEIVE_FILTER_CLEAR_FILTER, OID_RECEIVE_FILTER_SET_FILTER, OID_TCP_OFFLOAD_PARAMETERS,
};

use super::{Nic, Statistics};
use crate::ndis::oid::receive_filter;
use crate::ndis::oid::request::Request;
use ndis_sys::NDIS_PACKET_TYPE_PROMISCUOUS;

/// The OIDs that it supports.
pub(super) const SUPPORTED: &[NDIS_OID] = &[
    OID_GEN_CURRENT_PACKET_FILTER,
    OID_GEN_CURRENT_LOOKAHEAD,
    OID_GEN_MAXIMUM_TOTAL_SIZE,
    OID_GEN_RCV_OK,
    OID_GEN_XMIT_OK,
    OID_GEN_RECEIVE_BLOCK_SIZE,
    OID_GEN_RECEIVE_BUFFER_SPACE,
    OID_GEN_TRANSMIT_BLOCK_SIZE,
    OID_GEN_TRANSMIT_BUFFER_SPACE,
    OID_GEN_TRANSMIT_QUEUE_LENGTH,
    OID_GEN_STATISTICS,
    OID_GEN_VENDOR_DESCRIPTION,
    OID_GEN_VENDOR_DRIVER_VERSION,
    OID_GEN_VENDOR_ID,
    OID_GEN_LINK_PARAMETERS,
    OID_GEN_INTERRUPT_MODERATION,
    OID_802_3_CURRENT_ADDRESS,
    OID_802_3_PERMANENT_ADDRESS,
    OID_802_3_MULTICAST_LIST,
    OID_802_3_MAXIMUM_LIST_SIZE,
    OID_PNP_SET_POWER,
    OID_PNP_QUERY_POWER,
    OID_PM_PARAMETERS,
    OID_PM_ADD_WOL_PATTERN,
    OID_PM_REMOVE_WOL_PATTERN,
    OID_OFFLOAD_ENCAPSULATION,
    OID_TCP_OFFLOAD_PARAMETERS,
    OID_GEN_RECEIVE_SCALE_PARAMETERS,
];

impl Nic {
    /// Answers a request.
    pub(super) fn request(&self, request: Request) -> NDIS_STATUS {
        if request.is_query() {
            match self.query(request.oid()) {
                Some(bytes) => request.answer(&bytes),
                None => NDIS_STATUS_NOT_SUPPORTED,
            }
        } else if request.is_set() {
            let input = request.input();
            let status = self.set(request.oid(), &input);
            if status == NDIS_STATUS_SUCCESS {
                request.set_counts(input.len() as u32, 0);
            }
            status
        } else if request.is_method() && request.oid() == OID_RECEIVE_FILTER_SET_FILTER {
            self.set_receive_filter(request)
        } else {
            NDIS_STATUS_NOT_SUPPORTED
        }
    }

    fn set_receive_filter(&self, request: Request) -> NDIS_STATUS {
        let buffer = request.method_input();
        let filter = match receive_filter::parse(&buffer) {
            Ok(filter) => filter,
            Err(status) => return status,
        };
        let mut state = self.state.lock();
        let filters = &mut state.filter.receive;
        if filters.len() >= self.config.receive_filters as usize {
            return NDIS_STATUS_RESOURCES;
        }
        if filter.id == 0 || filters.iter().any(|other| other.id == filter.id) {
            return NDIS_STATUS_INVALID_PARAMETER;
        }
        filters.push(filter);
        drop(state);
        request.answer_method(&buffer);
        NDIS_STATUS_SUCCESS
    }

    fn clear_receive_filter(&self, input: &[u8]) -> NDIS_STATUS {
        let id = match receive_filter::cleared(input) {
            Ok(id) => id,
            Err(status) => return status,
        };
        self.state
            .lock()
            .filter
            .receive
            .retain(|filter| filter.id != id);
        NDIS_STATUS_SUCCESS
    }

    fn query(&self, oid: NDIS_OID) -> Option<Vec<u8>> {
        let number = |value: u32| value.to_le_bytes().to_vec();
        let frame = self.config.mtu + 14;
        let counted = |frames: u64| frames.to_le_bytes().to_vec();
        Some(match oid {
            OID_GEN_MAXIMUM_TOTAL_SIZE
            | OID_GEN_RECEIVE_BLOCK_SIZE
            | OID_GEN_TRANSMIT_BLOCK_SIZE => number(frame),
            OID_GEN_RECEIVE_BUFFER_SPACE | OID_GEN_TRANSMIT_BUFFER_SPACE => number(frame * 256),
            OID_GEN_TRANSMIT_QUEUE_LENGTH => number(self.sends_outstanding() as u32),
            OID_GEN_RCV_OK => counted(self.statistics().received_frames),
            OID_GEN_XMIT_OK => counted(self.statistics().sent_frames),
            OID_GEN_VENDOR_ID => number(0x00ff_ffff),
            OID_GEN_VENDOR_DRIVER_VERSION => number(1),
            OID_GEN_VENDOR_DESCRIPTION => b"ndis-host built-in NIC\0".to_vec(),
            OID_GEN_STATISTICS => statistics(&self.statistics()),
            OID_PNP_QUERY_POWER => Vec::new(),
            _ => return None,
        })
    }

    fn set(&self, oid: NDIS_OID, input: &[u8]) -> NDIS_STATUS {
        let number = || input.first_chunk().copied().map(u32::from_le_bytes);
        match oid {
            OID_GEN_CURRENT_PACKET_FILTER => {
                let Some(types) = number() else {
                    return NDIS_STATUS_INVALID_LENGTH;
                };
                if types & !self.config.packet_filters != 0 {
                    return NDIS_STATUS_NOT_SUPPORTED;
                }
                self.state.lock().filter.packet_types = types;
                let all = types & NDIS_PACKET_TYPE_PROMISCUOUS != 0;
                // A wire with another address of its own would not deliver frames to ours.
                let foreign = self.wire.mac().is_some_and(|mac| mac != self.config.mac);
                if let Err(error) = self.wire.set_promiscuous(all || foreign && types != 0) {
                    eprintln!("ndis-host: {}: {error}", self.wire.describe());
                }
            }
            OID_802_3_MULTICAST_LIST => {
                let (addresses, rest) = input.as_chunks::<6>();
                if !rest.is_empty() {
                    return NDIS_STATUS_INVALID_LENGTH;
                }
                self.state.lock().filter.set_multicast(addresses.to_vec());
            }
            OID_GEN_CURRENT_LOOKAHEAD => {
                let Some(lookahead) = number() else {
                    return NDIS_STATUS_INVALID_LENGTH;
                };
                self.state.lock().lookahead = lookahead;
            }
            OID_RECEIVE_FILTER_CLEAR_FILTER if self.config.receive_filters != 0 => {
                return self.clear_receive_filter(input);
            }
            OID_GEN_RECEIVE_SCALE_PARAMETERS => return self.set_scaling(input),
            OID_OFFLOAD_ENCAPSULATION => return self.set_offload_encapsulation(input),
            OID_TCP_OFFLOAD_PARAMETERS => return self.set_offload_parameters(input),
            OID_GEN_PROTOCOL_OPTIONS | OID_GEN_LINK_PARAMETERS => {}
            OID_PNP_SET_POWER => return self.set_power(input),
            OID_PM_PARAMETERS => return self.set_wake_up(input),
            OID_PM_ADD_WOL_PATTERN => return self.add_wake_pattern(input),
            OID_PM_REMOVE_WOL_PATTERN => return self.remove_wake_pattern(input),
            _ => return NDIS_STATUS_NOT_SUPPORTED,
        }
        NDIS_STATUS_SUCCESS
    }
}

fn statistics(counted: &Statistics) -> Vec<u8> {
    let mut info = NDIS_STATISTICS_INFO {
        Header: NDIS_OBJECT_HEADER::new(
            NDIS_OBJECT_TYPE_DEFAULT,
            NDIS_STATISTICS_INFO_REVISION_1,
            NDIS_SIZEOF_STATISTICS_INFO_REVISION_1,
        ),
        SupportedStatistics: ALL_STATISTICS,
        ifInDiscards: counted.discarded,
        ifOutErrors: counted.send_errors,
        ..NDIS_STATISTICS_INFO::zeroed()
    };
    counted.info.write_to(&mut info);
    let start = (&raw const info).cast::<u8>();
    // SAFETY: the structure has this many bytes; its only padding was zeroed with it.
    unsafe { std::slice::from_raw_parts(start, size_of_val(&info)) }.to_vec()
}

/// Every `NDIS_STATISTICS_FLAGS_VALID_*`.
pub(super) const ALL_STATISTICS: u32 = 0x3f_87ff;
