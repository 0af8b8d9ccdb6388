//! OID requests of the binding's own, and what comes back from the adapter below.

use mux_core::{
    oid::{OID_802_3_MULTICAST_LIST, OID_GEN_CURRENT_PACKET_FILTER},
    reconcile::{FilterId, Step},
};
use ndis::{
    Result, Status,
    mem::try_to_vec,
    oid::{Completed, OwnRequest},
    receive_filter,
};

use super::Request;
use crate::{binding::Binding, trace};

/// A request that was forwarded goes up as it came back; one of the binding's own settles something.
pub(super) fn complete(binding: &Binding, completed: Completed<Request>) {
    match completed {
        Completed::Forwarded(request, status) => {
            trace::oid_answered_below(binding.name(), request.oid(), status);
            request.complete(status);
            binding.leave_requests();
        }
        Completed::Own(Request::Scaling, _, status) => binding.scaling_complete(status),
        Completed::Own(Request::Wake, buffer, status) => binding.wake_complete(&buffer, status),
        Completed::Own(token, answer, status) => binding.own_complete(token, &answer, status),
    }
}

impl Request {
    /// The request for a step, and what it is known by.
    pub(crate) fn of(step: Step) -> (Result<OwnRequest>, Self) {
        match step {
            Step::PacketFilter(filter) => {
                let request = OwnRequest::set_number(OID_GEN_CURRENT_PACKET_FILTER, filter.bits());
                (request, Self::Filter)
            }
            Step::Groups(list) => {
                let request = OwnRequest::set(OID_802_3_MULTICAST_LIST, list);
                (Ok(request), Self::Filter)
            }
            Step::Add(unicast) => {
                let request = receive_filter::set(unicast.vlan.get(), unicast.address.octets());
                (request, Self::AddFilter)
            }
            Step::Clear(id) => {
                let value = try_to_vec(&receive_filter::clear(id));
                let request = |value| OwnRequest::set(receive_filter::OID_CLEAR, value);
                (value.map(request), Self::Filter)
            }
        }
    }

    /// What became of it: the number of the receive filter that it set, or any.
    pub(crate) fn result(self, answer: &[u8], status: Status) -> Result<FilterId> {
        status.ok()?;
        match self {
            Self::AddFilter => receive_filter::id_of(answer).ok_or(Status::FAILURE),
            Self::Filter | Self::Scaling | Self::Wake => Ok(0),
        }
    }
}
