//! Filter drivers, which sit between protocols and an adapter
//! (`ns-ndis-_ndis_filter_driver_characteristics.md`).
//!
//! These structures are not in the public symbol tables; their sizes are held against the
//! documented `NDIS_SIZEOF_*` values.

use crate::declare::{callbacks, constants, size_through, structures};
use crate::handle::NDIS_HANDLE;
use crate::hardware::*;
use crate::interface::*;
use crate::io::*;
use crate::media::*;
use crate::miniport::{NDIS_RESTART_ATTRIBUTES, SET_OPTIONS_HANDLER};
use crate::nbl::NET_BUFFER_LIST;
use crate::nt::*;
use crate::object::NDIS_OBJECT_HEADER;
use crate::offload::{NDIS_HD_SPLIT_CURRENT_CONFIG, NDIS_OFFLOAD};
use crate::oid::NDIS_OID_REQUEST;
use crate::pnp::{NET_DEVICE_PNP_EVENT, NET_PNP_EVENT_NOTIFICATION};
use crate::port::NDIS_PORT_NUMBER;
use crate::status::{NDIS_STATUS, NDIS_STATUS_INDICATION};

callbacks! {
    /// Registers a filter module's optional handlers (`nc-ndis-filter_set_module_options.md`).
    fn FILTER_SET_MODULE_OPTIONS = FILTER_SET_MODULE_OPTIONS_HANDLER [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        FilterModuleContext: NDIS_HANDLE,
    ) -> NDIS_STATUS;

    /// Makes a filter module, which is then paused (`nc-ndis-filter_attach.md`).
    fn FILTER_ATTACH = FILTER_ATTACH_HANDLER [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        NdisFilterHandle: NDIS_HANDLE,
        FilterDriverContext: NDIS_HANDLE,
        AttachParameters: *mut NDIS_FILTER_ATTACH_PARAMETERS,
    ) -> NDIS_STATUS;

    /// Ends a filter module (`nc-ndis-filter_detach.md`).
    fn FILTER_DETACH = FILTER_DETACH_HANDLER [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        FilterModuleContext: NDIS_HANDLE,
    );

    /// Begins traffic again; may pend (`nc-ndis-filter_restart.md`).
    fn FILTER_RESTART = FILTER_RESTART_HANDLER [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        FilterModuleContext: NDIS_HANDLE,
        RestartParameters: *mut NDIS_FILTER_RESTART_PARAMETERS,
    ) -> NDIS_STATUS;

    /// Stops traffic; may pend (`nc-ndis-filter_pause.md`).
    fn FILTER_PAUSE = FILTER_PAUSE_HANDLER [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        FilterModuleContext: NDIS_HANDLE,
        PauseParameters: *mut NDIS_FILTER_PAUSE_PARAMETERS,
    ) -> NDIS_STATUS;

    /// Sees frames going down (`nc-ndis-filter_send_net_buffer_lists.md`).
    fn FILTER_SEND_NET_BUFFER_LISTS = FILTER_SEND_NET_BUFFER_LISTS_HANDLER [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        FilterModuleContext: NDIS_HANDLE,
        NetBufferList: *mut NET_BUFFER_LIST,
        PortNumber: NDIS_PORT_NUMBER,
        SendFlags: ULONG,
    );

    /// Sees sent frames come back (`nc-ndis-filter_send_net_buffer_lists_complete.md`).
    fn FILTER_SEND_NET_BUFFER_LISTS_COMPLETE = FILTER_SEND_NET_BUFFER_LISTS_COMPLETE_HANDLER [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        FilterModuleContext: NDIS_HANDLE,
        NetBufferList: *mut NET_BUFFER_LIST,
        SendCompleteFlags: ULONG,
    );

    /// Cancels sends by id (`nc-ndis-filter_cancel_send_net_buffer_lists.md`).
    fn FILTER_CANCEL_SEND_NET_BUFFER_LISTS = FILTER_CANCEL_SEND_NET_BUFFER_LISTS_HANDLER [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        FilterModuleContext: NDIS_HANDLE,
        CancelId: PVOID,
    );

    /// Sees frames going up (`nc-ndis-filter_receive_net_buffer_lists.md`).
    fn FILTER_RECEIVE_NET_BUFFER_LISTS = FILTER_RECEIVE_NET_BUFFER_LISTS_HANDLER [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        FilterModuleContext: NDIS_HANDLE,
        NetBufferLists: *mut NET_BUFFER_LIST,
        PortNumber: NDIS_PORT_NUMBER,
        NumberOfNetBufferLists: ULONG,
        ReceiveFlags: ULONG,
    );

    /// Sees received frames come back (`nc-ndis-filter_return_net_buffer_lists.md`).
    fn FILTER_RETURN_NET_BUFFER_LISTS = FILTER_RETURN_NET_BUFFER_LISTS_HANDLER [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        FilterModuleContext: NDIS_HANDLE,
        NetBufferLists: *mut NET_BUFFER_LIST,
        ReturnFlags: ULONG,
    );

    /// Sees an OID request; may pend (`nc-ndis-filter_oid_request.md`).
    fn FILTER_OID_REQUEST = FILTER_OID_REQUEST_HANDLER [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        FilterModuleContext: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
    ) -> NDIS_STATUS;

    /// Ends an `NdisFOidRequest` that pended (`nc-ndis-filter_oid_request_complete.md`).
    fn FILTER_OID_REQUEST_COMPLETE = FILTER_OID_REQUEST_COMPLETE_HANDLER [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        FilterModuleContext: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
        Status: NDIS_STATUS,
    );

    /// Cancels an OID request (`nc-ndis-filter_cancel_oid_request.md`).
    fn FILTER_CANCEL_OID_REQUEST = FILTER_CANCEL_OID_REQUEST_HANDLER [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        FilterModuleContext: NDIS_HANDLE,
        RequestId: PVOID,
    );

    /// Sees a device event (`nc-ndis-filter_device_pnp_event_notify.md`).
    fn FILTER_DEVICE_PNP_EVENT_NOTIFY = FILTER_DEVICE_PNP_EVENT_NOTIFY_HANDLER [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        FilterModuleContext: NDIS_HANDLE,
        NetDevicePnPEvent: *mut NET_DEVICE_PNP_EVENT,
    );

    /// Sees a network event (`nc-ndis-filter_net_pnp_event.md`).
    fn FILTER_NET_PNP_EVENT = FILTER_NET_PNP_EVENT_HANDLER [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        FilterModuleContext: NDIS_HANDLE,
        NetPnPEventNotification: *mut NET_PNP_EVENT_NOTIFICATION,
    ) -> NDIS_STATUS;

    /// Sees a status indication (`nc-ndis-filter_status.md`).
    fn FILTER_STATUS = FILTER_STATUS_HANDLER [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        FilterModuleContext: NDIS_HANDLE,
        StatusIndication: *mut NDIS_STATUS_INDICATION,
    );

    /// Sees a direct OID request (`nc-ndis-filter_direct_oid_request.md`).
    fn FILTER_DIRECT_OID_REQUEST = FILTER_DIRECT_OID_REQUEST_HANDLER [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        FilterModuleContext: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
    ) -> NDIS_STATUS;

    /// Ends an `NdisFDirectOidRequest` that pended
    /// (`nc-ndis-filter_direct_oid_request_complete.md`).
    fn FILTER_DIRECT_OID_REQUEST_COMPLETE = FILTER_DIRECT_OID_REQUEST_COMPLETE_HANDLER [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        FilterModuleContext: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
        Status: NDIS_STATUS,
    );

    /// Cancels a direct OID request (`nc-ndis-filter_cancel_direct_oid_request.md`).
    fn FILTER_CANCEL_DIRECT_OID_REQUEST = FILTER_CANCEL_DIRECT_OID_REQUEST_HANDLER [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        FilterModuleContext: NDIS_HANDLE,
        RequestId: PVOID,
    );

    /// Sees a synchronous OID request go down (`nf-ndis-filter_synchronous_oid_request.md`).
    fn FILTER_SYNCHRONOUS_OID_REQUEST = FILTER_SYNCHRONOUS_OID_REQUEST_HANDLER [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        FilterModuleContext: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
        CallContext: *mut PVOID,
    ) -> NDIS_STATUS;

    /// Sees a synchronous OID request come back
    /// (`nf-ndis-filter_synchronous_oid_request_complete.md`).
    fn FILTER_SYNCHRONOUS_OID_REQUEST_COMPLETE = FILTER_SYNCHRONOUS_OID_REQUEST_COMPLETE_HANDLER [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        FilterModuleContext: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
        Status: *mut NDIS_STATUS,
        CallContext: PVOID,
    );
}

