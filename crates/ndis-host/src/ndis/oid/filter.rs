//! Requests that are each binding's own, of which the adapter gets the union: packet filter, multicast
//! list, look-ahead.
//!
//! The binding's new value counts once the miniport took the union. What a binding does not want any more
//! counts also if the miniport failed the request: a protocol can do no more before it closes.

use std::sync::atomic::Ordering;

use ndis_sys::{
    NDIS_OID, NDIS_STATUS, NDIS_STATUS_INVALID_DATA, NDIS_STATUS_INVALID_LENGTH,
    NDIS_STATUS_MULTICAST_FULL, NDIS_STATUS_NOT_SUPPORTED, NDIS_STATUS_SUCCESS,
    NdisRequestSetInformation, OID_802_3_ADD_MULTICAST_ADDRESS, OID_802_3_DELETE_MULTICAST_ADDRESS,
    OID_802_3_MULTICAST_LIST, OID_GEN_CURRENT_LOOKAHEAD, OID_GEN_CURRENT_PACKET_FILTER,
    OID_PM_ADD_WOL_PATTERN, OID_PM_REMOVE_WOL_PATTERN, OID_RECEIVE_FILTER_CLEAR_FILTER,
    OID_RECEIVE_FILTER_SET_FILTER,
};

use super::queue::{Entry, Own, Source};
use super::request::{self, Request};
use super::{receive_filter, wake};
use crate::ndis::binding::Binding;
use crate::ndis::ethernet::{EthernetFilter, Mac};

/// What the miniport gets for a request of a binding.
///
/// # Errors
/// The answer, where the request is wrong.
pub(super) fn translate(binding: &'static Binding, request: Request) -> Result<Entry, NDIS_STATUS> {
    let source = Source::Binding(binding, request);
    if request.is_method() && request.oid() == OID_RECEIVE_FILTER_SET_FILTER {
        return receive_filter::set(binding, request);
    }
    if !request.is_set() {
        return Ok(Entry::new(request, source));
    }
    let input = request.input();
    let mut filter = binding.filter();
    match request.oid() {
        OID_GEN_CURRENT_PACKET_FILTER => {
            filter.packet_types = u32::from_le_bytes(exactly(request, &input)?);
            let supported = binding
                .adapter()
                .with_attributes(|attributes| attributes.general().SupportedPacketFilters);
            if filter.packet_types & !supported != 0 {
                return Err(NDIS_STATUS_NOT_SUPPORTED);
            }
            let union = union_with(binding, &filter).packet_types;
            Ok(entry(
                binding,
                request,
                union.to_le_bytes().to_vec(),
                filter,
            ))
        }
        OID_802_3_MULTICAST_LIST => {
            let (addresses, rest) = input.as_chunks::<6>();
            if !rest.is_empty() {
                request.set_counts(0, 0);
                return Err(NDIS_STATUS_INVALID_LENGTH);
            }
            filter.set_multicast(addresses.to_vec());
            multicast(binding, request, filter)
        }
        OID_802_3_ADD_MULTICAST_ADDRESS => {
            let mut addresses = filter.multicast.clone();
            addresses.push(exactly(request, &input)?);
            filter.set_multicast(addresses);
            multicast(binding, request, filter)
        }
        OID_802_3_DELETE_MULTICAST_ADDRESS => {
            let address: Mac = exactly(request, &input)?;
            filter.multicast.retain(|other| *other != address);
            multicast(binding, request, filter)
        }
        OID_GEN_CURRENT_LOOKAHEAD => {
            let lookahead = u32::from_le_bytes(exactly(request, &input)?);
            let most = binding
                .adapter()
                .bindings()
                .iter()
                .filter(|other| **other != binding)
                .map(|other| other.lookahead.load(Ordering::Relaxed))
                .fold(lookahead, u32::max);
            let own = own(OID_GEN_CURRENT_LOOKAHEAD, most.to_le_bytes().to_vec());
            Ok(Entry::translated(own, source, move |status, _| {
                if status == NDIS_STATUS_SUCCESS {
                    binding.lookahead.store(lookahead, Ordering::Relaxed);
                    request.set_counts(4, 0);
                }
                status
            }))
        }
        OID_RECEIVE_FILTER_CLEAR_FILTER => receive_filter::clear(binding, request, &input),
        OID_PM_ADD_WOL_PATTERN => wake::add(binding, request, &input),
        OID_PM_REMOVE_WOL_PATTERN => wake::remove(binding, request, &input),
        _ => Ok(Entry::new(request, source)),
    }
}

fn multicast(
    binding: &'static Binding,
    request: Request,
    filter: EthernetFilter,
) -> Result<Entry, NDIS_STATUS> {
    if filter.multicast.iter().any(|address| address[0] & 1 == 0) {
        return Err(NDIS_STATUS_INVALID_DATA);
    }
    let union = union_with(binding, &filter).multicast;
    let limit = binding
        .adapter()
        .with_attributes(|attributes| attributes.general().MaxMulticastListSize);
    if union.len() > limit as usize {
        return Err(NDIS_STATUS_MULTICAST_FULL);
    }
    Ok(entry(binding, request, union.concat(), filter))
}

/// A request with the union `value`, after whose success `filter` is the binding's. Where it asks for
/// nothing, the binding has nothing after it in any case.
fn entry(
    binding: &'static Binding,
    request: Request,
    value: Vec<u8>,
    filter: EthernetFilter,
) -> Entry {
    let oid = match request.oid() {
        OID_GEN_CURRENT_PACKET_FILTER => OID_GEN_CURRENT_PACKET_FILTER,
        _ => OID_802_3_MULTICAST_LIST,
    };
    let taken = request.input().len() as u32;
    let source = Source::Binding(binding, request);
    Entry::translated(own(oid, value), source, move |status, _| {
        let wants_nothing = match oid {
            OID_GEN_CURRENT_PACKET_FILTER => filter.packet_types == 0,
            _ => filter.multicast.is_empty(),
        };
        if status == NDIS_STATUS_SUCCESS || wants_nothing {
            binding.change_filter(|current| match oid {
                OID_GEN_CURRENT_PACKET_FILTER => current.packet_types = filter.packet_types,
                _ => current.multicast = filter.multicast,
            });
        }
        if status == NDIS_STATUS_SUCCESS {
            request.set_counts(taken, 0);
        }
        status
    })
}

fn own(oid: NDIS_OID, buffer: Vec<u8>) -> Box<Own> {
    let mut own = Box::new(Own {
        request: ndis_sys::NDIS_OID_REQUEST::zeroed(),
        buffer,
    });
    own.request = request::new(NdisRequestSetInformation, oid, &mut own.buffer);
    own
}

fn union_with(binding: &'static Binding, filter: &EthernetFilter) -> EthernetFilter {
    let bindings = binding.adapter().bindings();
    let others = bindings
        .iter()
        .filter(|other| **other != binding)
        .map(|other| other.filter());
    EthernetFilter::union(others.chain([filter.clone()]))
}

fn exactly<const N: usize>(request: Request, input: &[u8]) -> Result<[u8; N], NDIS_STATUS> {
    input.first_chunk().copied().ok_or_else(|| {
        request.set_counts(0, N as u32);
        NDIS_STATUS_INVALID_LENGTH
    })
}
