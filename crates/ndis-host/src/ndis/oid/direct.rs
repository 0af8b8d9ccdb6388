//! Direct and synchronous OID requests: from a binding straight to the miniport, at the caller's IRQL,
//! beside the queue of the regular ones and beside each other.
//!
//! A direct request may pend and is completed once; a synchronous one is answered when the call returns.
//! NDIS lets only some OIDs take these ways; here any may, so that the miniport decides.

use std::ffi::c_void;
use std::sync::atomic::Ordering;

use ndis_sys::{
    NDIS_HANDLE, NDIS_OBJECT_TYPE_OID_REQUEST, NDIS_OID_REQUEST, NDIS_OID_REQUEST_REVISION_1,
    NDIS_SIZEOF_OID_REQUEST_REVISION_1, NDIS_STATUS, NDIS_STATUS_FAILURE,
    NDIS_STATUS_NOT_SUPPORTED, NDIS_STATUS_PENDING,
};

use super::request::Request;
use crate::ndis::adapter::Adapter;
use crate::ndis::binding::Binding;
use crate::ndis::driver::{run_data, run_data_status};
use crate::ndis::faults::should_fail;
use crate::ndis::filter::Layer;
use crate::ndis::object::resolve;
use crate::ndis::{header, trace};
use crate::nt::sched::Monitor;
use crate::rules;

/// A direct request on its way.
struct Pending {
    adapter: &'static Adapter,
    binding: &'static Binding,
    request: Request,
}

crate::ddi! { "ndis.sys":
    /// A protocol asks the adapter that it is bound to, past the queue.
    [PASSIVE..=DISPATCH] fn NdisDirectOidRequest(
        NdisBindingHandle: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisDirectOidRequest";
        let (binding, request) = check(NdisBindingHandle, OidRequest, NAME);
        let adapter = binding.adapter();
        let mut record = trace::call(NAME, &request.describe());
        if should_fail("NdisDirectOidRequest") {
            return record.returns(NDIS_STATUS_FAILURE);
        }
        let handlers = adapter.driver().handlers();
        let completes = binding.protocol().handlers().DirectOidRequestCompleteHandler;
        let Some(handler) = handlers.DirectOidRequestHandler.filter(|_| completes.is_some()) else {
            return record.returns(NDIS_STATUS_NOT_SUPPORTED);
        };
        {
            let mut pending = PENDING.lock();
            if pending.iter().any(|other| other.request == request) {
                drop(pending);
                rules::broken(
                    &rules::NDIS_OID_DOUBLE_REQUEST,
                    format_args!("{NAME}: the request at {OidRequest:p} is on its way already"),
                );
            }
            pending.push(Pending { adapter, binding, request });
        }
        binding.requests.fetch_add(1, Ordering::SeqCst);
        let context = adapter.context();
        let about = format!("{} {}", request.describe(), adapter.name());
        let driver = adapter.driver().caller();
        let status = run_data_status(driver, "MiniportDirectOidRequest", &about, || {
            // SAFETY: the driver's registered function, with the context that it set and a request
            // that lives until it is completed.
            unsafe { handler(context, OidRequest) }
        });
        if status == NDIS_STATUS_PENDING {
            return record.returns(status);
        }
        if take(adapter, OidRequest).is_none() {
            rules::broken(
                &rules::DOUBLE_COMPLETE,
                format_args!(
                    "MiniportDirectOidRequest of {about} completed the request and returned {status:#x}"
                ),
            );
        }
        super::queue::check(Layer::Adapter(adapter), request, status);
        binding.requests.fetch_sub(1, Ordering::SeqCst);
        record.returns(status)
    }

    /// A miniport completes a direct request.
    [PASSIVE..=DISPATCH] fn NdisMDirectOidRequestComplete(
        MiniportAdapterHandle: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
        Status: NDIS_STATUS,
    ) {
        const NAME: &str = "NdisMDirectOidRequestComplete";
        let adapter = resolve::<Adapter>(MiniportAdapterHandle, NAME);
        let mut record = trace::call(NAME, adapter.name());
        record.returns(Status);
        let Some(pending) = take(adapter, OidRequest) else {
            rules::broken(
                &rules::NDIS_BUGCHECK_INVALID_OID_COMPLETION,
                format_args!("{NAME}: {OidRequest:p} is not pending at adapter {}", adapter.name()),
            );
        };
        if Status == NDIS_STATUS_PENDING {
            rules::broken(
                &rules::NDIS_OID_COMPLETE,
                format_args!("{NAME} of {} with NDIS_STATUS_PENDING", pending.request.describe()),
            );
        }
        super::queue::check(Layer::Adapter(adapter), pending.request, Status);
        let binding = pending.binding;
        let handler = binding.protocol().handlers().DirectOidRequestCompleteHandler;
        let handler = handler.expect("the request was refused without it");
        let context = binding.context();
        binding.requests.fetch_sub(1, Ordering::SeqCst);
        let about = format!("{} {}", pending.request.describe(), binding.name());
        run_data(binding.protocol().caller(), "ProtocolDirectOidRequestComplete", &about, || {
            // SAFETY: the driver's registered function, with the context of a binding that is not
            // closed before its requests are answered.
            unsafe { handler(context, OidRequest, Status) };
        });
    }

    /// Asks the miniport below to complete a direct request soon.
    [PASSIVE..=DISPATCH] fn NdisCancelDirectOidRequest(
        NdisBindingHandle: NDIS_HANDLE,
        RequestId: *mut c_void,
    ) {
        const NAME: &str = "NdisCancelDirectOidRequest";
        let binding = resolve::<Binding>(NdisBindingHandle, NAME);
        let _record = trace::call(NAME, binding.name());
        let adapter = binding.adapter();
        let is_there = PENDING
            .lock()
            .iter()
            .any(|other| other.binding == binding && other.request.id() == RequestId);
        let handler = adapter.driver().handlers().CancelDirectOidRequestHandler;
        let Some(handler) = handler.filter(|_| is_there) else {
            return;
        };
        let context = adapter.context();
        let driver = adapter.driver().caller();
        run_data(driver, "MiniportCancelDirectOidRequest", adapter.name(), || {
            // SAFETY: the driver's registered function, with the context that it set.
            unsafe { handler(context, RequestId) };
        });
    }

    /// A protocol asks the adapter that it is bound to and has the answer on return.
    [PASSIVE..=DISPATCH] fn NdisSynchronousOidRequest(
        NdisBindingHandle: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisSynchronousOidRequest";
        let (binding, request) = check(NdisBindingHandle, OidRequest, NAME);
        let adapter = binding.adapter();
        let mut record = trace::call(NAME, &request.describe());
        if should_fail("NdisSynchronousOidRequest") {
            return record.returns(NDIS_STATUS_FAILURE);
        }
        let Some(handler) = adapter.driver().handlers().SynchronousOidRequestHandler else {
            return record.returns(NDIS_STATUS_NOT_SUPPORTED);
        };
        let _busy = binding.enter();
        let context = adapter.context();
        let about = format!("{} {}", request.describe(), adapter.name());
        let driver = adapter.driver().caller();
        let status = run_data_status(driver, "MiniportSynchronousOidRequest", &about, || {
            // SAFETY: the driver's registered function, with the context that it set and a request
            // that lives during the call.
            unsafe { handler(context, OidRequest) }
        });
        if status == NDIS_STATUS_PENDING {
            rules::broken(
                &rules::NDIS_OID_COMPLETE,
                format_args!("MiniportSynchronousOidRequest of {about} returned NDIS_STATUS_PENDING"),
            );
        }
        super::queue::check(Layer::Adapter(adapter), request, status);
        record.returns(status)
    }
}

