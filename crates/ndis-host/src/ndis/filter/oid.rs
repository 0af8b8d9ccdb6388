//! OID requests through a filter module: clones of what came from above, and its own.

use std::ffi::c_void;

use ndis_sys::{
    NDIS_HANDLE, NDIS_OID_REQUEST, NDIS_STATUS, NDIS_STATUS_FAILURE, NDIS_STATUS_PENDING,
};

use super::module::Module;
use super::stack::Layer;
use crate::ndis::faults::should_fail;
use crate::ndis::object::resolve;
use crate::ndis::oid::request::Request;
use crate::ndis::{oid, trace};
use crate::rules;

crate::ddi! { "ndis.sys":
    /// A filter asks what stands below it.
    [PASSIVE..=DISPATCH] fn NdisFOidRequest(
        NdisFilterHandle: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisFOidRequest";
        let module = resolve::<Module>(NdisFilterHandle, NAME);
        // SAFETY: the request lives until it is completed, by the document.
        let request = unsafe { Request::checked(OidRequest, NAME) };
        trace::next_at(module.name());
        let mut record = trace::call(NAME, &request.describe());
        module.require_attached(NAME);
        if module.driver().handlers().OidRequestCompleteHandler.is_none() {
            rules::broken(
                &rules::FILTER_BYPASS,
                format_args!("{NAME} of {module:?}, which has no FilterOidRequestComplete"),
            );
        }
        if module.oids.has(OidRequest) {
            rules::broken(
                &rules::NDIS_OID_DOUBLE_REQUEST,
                format_args!(
                    "{NAME} of {module:?}: {} is the request that came from above; a clone of it is \
                     passed on",
                    request.describe()
                ),
            );
        }
        if should_fail(NAME) {
            return record.returns(NDIS_STATUS_FAILURE);
        }
        record.returns(oid::submit_below(module, request))
    }

    /// A filter completes the request that it has.
    [PASSIVE..=DISPATCH] fn NdisFOidRequestComplete(
        NdisFilterHandle: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
        Status: NDIS_STATUS,
    ) {
        const NAME: &str = "NdisFOidRequestComplete";
        let module = resolve::<Module>(NdisFilterHandle, NAME);
        let mut record = trace::call(NAME, module.name());
        record.returns(Status);
        if Status == NDIS_STATUS_PENDING {
            rules::broken(
                &rules::NDIS_OID_COMPLETE,
                format_args!("{NAME} of {module:?} with NDIS_STATUS_PENDING"),
            );
        }
        module.oids.completed(Layer::Filter(module), OidRequest, Status);
    }

    /// A filter asks those below to complete a request soon.
    [PASSIVE..=DISPATCH] fn NdisFCancelOidRequest(
        NdisFilterHandle: NDIS_HANDLE,
        RequestId: *mut c_void,
    ) {
        const NAME: &str = "NdisFCancelOidRequest";
        let module = resolve::<Module>(NdisFilterHandle, NAME);
        let _record = trace::call(NAME, module.name());
        oid::cancel(module.adapter(), Some(module), RequestId);
    }
}
