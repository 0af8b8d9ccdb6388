//! OID requests from above: answered here, forwarded below, combined with the other virtual miniports',
//! or refused, as [`mux_core::oid::TABLE`] says. Direct requests are refused.

use core::sync::atomic::Ordering;

use mux_core::{
    filter::{MulticastList, MulticastListError, PacketFilter},
    oid::{self, Policy, Refusal},
    statistics::{Snapshot, Tally},
    wake::{self, WakeUp},
};
use ndis::{
    Passive, Shared, Status,
    oid::{DirectOidRequest, Forwarding, Kind, OidOutcome, OidRequest},
    statistics::{Count, Direction, GeneralStatistics},
};

use crate::{
    binding::{parked::Parked, receivers::Asked},
    trace,
    virtual_miniport::{VirtualMiniport, Wish},
};

/// `MiniportOidRequest`.
pub(super) fn request(
    miniport: &Shared<VirtualMiniport>,
    request: OidRequest<'_>,
    at: Passive<'_>,
) -> OidOutcome {
    let Some(kind) = to_core(request.kind()) else {
        return request.complete(Status::NOT_SUPPORTED);
    };
    let policy = policy(miniport, request.oid(), kind);
    trace::oid(miniport.instance.name(), request.oid(), kind, policy);
    // Nothing of a set's data is read before this. How long an answer is, is known with the answer.
    if let Policy::Answer(length) | Policy::Combine(length) | Policy::Forward(length) = policy
        && kind == oid::Kind::Set
        && let Err(needed) = length.check(request.set_data().len())
    {
        return request.refuse_length(needed);
    }
    match policy {
        Policy::Answer(_) if kind == oid::Kind::Query => answer(miniport, request),
        Policy::Answer(_) if request.oid() == oid::OID_PNP_SET_POWER => {
            set_power(miniport, request, at)
        }
        // A set that changes nothing.
        Policy::Answer(_) => request.accept(),
        Policy::Forward(_) => forward(miniport, request),
        Policy::Combine(_) => combine(miniport, request, at),
        Policy::Refuse(refusal) => request.complete(status_of(refusal)),
    }
}

/// `MiniportDirectOidRequest`. None is answered, but each refused with its documented status.
///
/// IRQL: `<= DISPATCH_LEVEL`.
pub(super) fn direct_request(
    miniport: &VirtualMiniport,
    request: DirectOidRequest<'_>,
) -> OidOutcome {
    let Some(kind) = to_core(request.kind()) else {
        return request.complete(Status::NOT_SUPPORTED);
    };
    let refusal = if miniport.removed.load(Ordering::Acquire) {
        Refusal::NotAccepted
    } else {
        oid::direct(request.oid(), kind)
    };
    let policy = Policy::Refuse(refusal);
    trace::oid(miniport.instance.name(), request.oid(), kind, policy);
    request.complete(status_of(refusal))
}

/// The row of the table, as far as this virtual miniport has what it is about.
fn policy(miniport: &VirtualMiniport, oid: u32, kind: oid::Kind) -> Policy {
    if miniport.removed.load(Ordering::Acquire) {
        return Policy::Refuse(Refusal::NotAccepted);
    }
    // A removal must not fail, though there be no patterns.
    if !miniport.supports(oid) && oid != oid::OID_PM_REMOVE_WOL_PATTERN {
        return Policy::Refuse(Refusal::NotSupported);
    }
    oid::policy(oid, kind)
}

/// A kind of request that there is a policy for.
const fn to_core(kind: Kind) -> Option<oid::Kind> {
    match kind {
        Kind::Query => Some(oid::Kind::Query),
        Kind::Set => Some(oid::Kind::Set),
        Kind::Method => Some(oid::Kind::Method),
        Kind::Other(_) => None,
    }
}

const fn status_of(refusal: Refusal) -> Status {
    match refusal {
        Refusal::NotSupported => Status::NOT_SUPPORTED,
        Refusal::InvalidData => Status::INVALID_DATA,
        Refusal::NotAccepted => Status::NOT_ACCEPTED,
    }
}

/// `MiniportCancelOidRequest`: the request may wait, or be below.
pub(super) fn cancel(miniport: &VirtualMiniport, request_id: usize) {
    if miniport.binding().cancel_parked(miniport, request_id) {
        return;
    }
    let forwarded = miniport.forwarded.with(|forwarded| *forwarded);
    let Some(forwarded) = forwarded.filter(|forwarded| forwarded.above == request_id) else {
        return;
    };
    miniport.binding().cancel_below(forwarded.below);
}