/// What both kinds require.
fn check(
    binding: NDIS_HANDLE,
    request: *mut NDIS_OID_REQUEST,
    function: &str,
) -> (&'static Binding, Request) {
    let binding = resolve::<Binding>(binding, function);
    // SAFETY: the document makes it a pointer to a request with a header.
    let head = unsafe { (*request).Header };
    header::require(
        &head,
        NDIS_OBJECT_TYPE_OID_REQUEST,
        &[(
            NDIS_OID_REQUEST_REVISION_1,
            NDIS_SIZEOF_OID_REQUEST_REVISION_1,
        )],
        function,
    );
    // SAFETY: the request lives until it is completed, by the document.
    let request = unsafe { Request::new(request) };
    if binding.adapter().power.is_announced() {
        binding.broken(&format!(
            "{function} ({}) after NetEventSetPower said that the adapter goes to sleep",
            request.describe()
        ));
    }
    (binding, request)
}

fn take(adapter: &'static Adapter, request: *mut NDIS_OID_REQUEST) -> Option<Pending> {
    let mut pending = PENDING.lock();
    let at = pending
        .iter()
        .position(|other| std::ptr::eq(other.adapter, adapter) && other.request.raw() == request)?;
    Some(pending.swap_remove(at))
}

static PENDING: Monitor<Vec<Pending>> = Monitor::new(Vec::new());

#[cfg(test)]
mod tests {
    use ndis_sys::{NDIS_STATUS_SUCCESS, NdisRequestQueryInformation};

