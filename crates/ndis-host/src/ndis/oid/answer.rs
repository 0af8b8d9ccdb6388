//! Queries that NDIS answers itself, from what the adapter said when it was initialized and since.

use std::sync::atomic::Ordering;

use ndis_sys::{
    MediaConnectStateConnected, NDIS_LINK_SPEED, NDIS_OBJECT_HEADER,
    NDIS_OBJECT_TYPE_RSS_PARAMETERS, NDIS_OFFLOAD, NDIS_RECEIVE_SCALE_PARAMETERS,
    NDIS_RECEIVE_SCALE_PARAMETERS_REVISION_2, NDIS_SIZEOF_RECEIVE_SCALE_PARAMETERS_REVISION_2,
    NDIS_STATUS, NdisHardwareStatusReady, NdisMediaStateConnected, NdisMediaStateDisconnected,
    OID_802_3_CURRENT_ADDRESS, OID_802_3_MAXIMUM_LIST_SIZE, OID_802_3_MULTICAST_LIST,
    OID_802_3_PERMANENT_ADDRESS, OID_GEN_CURRENT_LOOKAHEAD, OID_GEN_CURRENT_PACKET_FILTER,
    OID_GEN_DRIVER_VERSION, OID_GEN_HARDWARE_STATUS, OID_GEN_LINK_SPEED, OID_GEN_LINK_SPEED_EX,
    OID_GEN_LINK_STATE, OID_GEN_MAC_OPTIONS, OID_GEN_MAX_LINK_SPEED, OID_GEN_MAXIMUM_FRAME_SIZE,
    OID_GEN_MAXIMUM_LOOKAHEAD, OID_GEN_MEDIA_CONNECT_STATUS, OID_GEN_MEDIA_CONNECT_STATUS_EX,
    OID_GEN_MEDIA_DUPLEX_STATE, OID_GEN_MEDIA_IN_USE, OID_GEN_MEDIA_SUPPORTED,
    OID_GEN_PHYSICAL_MEDIUM, OID_GEN_PHYSICAL_MEDIUM_EX, OID_GEN_RECEIVE_SCALE_CAPABILITIES,
    OID_GEN_RECEIVE_SCALE_PARAMETERS, OID_GEN_SUPPORTED_LIST, OID_TCP_OFFLOAD_CURRENT_CONFIG,
    OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES,
};

use super::request::Request;
use super::wake;
use crate::ndis::adapter::Adapter;
use crate::ndis::attributes::Attributes;
use crate::ndis::binding::Binding;
use crate::ndis::ethernet::EthernetFilter;

/// The status of a request that NDIS answers itself, `None` if it is for those below. `binding`: whose
/// request it is; a filter module's, if that is `None`.
pub(super) fn answer(
    adapter: &'static Adapter,
    binding: Option<&'static Binding>,
    request: Request,
) -> Option<NDIS_STATUS> {
    if let Some(status) = wake::answer(adapter, binding, request) {
        return Some(status);
    }
    if !request.is_query() {
        return None;
    }
    let bytes = match request.oid() {
        OID_GEN_CURRENT_PACKET_FILTER => union(adapter).packet_types.to_le_bytes().to_vec(),
        OID_802_3_MULTICAST_LIST => union(adapter).multicast.concat(),
        OID_GEN_CURRENT_LOOKAHEAD => number(match binding {
            Some(binding) => binding.lookahead.load(Ordering::Relaxed),
            None => adapter.with_attributes(|attributes| attributes.lookahead),
        }),
        OID_GEN_DRIVER_VERSION => {
            let (major, minor) = adapter.driver().version();
            (u16::from(major) << 8 | u16::from(minor))
                .to_le_bytes()
                .to_vec()
        }
        oid => adapter.with_attributes(|attributes| from_attributes(attributes, oid))?,
    };
    Some(request.answer(&bytes))
}

/// Keeps what a request has set, for queries that NDIS answers.
pub(super) fn note_set(adapter: &'static Adapter, request: Request) {
    if request.is_set() && request.oid() == OID_GEN_RECEIVE_SCALE_PARAMETERS {
        let parameters = request.input();
        adapter.with_attributes(|attributes| attributes.rss_parameters = parameters);
    }
}