structures! {
    /// What `NdisFRegisterFilterDriver` registers.
    pub struct NDIS_FILTER_DRIVER_CHARACTERISTICS {
        pub Header: NDIS_OBJECT_HEADER,
        pub MajorNdisVersion: UCHAR,
        pub MinorNdisVersion: UCHAR,
        pub MajorDriverVersion: UCHAR,
        pub MinorDriverVersion: UCHAR,
        pub Flags: ULONG,
        pub FriendlyName: NDIS_STRING,
        pub UniqueName: NDIS_STRING,
        pub ServiceName: NDIS_STRING,
        pub SetOptionsHandler: SET_OPTIONS_HANDLER,
        pub SetFilterModuleOptionsHandler: FILTER_SET_MODULE_OPTIONS_HANDLER,
        pub AttachHandler: FILTER_ATTACH_HANDLER,
        pub DetachHandler: FILTER_DETACH_HANDLER,
        pub RestartHandler: FILTER_RESTART_HANDLER,
        pub PauseHandler: FILTER_PAUSE_HANDLER,
        pub SendNetBufferListsHandler: FILTER_SEND_NET_BUFFER_LISTS_HANDLER,
        pub SendNetBufferListsCompleteHandler: FILTER_SEND_NET_BUFFER_LISTS_COMPLETE_HANDLER,
        pub CancelSendNetBufferListsHandler: FILTER_CANCEL_SEND_NET_BUFFER_LISTS_HANDLER,
        pub ReceiveNetBufferListsHandler: FILTER_RECEIVE_NET_BUFFER_LISTS_HANDLER,
        pub ReturnNetBufferListsHandler: FILTER_RETURN_NET_BUFFER_LISTS_HANDLER,
        pub OidRequestHandler: FILTER_OID_REQUEST_HANDLER,
        pub OidRequestCompleteHandler: FILTER_OID_REQUEST_COMPLETE_HANDLER,
        pub CancelOidRequestHandler: FILTER_CANCEL_OID_REQUEST_HANDLER,
        pub DevicePnPEventNotifyHandler: FILTER_DEVICE_PNP_EVENT_NOTIFY_HANDLER,
        pub NetPnPEventHandler: FILTER_NET_PNP_EVENT_HANDLER,
        pub StatusHandler: FILTER_STATUS_HANDLER,
        pub DirectOidRequestHandler: FILTER_DIRECT_OID_REQUEST_HANDLER,
        pub DirectOidRequestCompleteHandler: FILTER_DIRECT_OID_REQUEST_COMPLETE_HANDLER,
        pub CancelDirectOidRequestHandler: FILTER_CANCEL_DIRECT_OID_REQUEST_HANDLER,
        pub SynchronousOidRequestHandler: FILTER_SYNCHRONOUS_OID_REQUEST_HANDLER,
        pub SynchronousOidRequestCompleteHandler: FILTER_SYNCHRONOUS_OID_REQUEST_COMPLETE_HANDLER,
    }

    /// The data path handlers of one module (`ns-ndis-_ndis_filter_partial_characteristics.md`).
    pub struct NDIS_FILTER_PARTIAL_CHARACTERISTICS {
        pub Header: NDIS_OBJECT_HEADER,
        pub Flags: ULONG,
        pub SendNetBufferListsHandler: FILTER_SEND_NET_BUFFER_LISTS_HANDLER,
        pub SendNetBufferListsCompleteHandler: FILTER_SEND_NET_BUFFER_LISTS_COMPLETE_HANDLER,
        pub CancelSendNetBufferListsHandler: FILTER_CANCEL_SEND_NET_BUFFER_LISTS_HANDLER,
        pub ReceiveNetBufferListsHandler: FILTER_RECEIVE_NET_BUFFER_LISTS_HANDLER,
        pub ReturnNetBufferListsHandler: FILTER_RETURN_NET_BUFFER_LISTS_HANDLER,
    }

    /// What a filter module is attached to (`ns-ndis-_ndis_filter_attach_parameters.md`).
    pub struct NDIS_FILTER_ATTACH_PARAMETERS {
        pub Header: NDIS_OBJECT_HEADER,
        pub IfIndex: NET_IFINDEX,
        pub NetLuid: NET_LUID_LH,
        pub FilterModuleGuidName: *mut NDIS_STRING,
        pub BaseMiniportIfIndex: NET_IFINDEX,
        pub BaseMiniportInstanceName: *mut NDIS_STRING,
        pub BaseMiniportName: *mut NDIS_STRING,
        pub MediaConnectState: NDIS_MEDIA_CONNECT_STATE,
        pub MediaDuplexState: NDIS_MEDIA_DUPLEX_STATE,
        pub XmitLinkSpeed: ULONG64,
        pub RcvLinkSpeed: ULONG64,
        pub MiniportMediaType: NDIS_MEDIUM,
        pub MiniportPhysicalMediaType: NDIS_PHYSICAL_MEDIUM,
        pub MiniportMediaSpecificAttributes: NDIS_HANDLE,
        pub DefaultOffloadConfiguration: *mut NDIS_OFFLOAD,
        pub MacAddressLength: USHORT,
        pub CurrentMacAddress: [UCHAR; NDIS_MAX_PHYS_ADDRESS_LENGTH],
        pub BaseMiniportNetLuid: NET_LUID_LH,
        pub LowerIfIndex: NET_IFINDEX,
        pub LowerIfNetLuid: NET_LUID_LH,
        pub Flags: ULONG,
        pub HDSplitCurrentConfig: *mut NDIS_HD_SPLIT_CURRENT_CONFIG,
        pub ReceiveFilterCapabilities: *mut NDIS_RECEIVE_FILTER_CAPABILITIES,
        pub MiniportPhysicalDeviceObject: *mut DEVICE_OBJECT,
        pub NicSwitchCapabilities: *mut NDIS_NIC_SWITCH_CAPABILITIES,
        pub BaseMiniportIfConnectorPresent: BOOLEAN,
        pub SriovCapabilities: *mut NDIS_SRIOV_CAPABILITIES,
        pub NicSwitchArray: *mut NDIS_NIC_SWITCH_INFO_ARRAY,
    }

    /// What a filter sets by `NdisFSetAttributes` (`ns-ndis-_ndis_filter_attributes.md`).
    pub struct NDIS_FILTER_ATTRIBUTES {
        pub Header: NDIS_OBJECT_HEADER,
        pub Flags: ULONG,
    }

    /// Why a filter module is paused (`ns-ndis-_ndis_filter_pause_parameters.md`).
    pub struct NDIS_FILTER_PAUSE_PARAMETERS {
        pub Header: NDIS_OBJECT_HEADER,
        pub Flags: ULONG,
        pub PauseReason: ULONG,
    }

    /// What a filter module restarts with (`ns-ndis-_ndis_filter_restart_parameters.md`).
    pub struct NDIS_FILTER_RESTART_PARAMETERS {
        pub Header: NDIS_OBJECT_HEADER,
        pub MiniportMediaType: NDIS_MEDIUM,
        pub MiniportPhysicalMediaType: NDIS_PHYSICAL_MEDIUM,
        pub RestartAttributes: *mut NDIS_RESTART_ATTRIBUTES,
        pub LowerIfIndex: NET_IFINDEX,
        pub LowerIfNetLuid: NET_LUID_LH,
        pub Flags: ULONG,
    }

    /// The filters of a stack (`ns-ndis-_ndis_enum_filters.md`).
    pub struct NDIS_ENUM_FILTERS {
        pub Header: NDIS_OBJECT_HEADER,
        pub Flags: ULONG,
        pub NumberOfFilters: ULONG,
        /// Bytes from the start of this structure.
        pub OffsetFirstFilter: ULONG,
        pub Filter: [NDIS_FILTER_INTERFACE; 1],
    }

    /// One filter in a stack, as enumerated (`ns-ndis-_ndis_filter_interface.md`).
    pub struct NDIS_FILTER_INTERFACE {
        pub Header: NDIS_OBJECT_HEADER,
        pub Flags: ULONG,
        pub FilterType: ULONG,
        pub FilterRunType: ULONG,
        pub IfIndex: NET_IFINDEX,
        pub NetLuid: NET_LUID_LH,
        pub FilterClass: UNICODE_STRING,
        pub FilterInstanceName: UNICODE_STRING,
    }
}