    use super::super::request;
    use super::*;
    use crate::ndis::object::handle_of;
    use crate::ndis::testing::{Bound, Miniport, start};
    use crate::nt::irql::{self, Irql};
    use crate::rules::testing::assert_broken;

    fn query(room: usize) -> &'static mut NDIS_OID_REQUEST {
        let buffer = Box::leak(vec![0; room].into_boxed_slice());
        Box::leak(Box::new(request::new(
            NdisRequestQueryInformation,
            0xff00_0001,
            buffer,
        )))
    }

    fn answer(_adapter: NDIS_HANDLE, request: *mut NDIS_OID_REQUEST) -> NDIS_STATUS {
        assert_eq!(irql::current(), Irql::DISPATCH);
        // SAFETY: NDIS gives a live request.
        unsafe { Request::new(request) }.answer(&[1, 2, 3, 4])
    }

    fn pend(_adapter: NDIS_HANDLE, _request: *mut NDIS_OID_REQUEST) -> NDIS_STATUS {
        NDIS_STATUS_PENDING
    }

    fn ask(bound: &Bound, request: *mut NDIS_OID_REQUEST) -> NDIS_STATUS {
        // SAFETY: the binding is open, and the request lives for good.
        unsafe { NdisDirectOidRequest(bound.handle, request) }
    }

    fn complete(adapter: NDIS_HANDLE, request: *mut NDIS_OID_REQUEST, status: NDIS_STATUS) {
        // SAFETY: the handle is alive; what is not pending is found.
        unsafe { NdisMDirectOidRequestComplete(adapter, request, status) };
    }

    #[test]
    fn a_direct_request_is_answered_at_the_callers_irql() {
        let miniport = Miniport {
            direct_oid: answer,
            synchronous_oid: answer,
            ..Miniport::default()
        };
        let bound = Bound::to(start("direct", miniport));
        irql::at(Irql::DISPATCH, || {
            assert_eq!(ask(&bound, query(4)), NDIS_STATUS_SUCCESS);
            // SAFETY: the binding is open, and the request lives for good.
            let status = unsafe { NdisSynchronousOidRequest(bound.handle, query(4)) };
            assert_eq!(status, NDIS_STATUS_SUCCESS);
        });
        assert!(bound.completed().is_empty());
    }

    #[test]
    fn direct_requests_pend_beside_each_other() {
        let miniport = Miniport {
            direct_oid: pend,
            ..Miniport::default()
        };
        let adapter = start("direct pending", miniport);
        let bound = Bound::to(adapter);
        let (first, second) = (&raw mut *query(4), &raw mut *query(4));
        assert_eq!(ask(&bound, first), NDIS_STATUS_PENDING);
        assert_eq!(ask(&bound, second), NDIS_STATUS_PENDING);
        complete(handle_of(adapter), second, NDIS_STATUS_FAILURE);
        complete(handle_of(adapter), first, NDIS_STATUS_SUCCESS);
        assert_eq!(
            bound.completed(),
            [NDIS_STATUS_FAILURE, NDIS_STATUS_SUCCESS]
        );
    }

    #[test]
    fn completing_a_direct_request_twice_breaks_its_rule() {
        assert_broken(
            &rules::NDIS_BUGCHECK_INVALID_OID_COMPLETION,
            &["is not pending"],
            || {
                let miniport = Miniport {
                    direct_oid: pend,
                    ..Miniport::default()
                };
                let adapter = start("direct", miniport);
                let bound = Bound::to(adapter);
                let request = &raw mut *query(4);
                ask(&bound, request);
                complete(handle_of(adapter), request, 0);
                complete(handle_of(adapter), request, 0);
            },
        );
    }

    #[test]
    fn completing_and_returning_breaks_double_complete() {
        assert_broken(&rules::DOUBLE_COMPLETE, &["returned 0x0"], || {
            let miniport = Miniport {
                direct_oid: |adapter, request| {
                    complete(adapter, request, 0);
                    0
                },
                ..Miniport::default()
            };
            ask(&Bound::to(start("direct", miniport)), query(4))
        });
    }

    #[test]
    fn a_synchronous_request_that_pends_breaks_ndis_oid_complete() {
        assert_broken(&rules::NDIS_OID_COMPLETE, &["NDIS_STATUS_PENDING"], || {
            let miniport = Miniport {
                synchronous_oid: pend,
                ..Miniport::default()
            };
            let bound = Bound::to(start("synchronous", miniport));
            // SAFETY: the binding is open, and the request lives for good.
            unsafe { NdisSynchronousOidRequest(bound.handle, query(4)) }
        });
    }
}
