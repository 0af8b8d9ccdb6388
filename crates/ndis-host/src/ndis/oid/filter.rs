//! Requests that are each binding's own, of which the adapter gets the union: packet filter, multicast
//! list, look-ahead.
//!
//! The union is made when it is the request's turn, and the binding's new value counts once the miniport took it. What a binding does not want any more
//! counts also if the miniport failed the request: a protocol can do no more before it closes.

use std::sync::atomic::Ordering;

use ndis_sys::{
    NDIS_OID, NDIS_STATUS, NDIS_STATUS_INVALID_DATA, NDIS_STATUS_INVALID_LENGTH,
    NDIS_STATUS_MULTICAST_FULL, NDIS_STATUS_NOT_SUPPORTED, NDIS_STATUS_SUCCESS,
    OID_802_3_ADD_MULTICAST_ADDRESS, OID_802_3_DELETE_MULTICAST_ADDRESS, OID_802_3_MULTICAST_LIST,
    OID_GEN_CURRENT_LOOKAHEAD, OID_GEN_CURRENT_PACKET_FILTER, OID_PM_ADD_WOL_PATTERN,
    OID_PM_REMOVE_WOL_PATTERN, OID_RECEIVE_FILTER_CLEAR_FILTER, OID_RECEIVE_FILTER_SET_FILTER,
};

use super::queue::{Entry, Own, Source};
use super::request::Request;
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
    match request.oid() {
        OID_GEN_CURRENT_PACKET_FILTER => {
            let types = u32::from_le_bytes(exactly(request, &input)?);
            let supported = binding
                .adapter()
                .with_attributes(|attributes| attributes.general().SupportedPacketFilters);
            if types & !supported != 0 {
                return Err(NDIS_STATUS_NOT_SUPPORTED);
            }
            let change = move |filter: &mut EthernetFilter| filter.packet_types = types;
            Ok(entry(
                binding,
                request,
                OID_GEN_CURRENT_PACKET_FILTER,
                change,
            ))
        }
        OID_802_3_MULTICAST_LIST => {
            let (addresses, rest) = input.as_chunks::<6>();
            if !rest.is_empty() {
                request.set_counts(0, 0);
                return Err(NDIS_STATUS_INVALID_LENGTH);
            }
            let addresses = addresses.to_vec();
            multicast(binding, request, move |filter| {
                filter.set_multicast(addresses.clone());
            })
        }
        OID_802_3_ADD_MULTICAST_ADDRESS => {
            let address = exactly(request, &input)?;
            multicast(binding, request, move |filter| {
                let mut addresses = filter.multicast.clone();
                addresses.push(address);
                filter.set_multicast(addresses);
            })
        }
        OID_802_3_DELETE_MULTICAST_ADDRESS => {
            let address: Mac = exactly(request, &input)?;
            multicast(binding, request, move |filter| {
                filter.multicast.retain(|other| *other != address);
            })
        }
        OID_GEN_CURRENT_LOOKAHEAD => {
            let lookahead = u32::from_le_bytes(exactly(request, &input)?);
            let own = Own::new(request.kind(), OID_GEN_CURRENT_LOOKAHEAD, input);
            let entry = Entry::translated(own, source, move |status, _| {
                if status == NDIS_STATUS_SUCCESS {
                    binding.lookahead.store(lookahead, Ordering::Relaxed);
                    request.set_counts(4, 0);
                }
                status
            });
            Ok(entry.at_its_turn(move |own| {
                let most = binding
                    .adapter()
                    .bindings()
                    .iter()
                    .filter(|other| **other != binding)
                    .map(|other| other.lookahead.load(Ordering::Relaxed))
                    .fold(lookahead, u32::max);
                own.replace(most.to_le_bytes().to_vec());
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
    change: impl Fn(&mut EthernetFilter) + Clone + Send + 'static,
) -> Result<Entry, NDIS_STATUS> {
    let mut filter = binding.filter();
    change(&mut filter);
    if filter.multicast.iter().any(|address| address[0] & 1 == 0) {
        return Err(NDIS_STATUS_INVALID_DATA);
    }
    let limit = binding
        .adapter()
        .with_attributes(|attributes| attributes.general().MaxMulticastListSize);
    if union_with(binding, filter).multicast.len() > limit as usize {
        return Err(NDIS_STATUS_MULTICAST_FULL);
    }
    Ok(entry(binding, request, OID_802_3_MULTICAST_LIST, change))
}

/// A request for the part of a filter that `oid` sets. The adapter gets the union that is right at its turn:
/// another binding's request may be before it. After success the binding's own is changed; where it asks
/// for nothing, in any case.
fn entry(
    binding: &'static Binding,
    request: Request,
    oid: NDIS_OID,
    change: impl Fn(&mut EthernetFilter) + Clone + Send + 'static,
) -> Entry {
    let value = move |filter: &EthernetFilter| match oid {
        OID_GEN_CURRENT_PACKET_FILTER => filter.packet_types.to_le_bytes().to_vec(),
        _ => filter.multicast.concat(),
    };
    let at_its_turn = {
        let change = change.clone();
        move |own: &mut Own| {
            let mut filter = binding.filter();
            change(&mut filter);
            own.replace(value(&union_with(binding, filter)));
        }
    };
    let taken = request.input().len() as u32;
    let own = Own::new(request.kind(), oid, Vec::new());
    let source = Source::Binding(binding, request);
    let entry = Entry::translated(own, source, move |status, _| {
        let mut filter = binding.filter();
        change(&mut filter);
        let wants_nothing = value(&filter).iter().all(|byte| *byte == 0);
        if status == NDIS_STATUS_SUCCESS || wants_nothing {
            binding.change_filter(change);
        }
        if status == NDIS_STATUS_SUCCESS {
            request.set_counts(taken, 0);
        }
        status
    });
    entry.at_its_turn(at_its_turn)
}

fn union_with(binding: &'static Binding, filter: EthernetFilter) -> EthernetFilter {
    let bindings = binding.adapter().bindings();
    let others = bindings
        .iter()
        .filter(|other| **other != binding)
        .map(|other| other.filter());
    EthernetFilter::union(others.chain([filter]))
}

fn exactly<const N: usize>(request: Request, input: &[u8]) -> Result<[u8; N], NDIS_STATUS> {
    input.first_chunk().copied().ok_or_else(|| {
        request.set_counts(0, N as u32);
        NDIS_STATUS_INVALID_LENGTH
    })
}