constants! {
    UCHAR {
        NDIS_ENUM_FILTERS_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_ENUM_FILTERS_REVISION_1 = size_through!(NDIS_ENUM_FILTERS, Filter),
    }
    UCHAR {
        NDIS_FILTER_CHARACTERISTICS_REVISION_1 = 1,
        NDIS_FILTER_CHARACTERISTICS_REVISION_2 = 2,
        NDIS_FILTER_CHARACTERISTICS_REVISION_3 = 3,
    }
    USHORT {
        NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_1 =
            size_through!(NDIS_FILTER_DRIVER_CHARACTERISTICS, StatusHandler),
        NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_2 =
            size_through!(NDIS_FILTER_DRIVER_CHARACTERISTICS, CancelDirectOidRequestHandler),
        NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_3 =
            size_through!(NDIS_FILTER_DRIVER_CHARACTERISTICS, SynchronousOidRequestCompleteHandler),
    }
    UCHAR {
        NDIS_FILTER_ATTACH_PARAMETERS_REVISION_1 = 1,
        NDIS_FILTER_ATTACH_PARAMETERS_REVISION_2 = 2,
        NDIS_FILTER_ATTACH_PARAMETERS_REVISION_3 = 3,
        NDIS_FILTER_ATTACH_PARAMETERS_REVISION_4 = 4,
    }
    USHORT {
        NDIS_SIZEOF_FILTER_ATTACH_PARAMETERS_REVISION_1 =
            size_through!(NDIS_FILTER_ATTACH_PARAMETERS, Flags),
        NDIS_SIZEOF_FILTER_ATTACH_PARAMETERS_REVISION_2 =
            size_through!(NDIS_FILTER_ATTACH_PARAMETERS, HDSplitCurrentConfig),
        NDIS_SIZEOF_FILTER_ATTACH_PARAMETERS_REVISION_3 =
            size_through!(NDIS_FILTER_ATTACH_PARAMETERS, NicSwitchCapabilities),
        NDIS_SIZEOF_FILTER_ATTACH_PARAMETERS_REVISION_4 =
            size_through!(NDIS_FILTER_ATTACH_PARAMETERS, NicSwitchArray),
    }
    UCHAR {
        NDIS_FILTER_PARTIAL_CHARACTERISTICS_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_FILTER_PARTIAL_CHARACTERISTICS_REVISION_1 =
            size_through!(NDIS_FILTER_PARTIAL_CHARACTERISTICS, ReturnNetBufferListsHandler),
    }
    UCHAR {
        NDIS_FILTER_ATTRIBUTES_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_FILTER_ATTRIBUTES_REVISION_1 = size_through!(NDIS_FILTER_ATTRIBUTES, Flags),
    }
    UCHAR {
        NDIS_FILTER_PAUSE_PARAMETERS_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_FILTER_PAUSE_PARAMETERS_REVISION_1 =
            size_through!(NDIS_FILTER_PAUSE_PARAMETERS, PauseReason),
    }
    UCHAR {
        NDIS_FILTER_RESTART_PARAMETERS_REVISION_1 = 1,
    }
    USHORT {
        /// Spelled with two underscores in the header too.
        NDIS_SIZEOF__FILTER_RESTART_PARAMETERS_REVISION_1 =
            size_through!(NDIS_FILTER_RESTART_PARAMETERS, Flags),
    }
    UCHAR {
        NDIS_FILTER_INTERFACE_REVISION_1 = 1,
        NDIS_FILTER_INTERFACE_REVISION_2 = 2,
    }
    USHORT {
        NDIS_SIZEOF_FILTER_INTERFACE_REVISION_1 =
            size_through!(NDIS_FILTER_INTERFACE, FilterInstanceName),
        NDIS_SIZEOF_FILTER_INTERFACE_REVISION_2 =
            size_through!(NDIS_FILTER_INTERFACE, FilterInstanceName),
    }
}
