//! OID requests that come back from the adapter below.

use ndis::oid::Completed;

use super::Request;
use crate::binding::Binding;

/// A request that was forwarded goes up as it came back; one of the binding's own settles something.
pub(super) fn complete(binding: &Binding, completed: Completed<Request>) {
    match completed {
        Completed::Forwarded(request, status) => {
            request.complete(status);
            binding.leave_requests();
        }
        Completed::Own(Request::PacketFilter, status) => binding.filter_complete(status),
    }
}
