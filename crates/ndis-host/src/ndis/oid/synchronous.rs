//! Synchronous OID requests: from a binding straight to the miniport, at the caller's IRQL, and answered
//! when the call returns.
//!
//! NDIS lets only some OIDs take this way; here any may, so that the miniport decides. Filters see none of
//! them here: `FilterSynchronousOidRequest`, of NDIS 6.81, is not called.

use ndis_sys::{
    NDIS_HANDLE, NDIS_OID_REQUEST, NDIS_STATUS, NDIS_STATUS_FAILURE, NDIS_STATUS_NOT_SUPPORTED,
    NDIS_STATUS_PENDING,
};

use super::request::Request;
use crate::ndis::binding::Binding;
use crate::ndis::driver::run_data_status;
use crate::ndis::faults::should_fail;
use crate::ndis::filter::Layer;
use crate::ndis::object::resolve;
use crate::ndis::trace;
use crate::rules;

crate::ddi! { "ndis.sys":
    /// A protocol asks the adapter that it is bound to and has the answer on return.
    [PASSIVE..=DISPATCH] fn NdisSynchronousOidRequest(
        NdisBindingHandle: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisSynchronousOidRequest";
        let binding = resolve::<Binding>(NdisBindingHandle, NAME);
        // SAFETY: the request lives during the call, by the document.
        let request = unsafe { Request::checked(OidRequest, NAME) };
        let adapter = binding.adapter();
        let mut record = trace::call(NAME, &request.describe());
        binding.require_awake(&format!("{NAME} ({})", request.describe()));
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

#[cfg(test)]
mod tests {
    use ndis_sys::{NDIS_STATUS_SUCCESS, NdisRequestQueryInformation};

    use super::super::request;
    use super::*;
    use crate::ndis::testing::{Bound, Miniport, start};
    use crate::nt::irql::{self, Irql};
    use crate::rules::testing::assert_broken;

    fn ask(bound: &Bound) -> NDIS_STATUS {
        let mut buffer = [0; 4];
        let mut request = request::new(NdisRequestQueryInformation, 0xff00_0001, &mut buffer);
        // SAFETY: the binding is open, and the request a local.
        unsafe { NdisSynchronousOidRequest(bound.handle, &raw mut request) }
    }

    #[test]
    fn a_synchronous_request_is_answered_at_the_callers_irql() {
        let miniport = Miniport {
            synchronous_oid: |_, request| {
                assert_eq!(irql::current(), Irql::DISPATCH);
                // SAFETY: NDIS gives a live request.
                unsafe { Request::new(request) }.answer(&[1, 2, 3, 4])
            },
            ..Miniport::default()
        };
        let bound = Bound::to(start("synchronous", miniport));
        irql::at(Irql::DISPATCH, || {
            assert_eq!(ask(&bound), NDIS_STATUS_SUCCESS);
        });
    }

    #[test]
    fn a_synchronous_request_that_pends_breaks_ndis_oid_complete() {
        assert_broken(&rules::NDIS_OID_COMPLETE, &["NDIS_STATUS_PENDING"], || {
            let miniport = Miniport {
                synchronous_oid: |_, _| NDIS_STATUS_PENDING,
                ..Miniport::default()
            };
            ask(&Bound::to(start("synchronous", miniport)))
        });
    }
}
