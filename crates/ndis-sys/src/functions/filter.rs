//! What a filter driver registers and what its modules pass on.

use crate::declare::functions;
use crate::filter::{NDIS_FILTER_ATTRIBUTES, NDIS_FILTER_DRIVER_CHARACTERISTICS};
use crate::handle::NDIS_HANDLE;
use crate::io::*;
use crate::nbl::NET_BUFFER_LIST;
use crate::nt::*;
use crate::oid::NDIS_OID_REQUEST;
use crate::pnp::{NET_DEVICE_PNP_EVENT, NET_PNP_EVENT_NOTIFICATION};
use crate::port::NDIS_PORT_NUMBER;
use crate::status::{NDIS_STATUS, NDIS_STATUS_INDICATION};

functions! {
    "ndis.sys";

    /// Registers a filter driver. PASSIVE_LEVEL (`nf-ndis-ndisfregisterfilterdriver.md`).
    fn NdisFRegisterFilterDriver [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        DriverObject: *mut DRIVER_OBJECT,
        FilterDriverContext: NDIS_HANDLE,
        FilterDriverCharacteristics: *mut NDIS_FILTER_DRIVER_CHARACTERISTICS,
        NdisFilterDriverHandle: *mut NDIS_HANDLE,
    ) -> NDIS_STATUS;

    /// Undoes that, and detaches every module first. PASSIVE_LEVEL
    /// (`nf-ndis-ndisfderegisterfilterdriver.md`).
    fn NdisFDeregisterFilterDriver [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        NdisFilterDriverHandle: NDIS_HANDLE,
    );

    /// Gives a module its context. PASSIVE_LEVEL (`nf-ndis-ndisfsetattributes.md`).
    fn NdisFSetAttributes [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        NdisFilterHandle: NDIS_HANDLE,
        FilterModuleContext: NDIS_HANDLE,
        FilterAttributes: *mut NDIS_FILTER_ATTRIBUTES,
    ) -> NDIS_STATUS;

    /// Asks for a pause and a restart of the module. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndisfrestartfilter.md`).
    fn NdisFRestartFilter [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisFilterHandle: NDIS_HANDLE,
    ) -> NDIS_STATUS;

    /// Ends a `FilterRestart` that pended. PASSIVE_LEVEL (`nf-ndis-ndisfrestartcomplete.md`).
    fn NdisFRestartComplete [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        NdisFilterHandle: NDIS_HANDLE,
        Status: NDIS_STATUS,
    );

    /// Ends a `FilterPause` that pended. Up to DISPATCH_LEVEL (`nf-ndis-ndisfpausecomplete.md`).
    fn NdisFPauseComplete [PASSIVE_LEVEL, DISPATCH_LEVEL] (NdisFilterHandle: NDIS_HANDLE);

    /// Passes frames down. Up to DISPATCH_LEVEL (`nf-ndis-ndisfsendnetbufferlists.md`).
    fn NdisFSendNetBufferLists [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisFilterHandle: NDIS_HANDLE,
        NetBufferList: *mut NET_BUFFER_LIST,
        PortNumber: NDIS_PORT_NUMBER,
        SendFlags: ULONG,
    );

    /// Passes sent frames back up. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndisfsendnetbufferlistscomplete.md`).
    fn NdisFSendNetBufferListsComplete [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisFilterHandle: NDIS_HANDLE,
        NetBufferList: *mut NET_BUFFER_LIST,
        SendCompleteFlags: ULONG,
    );

    /// Passes a cancellation down. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndisfcancelsendnetbufferlists.md`).
    fn NdisFCancelSendNetBufferLists [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisFilterHandle: NDIS_HANDLE,
        CancelId: PVOID,
    );

    /// Passes received frames up. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndisfindicatereceivenetbufferlists.md`).
    fn NdisFIndicateReceiveNetBufferLists [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisFilterHandle: NDIS_HANDLE,
        NetBufferLists: *mut NET_BUFFER_LIST,
        PortNumber: NDIS_PORT_NUMBER,
        NumberOfNetBufferLists: ULONG,
        ReceiveFlags: ULONG,
    );

    /// Passes received frames back down. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndisfreturnnetbufferlists.md`).
    fn NdisFReturnNetBufferLists [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisFilterHandle: NDIS_HANDLE,
        NetBufferLists: *mut NET_BUFFER_LIST,
        ReturnFlags: ULONG,
    );

    /// Asks the adapter; may pend. Up to DISPATCH_LEVEL (`nf-ndis-ndisfoidrequest.md`).
    fn NdisFOidRequest [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisFilterHandle: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
    ) -> NDIS_STATUS;

    /// Ends a `FilterOidRequest` that pended. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndisfoidrequestcomplete.md`).
    fn NdisFOidRequestComplete [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisFilterHandle: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
        Status: NDIS_STATUS,
    );

    /// Cancels requests by id. Up to DISPATCH_LEVEL (`nf-ndis-ndisfcanceloidrequest.md`).
    fn NdisFCancelOidRequest [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisFilterHandle: NDIS_HANDLE,
        RequestId: PVOID,
    );

    /// Asks the adapter past the queue; may pend. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndisfdirectoidrequest.md`).
    fn NdisFDirectOidRequest [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisFilterHandle: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
    ) -> NDIS_STATUS;

    /// Ends a `FilterDirectOidRequest` that pended. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndisfdirectoidrequestcomplete.md`).
    fn NdisFDirectOidRequestComplete [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisFilterHandle: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
        Status: NDIS_STATUS,
    );

    /// Cancels direct requests by id. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndisfcanceldirectoidrequest.md`).
    fn NdisFCancelDirectOidRequest [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisFilterHandle: NDIS_HANDLE,
        RequestId: PVOID,
    );

    /// Asks the adapter and never pends. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndisfsynchronousoidrequest.md`).
    fn NdisFSynchronousOidRequest [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisFilterModuleHandle: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
    ) -> NDIS_STATUS;

    /// Passes a device event down. PASSIVE_LEVEL (`nf-ndis-ndisfdevicepnpeventnotify.md`).
    fn NdisFDevicePnPEventNotify [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        NdisFilterHandle: NDIS_HANDLE,
        NetDevicePnPEvent: *mut NET_DEVICE_PNP_EVENT,
    );

    /// Passes a network event up. PASSIVE_LEVEL (`nf-ndis-ndisfnetpnpevent.md`).
    fn NdisFNetPnPEvent [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        NdisFilterHandle: NDIS_HANDLE,
        NetPnPEventNotification: *mut NET_PNP_EVENT_NOTIFICATION,
    ) -> NDIS_STATUS;

    /// Passes a status up. Up to DISPATCH_LEVEL (`nf-ndis-ndisfindicatestatus.md`).
    fn NdisFIndicateStatus [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisFilterHandle: NDIS_HANDLE,
        StatusIndication: *mut NDIS_STATUS_INDICATION,
    );
}