/// A query that the virtual miniport answers from what it knows.
fn answer(miniport: &VirtualMiniport, request: OidRequest<'_>) -> OidOutcome {
    let number = |request: OidRequest<'_>, number: u32| request.answer(&number.to_ne_bytes());
    let count = || miniport.statistics.snapshot();
    match request.oid() {
        // NdisHardwareStatusReady.
        oid::OID_GEN_HARDWARE_STATUS => number(request, 0),
        oid::OID_GEN_MAXIMUM_FRAME_SIZE => number(request, miniport.sizes.mtu),
        oid::OID_GEN_MAXIMUM_TOTAL_SIZE
        | oid::OID_GEN_TRANSMIT_BUFFER_SPACE
        | oid::OID_GEN_RECEIVE_BUFFER_SPACE
        | oid::OID_GEN_TRANSMIT_BLOCK_SIZE
        | oid::OID_GEN_RECEIVE_BLOCK_SIZE => number(request, miniport.sizes.maximum_frame),
        oid::OID_GEN_CURRENT_LOOKAHEAD => number(request, miniport.lookahead()),
        oid::OID_GEN_MAXIMUM_SEND_PACKETS => number(request, 1),
        oid::OID_GEN_VENDOR_ID => number(request, VENDOR_WITHOUT_NUMBER),
        oid::OID_GEN_VENDOR_DESCRIPTION => request.answer(VENDOR_DESCRIPTION),
        oid::OID_GEN_VENDOR_DRIVER_VERSION => number(request, DRIVER_VERSION),
        oid::OID_GEN_CURRENT_PACKET_FILTER => {
            let filter = miniport.wishes.with(|wishes| wishes.filter);
            number(request, filter.bits())
        }
        oid::OID_GEN_INTERRUPT_MODERATION => request.answer_no_interrupts(),
        oid::OID_GEN_VLAN_ID => number(request, u32::from(miniport.vlan.get())),
        oid::OID_GEN_STATISTICS => request.answer_statistics(&general_statistics(&count())),
        oid::OID_GEN_XMIT_OK => request.answer_counter(count().send.frames()),
        oid::OID_GEN_RCV_OK => request.answer_counter(count().receive.frames()),
        oid::OID_GEN_XMIT_ERROR => request.answer_counter(count().send_errors),
        oid::OID_GEN_RCV_ERROR => request.answer_counter(count().receive_errors),
        oid::OID_GEN_RCV_NO_BUFFER => request.answer_counter(count().receive_discards),
        oid::OID_802_3_PERMANENT_ADDRESS => request.answer(&miniport.permanent_address.octets()),
        oid::OID_802_3_CURRENT_ADDRESS => request.answer(&miniport.address.octets()),
        oid::OID_802_3_MULTICAST_LIST => answer_multicast_list(miniport, request),
        oid::OID_802_3_MAXIMUM_LIST_SIZE => number(request, MulticastList::MAXIMUM as u32),
        // The virtual miniport has no wire.
        oid::OID_802_3_RCV_ERROR_ALIGNMENT
        | oid::OID_802_3_XMIT_ONE_COLLISION
        | oid::OID_802_3_XMIT_MORE_COLLISIONS => request.answer_counter(0),
        // An intermediate driver always says yes, and passes nothing on.
        oid::OID_PNP_QUERY_POWER => request.complete(Status::SUCCESS),
        _ => request.complete(Status::NOT_SUPPORTED),
    }
}

/// The virtual miniport's own power state: an intermediate driver always takes it, and passes nothing on.
fn set_power(miniport: &VirtualMiniport, request: OidRequest<'_>, at: Passive<'_>) -> OidOutcome {
    let state = request.set_data().first_chunk().copied();
    match state.map(u32::from_ne_bytes) {
        Some(D0) => miniport.wake(),
        Some(_) => miniport.sleep(at),
        // It says nothing.
        None => {}
    }
    request.accept()
}

/// What the virtual miniport is to wake the computer for.
fn set_wake_up(miniport: &VirtualMiniport, request: OidRequest<'_>) -> OidOutcome {
    let wanted = wake::Parameters::parse(request.set_data());
    if !miniport.wake_up.can(wanted) {
        return request.complete(Status::INVALID_PARAMETER);
    }
    if miniport.wake_up == WakeUp::NONE {
        // Nobody below need hear of a virtual miniport that wakes nobody.
        return request.accept();
    }
    miniport.binding().set_wake_up(miniport, wanted, request)
}

fn remove_wake_pattern(miniport: &VirtualMiniport, request: OidRequest<'_>) -> OidOutcome {
    if let Some(&id) = request.set_data().first_chunk() {
        let id = u32::from_ne_bytes(id);
        miniport.binding().remove_wake_pattern(miniport.vlan, id);
    }
    request.accept()
}