fn from_attributes(attributes: &Attributes, oid: u32) -> Option<Vec<u8>> {
    let general = attributes.general();
    let link = attributes.link;
    let connected = link.MediaConnectState == MediaConnectStateConnected;
    let mac_length = usize::from(general.MacAddressLength).min(32);
    Some(match oid {
        OID_GEN_SUPPORTED_LIST => attributes
            .oids
            .iter()
            .flat_map(|oid| oid.to_le_bytes())
            .collect(),
        OID_GEN_HARDWARE_STATUS => NdisHardwareStatusReady.to_le_bytes().to_vec(),
        OID_GEN_MEDIA_SUPPORTED | OID_GEN_MEDIA_IN_USE => general.MediaType.to_le_bytes().to_vec(),
        OID_GEN_PHYSICAL_MEDIUM | OID_GEN_PHYSICAL_MEDIUM_EX => {
            general.PhysicalMediumType.to_le_bytes().to_vec()
        }
        OID_GEN_MAXIMUM_LOOKAHEAD => number(general.LookaheadSize),
        OID_GEN_MAXIMUM_FRAME_SIZE => number(general.MtuSize),
        OID_GEN_MAC_OPTIONS => number(general.MacOptions),
        OID_GEN_LINK_SPEED => number((link.XmitLinkSpeed / 100) as u32),
        OID_GEN_LINK_SPEED_EX => speeds(link.XmitLinkSpeed, link.RcvLinkSpeed),
        OID_GEN_MAX_LINK_SPEED => speeds(general.MaxXmitLinkSpeed, general.MaxRcvLinkSpeed),
        OID_GEN_LINK_STATE => bytes_of(&link),
        OID_GEN_MEDIA_CONNECT_STATUS => {
            let state = if connected {
                NdisMediaStateConnected
            } else {
                NdisMediaStateDisconnected
            };
            state.to_le_bytes().to_vec()
        }
        OID_GEN_MEDIA_CONNECT_STATUS_EX => link.MediaConnectState.to_le_bytes().to_vec(),
        OID_GEN_MEDIA_DUPLEX_STATE => link.MediaDuplexState.to_le_bytes().to_vec(),
        OID_802_3_PERMANENT_ADDRESS => general.PermanentMacAddress[..mac_length].to_vec(),
        OID_802_3_CURRENT_ADDRESS => general.CurrentMacAddress[..mac_length].to_vec(),
        OID_802_3_MAXIMUM_LIST_SIZE => number(general.MaxMulticastListSize),
        OID_TCP_OFFLOAD_CURRENT_CONFIG => offload_bytes(attributes.offload.as_deref()?),
        OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES => {
            offload_bytes(attributes.offload_hardware.as_deref()?)
        }
        OID_GEN_RECEIVE_SCALE_CAPABILITIES => bytes_of(attributes.rss.as_deref()?),
        OID_GEN_RECEIVE_SCALE_PARAMETERS => {
            attributes.rss.as_deref()?;
            if attributes.rss_parameters.is_empty() {
                let mut none = NDIS_RECEIVE_SCALE_PARAMETERS::zeroed();
                none.Header = NDIS_OBJECT_HEADER::new(
                    NDIS_OBJECT_TYPE_RSS_PARAMETERS,
                    NDIS_RECEIVE_SCALE_PARAMETERS_REVISION_2,
                    NDIS_SIZEOF_RECEIVE_SCALE_PARAMETERS_REVISION_2,
                );
                bytes_of(&none)
            } else {
                attributes.rss_parameters.clone()
            }
        }
        _ => return None,
    })
}

fn union(adapter: &Adapter) -> EthernetFilter {
    let bindings = adapter.bindings();
    EthernetFilter::union(bindings.iter().map(|binding| binding.filter()))
}

fn number(value: u32) -> Vec<u8> {
    value.to_le_bytes().to_vec()
}

fn speeds(transmit: u64, receive: u64) -> Vec<u8> {
    bytes_of(&NDIS_LINK_SPEED {
        XmitLinkSpeed: transmit,
        RcvLinkSpeed: receive,
    })
}

/// As many bytes as the structure's revision has.
fn offload_bytes(offload: &NDIS_OFFLOAD) -> Vec<u8> {
    let mut bytes = bytes_of(offload);
    bytes.truncate(usize::from(offload.Header.Size));
    bytes
}

/// The bytes of a structure that was made from zeros, so that its padding is initialized too.
pub(super) fn bytes_of<T: Copy>(value: &T) -> Vec<u8> {
    let start = std::ptr::from_ref(value).cast::<u8>();
    // SAFETY: the value has this many bytes, all initialized: the structures given here have no
    // padding but what `zeroed` or the driver's own copy filled.
    unsafe { std::slice::from_raw_parts(start, size_of::<T>()) }.to_vec()
}
