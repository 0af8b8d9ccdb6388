//! What a protocol does with an adapter below: open, close, send, return, ask.

use crate::declare::functions;
use crate::handle::NDIS_HANDLE;
use crate::nbl::NET_BUFFER_LIST;
use crate::nt::*;
use crate::oid::NDIS_OID_REQUEST;
use crate::pnp::NET_PNP_EVENT_NOTIFICATION;
use crate::port::NDIS_PORT_NUMBER;
use crate::protocol::NDIS_OPEN_PARAMETERS;
use crate::status::NDIS_STATUS;

functions! {
    "ndis.sys";

    /// Opens an adapter; may pend. PASSIVE_LEVEL (`nf-ndis-ndisopenadapterex.md`).
    fn NdisOpenAdapterEx [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        NdisProtocolHandle: NDIS_HANDLE,
        ProtocolBindingContext: NDIS_HANDLE,
        OpenParameters: *mut NDIS_OPEN_PARAMETERS,
        BindContext: NDIS_HANDLE,
        NdisBindingHandle: *mut NDIS_HANDLE,
    ) -> NDIS_STATUS;

    /// Closes an adapter; may pend. PASSIVE_LEVEL (`nf-ndis-ndiscloseadapterex.md`).
    fn NdisCloseAdapterEx [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        NdisBindingHandle: NDIS_HANDLE,
    ) -> NDIS_STATUS;

    /// Ends a `ProtocolBindAdapterEx` that pended. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndiscompletebindadapterex.md`).
    fn NdisCompleteBindAdapterEx [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        BindAdapterContext: NDIS_HANDLE,
        Status: NDIS_STATUS,
    );

    /// Ends a `ProtocolUnbindAdapterEx` that pended. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndiscompleteunbindadapterex.md`).
    fn NdisCompleteUnbindAdapterEx [PASSIVE_LEVEL, DISPATCH_LEVEL] (UnbindContext: NDIS_HANDLE);

    /// Asks for the binding to be closed. Up to DISPATCH_LEVEL (`nf-ndis-ndisunbindadapter.md`).
    fn NdisUnbindAdapter [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisBindingHandle: NDIS_HANDLE,
    ) -> NDIS_STATUS;

    /// Offers every adapter that is not bound again. PASSIVE_LEVEL
    /// (`nf-ndis-ndisreenumerateprotocolbindings.md`).
    fn NdisReEnumerateProtocolBindings [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        NdisProtocolHandle: NDIS_HANDLE,
    );

    /// Ends a `ProtocolNetPnPEvent` that pended. PASSIVE_LEVEL
    /// (`nf-ndis-ndiscompletenetpnpevent.md`).
    fn NdisCompleteNetPnPEvent [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        NdisBindingHandle: NDIS_HANDLE,
        NetPnPEventNotification: *mut NET_PNP_EVENT_NOTIFICATION,
        Status: NDIS_STATUS,
    );

    /// Sends frames; each comes back by `ProtocolSendNetBufferListsComplete`. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndissendnetbufferlists.md`).
    fn NdisSendNetBufferLists [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisBindingHandle: NDIS_HANDLE,
        NetBufferLists: *mut NET_BUFFER_LIST,
        PortNumber: NDIS_PORT_NUMBER,
        SendFlags: ULONG,
    );

    /// Cancels sends by id. Up to DISPATCH_LEVEL (`nf-ndis-ndiscancelsendnetbufferlists.md`).
    fn NdisCancelSendNetBufferLists [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisBindingHandle: NDIS_HANDLE,
        CancelId: PVOID,
    );

    /// The upper byte for a driver's cancel ids. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndisgeneratepartialcancelid.md`).
    fn NdisGeneratePartialCancelId [PASSIVE_LEVEL, DISPATCH_LEVEL] () -> UCHAR;

    /// Gives received frames back. Up to DISPATCH_LEVEL (`nf-ndis-ndisreturnnetbufferlists.md`).
    fn NdisReturnNetBufferLists [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisBindingHandle: NDIS_HANDLE,
        NetBufferLists: *mut NET_BUFFER_LIST,
        ReturnFlags: ULONG,
    );

    /// Asks the adapter; may pend. Up to DISPATCH_LEVEL (`nf-ndis-ndisoidrequest.md`).
    fn NdisOidRequest [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisBindingHandle: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
    ) -> NDIS_STATUS;

    /// Cancels requests by id. Up to DISPATCH_LEVEL (`nf-ndis-ndiscanceloidrequest.md`).
    fn NdisCancelOidRequest [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisBindingHandle: NDIS_HANDLE,
        RequestId: PVOID,
    );

    /// Asks the adapter past the queue; may pend. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndisdirectoidrequest.md`).
    fn NdisDirectOidRequest [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisBindingHandle: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
    ) -> NDIS_STATUS;

    /// Cancels direct requests by id. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndiscanceldirectoidrequest.md`).
    fn NdisCancelDirectOidRequest [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisBindingHandle: NDIS_HANDLE,
        RequestId: PVOID,
    );

    /// Asks the adapter and never pends. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndissynchronousoidrequest.md`).
    fn NdisSynchronousOidRequest [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisBindingHandle: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
    ) -> NDIS_STATUS;

    /// The adapter's friendly name; its buffer is freed by `NdisFreeMemory`. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndisqueryadapterinstancename.md`).
    fn NdisQueryAdapterInstanceName [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        pAdapterInstanceName: *mut NDIS_STRING,
        NdisBindingHandle: NDIS_HANDLE,
    ) -> NDIS_STATUS;

    /// The same before the adapter is opened. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndisquerybindinstancename.md`).
    fn NdisQueryBindInstanceName [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        pAdapterInstanceName: *mut NDIS_STRING,
        BindingContext: NDIS_HANDLE,
    ) -> NDIS_STATUS;
}