/// A request that the adapter below answers, when it is awake.
fn forward(miniport: &Shared<VirtualMiniport>, request: OidRequest<'_>) -> OidOutcome {
    let binding = miniport.binding();
    let below = match binding.enter_request() {
        Ok(below) => below,
        Err(Status::LOW_POWER_STATE) => return park(miniport, request),
        Err(status) => return request.complete(status),
    };
    let above = request.id();
    let announce = |below| miniport.forwards(above, below);
    match request.forward(*below, miniport.handle, announce) {
        Forwarding::Done(outcome) => {
            binding.leave_requests();
            outcome
        }
        Forwarding::Pending(outcome) => outcome,
    }
}

fn park(miniport: &Shared<VirtualMiniport>, request: OidRequest<'_>) -> OidOutcome {
    let (request, outcome) = request.pend(miniport.handle);
    miniport.binding().park(Parked {
        request,
        miniport: miniport.clone(),
    });
    outcome
}

/// A set of what the adapter below has once for all virtual miniports.
fn combine(
    miniport: &Shared<VirtualMiniport>,
    request: OidRequest<'_>,
    at: Passive<'_>,
) -> OidOutcome {
    let binding = miniport.binding();
    match request.oid() {
        oid::OID_GEN_RECEIVE_SCALE_PARAMETERS => {
            binding.set_scaling(miniport.vlan, miniport.handle, request, at)
        }
        oid::OID_PM_PARAMETERS => set_wake_up(miniport, request),
        oid::OID_PM_ADD_WOL_PATTERN => binding.add_wake_pattern(miniport, request),
        oid::OID_PM_REMOVE_WOL_PATTERN => remove_wake_pattern(miniport, request),
        _ => wish(miniport, request),
    }
}

/// A set of what the virtual miniport wants to receive.
fn wish(miniport: &Shared<VirtualMiniport>, request: OidRequest<'_>) -> OidOutcome {
    let data = request.set_data();
    let wish = match request.oid() {
        oid::OID_GEN_CURRENT_PACKET_FILTER => {
            let Some(bits) = data.first_chunk().copied().map(u32::from_ne_bytes) else {
                return request.refuse_length(size_of::<u32>() as u32);
            };
            match PacketFilter::from_bits(bits) {
                Ok(filter) => Wish::Filter(filter),
                Err(_) => return request.complete(Status::NOT_SUPPORTED),
            }
        }
        _ => match MulticastList::parse(data) {
            Ok(list) => Wish::Multicast(list),
            Err(error) => return refuse_multicast_list(request, error),
        },
    };
    let (request, outcome) = request.pend(miniport.handle);
    let before = miniport.wish(wish);
    let asked = Asked {
        request,
        miniport: miniport.clone(),
        before,
    };
    miniport.binding().set_station(asked);
    outcome
}

fn refuse_multicast_list(request: OidRequest<'_>, error: MulticastListError) -> OidOutcome {
    match error {
        MulticastListError::InvalidLength { length } => {
            let whole = length - length % MulticastList::ADDRESS_LENGTH;
            request.refuse_length(whole as u32)
        }
        MulticastListError::TooMany { .. } => request.complete(Status::MULTICAST_FULL),
        MulticastListError::NotMulticast { .. } => request.complete(Status::INVALID_DATA),
        MulticastListError::OutOfMemory => request.complete(Status::RESOURCES),
    }
}

fn answer_multicast_list(miniport: &VirtualMiniport, request: OidRequest<'_>) -> OidOutcome {
    let mut octets = [0; MulticastList::MAXIMUM * MulticastList::ADDRESS_LENGTH];
    let mut length = 0;
    miniport.wishes.with(|wishes| {
        let places = octets.chunks_exact_mut(MulticastList::ADDRESS_LENGTH);
        for (place, address) in places.zip(wishes.multicast.as_slice()) {
            place.copy_from_slice(&address.octets());
            length += place.len();
        }
    });
    request.answer(&octets[..length])
}

fn general_statistics(count: &Snapshot) -> GeneralStatistics {
    let direction = |tally: &Tally, errors, discards| {
        let count = |count: mux_core::statistics::Count| Count {
            frames: count.frames,
            bytes: count.bytes,
        };
        Direction {
            directed: count(tally.directed),
            multicast: count(tally.multicast),
            broadcast: count(tally.broadcast),
            errors,
            discards,
        }
    };
    GeneralStatistics {
        received: direction(&count.receive, count.receive_errors, count.receive_discards),
        sent: direction(&count.send, count.send_errors, count.send_discards),
    }
}

/// `NdisDeviceStateD0`.
const D0: u32 = 1;
/// What OID_GEN_VENDOR_ID says for a maker without an IEEE number.
const VENDOR_WITHOUT_NUMBER: u32 = 0x00FF_FFFF;
const VENDOR_DESCRIPTION: &[u8] = b"ndismux VLAN adapter\0";
/// 0.1, major number in the upper half.
const DRIVER_VERSION: u32 = 0x0000_0001;
