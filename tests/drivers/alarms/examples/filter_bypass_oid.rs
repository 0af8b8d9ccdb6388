//! A filter asks that has no function for the completion.

#![no_std]

use alarms::{Filter, Module, WRONG, call, sys};

alarms::driver!(filter: Driver);

struct Driver;

impl Filter for Driver {
    fn characteristics(characteristics: &mut sys::NDIS_FILTER_DRIVER_CHARACTERISTICS) {
        if WRONG {
            characteristics.OidRequestHandler = None;
            characteristics.OidRequestCompleteHandler = None;
        }
    }

    fn restart(module: &'static Module) -> sys::NDIS_STATUS {
        if WRONG {
            let mut request = sys::NDIS_OID_REQUEST {
                Header: sys::NDIS_OBJECT_HEADER::new(
                    sys::NDIS_OBJECT_TYPE_OID_REQUEST,
                    sys::NDIS_OID_REQUEST_REVISION_1,
                    sys::NDIS_SIZEOF_OID_REQUEST_REVISION_1,
                ),
                RequestType: sys::NdisRequestQueryInformation,
                ..sys::NDIS_OID_REQUEST::zeroed()
            };
            request.DATA.Oid = sys::OID_GEN_STATISTICS;
            call!(NdisFOidRequest(module.handle(), &raw mut request));
        }
        sys::NDIS_STATUS_SUCCESS
    }
}
