//! Direct OID requests through a filter module: clones of what came from above, and its own.

use std::ffi::c_void;

use ndis_sys::{NDIS_HANDLE, NDIS_OID_REQUEST, NDIS_STATUS, NDIS_STATUS_FAILURE};

use super::module::Module;
use super::stack::Layer;
use crate::ndis::faults::should_fail;
use crate::ndis::object::resolve;
use crate::ndis::oid::direct::{self, Asker};
use crate::ndis::oid::request::Request;
use crate::ndis::trace;
use crate::rules;

crate::ddi! { "ndis.sys":
    /// A filter asks what stands below it, past the queue.
    [PASSIVE..=DISPATCH] fn NdisFDirectOidRequest(
        NdisFilterHandle: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisFDirectOidRequest";
        let module = resolve::<Module>(NdisFilterHandle, NAME);
        // SAFETY: the request lives until it is completed, by the document.
        let request = unsafe { Request::checked(OidRequest, NAME) };
        let mut record = trace::call(NAME, &request.describe());
        module.require_attached(NAME);
        if module.driver().handlers().DirectOidRequestCompleteHandler.is_none() {
            rules::broken(
                &rules::FILTER_BYPASS,
                format_args!("{NAME} of {module:?}, which has no FilterDirectOidRequestComplete"),
            );
        }
        if should_fail(NAME) {
            return record.returns(NDIS_STATUS_FAILURE);
        }
        record.returns(direct::submit(Asker::Filter(module), request, NAME))
    }

    /// A filter completes a direct request that pends at it.
    [PASSIVE..=DISPATCH] fn NdisFDirectOidRequestComplete(
        NdisFilterHandle: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
        Status: NDIS_STATUS,
    ) {
        const NAME: &str = "NdisFDirectOidRequestComplete";
        let module = resolve::<Module>(NdisFilterHandle, NAME);
        let mut record = trace::call(NAME, module.name());
        record.returns(Status);
        direct::completed(Layer::Filter(module), OidRequest, Status, NAME);
    }

    /// A filter asks those below to complete a direct request soon.
    [PASSIVE..=DISPATCH] fn NdisFCancelDirectOidRequest(
        NdisFilterHandle: NDIS_HANDLE,
        RequestId: *mut c_void,
    ) {
        const NAME: &str = "NdisFCancelDirectOidRequest";
        let module = resolve::<Module>(NdisFilterHandle, NAME);
        let _record = trace::call(NAME, module.name());
        direct::cancel(Asker::Filter(module), RequestId);
    }
}
