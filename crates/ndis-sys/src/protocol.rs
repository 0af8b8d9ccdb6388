//! Protocol drivers: what they register and what they bind with
//! (`ns-ndis-_ndis_protocol_driver_characteristics.md`, `ns-ndis-_ndis_bind_parameters.md`).
//!
//! A protocol is any driver that binds to adapters from above, an intermediate driver's lower edge
//! too.

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
use crate::offload::{NDIS_HD_SPLIT_CURRENT_CONFIG, NDIS_OFFLOAD, NDIS_TCP_CONNECTION_OFFLOAD};
use crate::oid::NDIS_OID_REQUEST;
use crate::pnp::NET_PNP_EVENT_NOTIFICATION;
use crate::port::{NDIS_PORT, NDIS_PORT_NUMBER};
use crate::power::{NDIS_PM_CAPABILITIES, NDIS_PNP_CAPABILITIES};
use crate::rss::NDIS_RECEIVE_SCALE_CAPABILITIES;
use crate::status::{NDIS_STATUS, NDIS_STATUS_INDICATION};

callbacks! {
    /// Opens an adapter that has come; may pend (`nc-ndis-protocol_bind_adapter_ex.md`).
    fn PROTOCOL_BIND_ADAPTER_EX = BIND_HANDLER_EX [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        ProtocolDriverContext: NDIS_HANDLE,
        BindContext: NDIS_HANDLE,
        BindParameters: *mut NDIS_BIND_PARAMETERS,
    ) -> NDIS_STATUS;

    /// Closes an adapter that is going; may pend (`nc-ndis-protocol_unbind_adapter_ex.md`).
    fn PROTOCOL_UNBIND_ADAPTER_EX = UNBIND_HANDLER_EX [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        UnbindContext: NDIS_HANDLE,
        ProtocolBindingContext: NDIS_HANDLE,
    ) -> NDIS_STATUS;

    /// Ends an `NdisOpenAdapterEx` that pended (`nc-ndis-protocol_open_adapter_complete_ex.md`).
    fn PROTOCOL_OPEN_ADAPTER_COMPLETE_EX = OPEN_ADAPTER_COMPLETE_HANDLER_EX [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        ProtocolBindingContext: NDIS_HANDLE,
        Status: NDIS_STATUS,
    );

    /// Ends an `NdisCloseAdapterEx` that pended (`nc-ndis-protocol_close_adapter_complete_ex.md`).
    fn PROTOCOL_CLOSE_ADAPTER_COMPLETE_EX = CLOSE_ADAPTER_COMPLETE_HANDLER_EX [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        ProtocolBindingContext: NDIS_HANDLE,
    );

    /// Hears of a network event, with no binding context for events of the driver; may pend
    /// (`nc-ndis-protocol_net_pnp_event.md`).
    fn PROTOCOL_NET_PNP_EVENT = NET_PNP_EVENT_HANDLER [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        ProtocolBindingContext: NDIS_HANDLE,
        NetPnPEventNotification: *mut NET_PNP_EVENT_NOTIFICATION,
    ) -> NDIS_STATUS;

    /// Lets go of what could keep the driver from unloading (`nc-ndis-protocol_uninstall.md`).
    fn PROTOCOL_UNINSTALL = UNINSTALL_PROTOCOL_HANDLER [PASSIVE_LEVEL, PASSIVE_LEVEL] (
    );

    /// Ends an `NdisOidRequest` that pended (`nc-ndis-protocol_oid_request_complete.md`).
    fn PROTOCOL_OID_REQUEST_COMPLETE = OID_REQUEST_COMPLETE_HANDLER [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        ProtocolBindingContext: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
        Status: NDIS_STATUS,
    );

    /// Hears of the adapter's status (`nc-ndis-protocol_status_ex.md`).
    fn PROTOCOL_STATUS_EX = STATUS_HANDLER_EX [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        ProtocolBindingContext: NDIS_HANDLE,
        StatusIndication: *mut NDIS_STATUS_INDICATION,
    );

    /// Gets received frames (`nc-ndis-protocol_receive_net_buffer_lists.md`).
    fn PROTOCOL_RECEIVE_NET_BUFFER_LISTS = RECEIVE_NET_BUFFER_LISTS_HANDLER [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        ProtocolBindingContext: NDIS_HANDLE,
        NetBufferLists: *mut NET_BUFFER_LIST,
        PortNumber: NDIS_PORT_NUMBER,
        NumberOfNetBufferLists: ULONG,
        ReceiveFlags: ULONG,
    );

    /// Gets sent frames back (`nc-ndis-protocol_send_net_buffer_lists_complete.md`).
    fn PROTOCOL_SEND_NET_BUFFER_LISTS_COMPLETE = SEND_NET_BUFFER_LISTS_COMPLETE_HANDLER [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        ProtocolBindingContext: NDIS_HANDLE,
        NetBufferList: *mut NET_BUFFER_LIST,
        SendCompleteFlags: ULONG,
    );

    /// Ends an `NdisDirectOidRequest` that pended
    /// (`nc-ndis-protocol_direct_oid_request_complete.md`).
    fn PROTOCOL_DIRECT_OID_REQUEST_COMPLETE = DIRECT_OID_REQUEST_COMPLETE_HANDLER [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        ProtocolBindingContext: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
        Status: NDIS_STATUS,
    );
}

structures! {
    /// What `NdisRegisterProtocolDriver` registers.
    pub struct NDIS_PROTOCOL_DRIVER_CHARACTERISTICS {
        pub Header: NDIS_OBJECT_HEADER,
        pub MajorNdisVersion: UCHAR,
        pub MinorNdisVersion: UCHAR,
        pub MajorDriverVersion: UCHAR,
        pub MinorDriverVersion: UCHAR,
        pub Flags: ULONG,
        pub Name: UNICODE_STRING,
        pub SetOptionsHandler: SET_OPTIONS_HANDLER,
        pub BindAdapterHandlerEx: BIND_HANDLER_EX,
        pub UnbindAdapterHandlerEx: UNBIND_HANDLER_EX,
        pub OpenAdapterCompleteHandlerEx: OPEN_ADAPTER_COMPLETE_HANDLER_EX,
        pub CloseAdapterCompleteHandlerEx: CLOSE_ADAPTER_COMPLETE_HANDLER_EX,
        pub NetPnPEventHandler: NET_PNP_EVENT_HANDLER,
        pub UninstallHandler: UNINSTALL_PROTOCOL_HANDLER,
        pub OidRequestCompleteHandler: OID_REQUEST_COMPLETE_HANDLER,
        pub StatusHandlerEx: STATUS_HANDLER_EX,
        pub ReceiveNetBufferListsHandler: RECEIVE_NET_BUFFER_LISTS_HANDLER,
        pub SendNetBufferListsCompleteHandler: SEND_NET_BUFFER_LISTS_COMPLETE_HANDLER,
        pub DirectOidRequestCompleteHandler: DIRECT_OID_REQUEST_COMPLETE_HANDLER,
    }

    /// What a protocol learns of an adapter before it opens it.
    pub struct NDIS_BIND_PARAMETERS {
        pub Header: NDIS_OBJECT_HEADER,
        pub ProtocolSection: *mut NDIS_STRING,
        pub AdapterName: *mut NDIS_STRING,
        pub PhysicalDeviceObject: *mut DEVICE_OBJECT,
        pub MediaType: NDIS_MEDIUM,
        pub MtuSize: ULONG,
        pub MaxXmitLinkSpeed: ULONG64,
        pub XmitLinkSpeed: ULONG64,
        pub MaxRcvLinkSpeed: ULONG64,
        pub RcvLinkSpeed: ULONG64,
        pub MediaConnectState: NDIS_MEDIA_CONNECT_STATE,
        pub MediaDuplexState: NDIS_MEDIA_DUPLEX_STATE,
        pub LookaheadSize: ULONG,
        pub PowerManagementCapabilities: *mut NDIS_PNP_CAPABILITIES,
        pub SupportedPacketFilters: ULONG,
        pub MaxMulticastListSize: ULONG,
        pub MacAddressLength: USHORT,
        pub CurrentMacAddress: [UCHAR; 32],
        pub PhysicalMediumType: NDIS_PHYSICAL_MEDIUM,
        pub RcvScaleCapabilities: *mut NDIS_RECEIVE_SCALE_CAPABILITIES,
        pub BoundIfNetluid: NET_LUID_LH,
        pub BoundIfIndex: NET_IFINDEX,
        pub LowestIfNetluid: NET_LUID_LH,
        pub LowestIfIndex: NET_IFINDEX,
        pub AccessType: NET_IF_ACCESS_TYPE,
        pub DirectionType: NET_IF_DIRECTION_TYPE,
        pub ConnectionType: NET_IF_CONNECTION_TYPE,
        pub IfType: NET_IFTYPE,
        pub IfConnectorPresent: BOOLEAN,
        pub ActivePorts: *mut NDIS_PORT,
        pub DataBackFillSize: ULONG,
        pub ContextBackFillSize: ULONG,
        pub MacOptions: ULONG,
        pub CompartmentId: NET_IF_COMPARTMENT_ID,
        pub DefaultOffloadConfiguration: *mut NDIS_OFFLOAD,
        pub TcpConnectionOffloadCapabilities: *mut NDIS_TCP_CONNECTION_OFFLOAD,
        pub BoundAdapterName: *mut NDIS_STRING,
        pub HDSplitCurrentConfig: *mut NDIS_HD_SPLIT_CURRENT_CONFIG,
        pub ReceiveFilterCapabilities: *mut NDIS_RECEIVE_FILTER_CAPABILITIES,
        pub PowerManagementCapabilitiesEx: *mut NDIS_PM_CAPABILITIES,
        pub NicSwitchCapabilities: *mut NDIS_NIC_SWITCH_CAPABILITIES,
        pub NDKEnabled: BOOLEAN,
        pub NDKCapabilities: *mut NDIS_NDK_CAPABILITIES,
        pub SriovCapabilities: *mut NDIS_SRIOV_CAPABILITIES,
        pub NicSwitchArray: *mut NDIS_NIC_SWITCH_INFO_ARRAY,
    }

    /// What `NdisOpenAdapterEx` opens (`ns-ndis-_ndis_open_parameters.md`).
    pub struct NDIS_OPEN_PARAMETERS {
        pub Header: NDIS_OBJECT_HEADER,
        pub AdapterName: *mut NDIS_STRING,
        pub MediumArray: *mut NDIS_MEDIUM,
        pub MediumArraySize: UINT,
        pub SelectedMediumIndex: *mut UINT,
        pub FrameTypeArray: *mut NET_FRAME_TYPE,
        pub FrameTypeArraySize: UINT,
    }

    /// In the buffer of `NetEventPause` (`ns-ndis-_ndis_protocol_pause_parameters.md`).
    pub struct NDIS_PROTOCOL_PAUSE_PARAMETERS {
        pub Header: NDIS_OBJECT_HEADER,
        pub Flags: ULONG,
        pub PauseReason: ULONG,
    }

    /// In the buffer of `NetEventRestart` (`ns-ndis-_ndis_protocol_restart_parameters.md`).
    pub struct NDIS_PROTOCOL_RESTART_PARAMETERS {
        pub Header: NDIS_OBJECT_HEADER,
        pub FilterModuleNameBuffer: *mut UCHAR,
        pub FilterModuleNameBufferLength: ULONG,
        pub RestartAttributes: *mut NDIS_RESTART_ATTRIBUTES,
        pub BoundIfIndex: NET_IFINDEX,
        pub BoundIfNetluid: NET_LUID_LH,
        pub Flags: ULONG,
    }
}

constants! {
    ULONG {
        NDIS_PROTOCOL_DRIVER_SUPPORTS_CURRENT_MAC_ADDRESS_CHANGE = 0x2,
        NDIS_OPEN_RECEIVE_NOT_REENTRANT = 0x1,
    }
    UCHAR {
        NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_1 = 1,
        NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2 = 2,
    }
    USHORT {
        NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_1 =
            size_through!(NDIS_PROTOCOL_DRIVER_CHARACTERISTICS, SendNetBufferListsCompleteHandler),
        NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2 =
            size_through!(NDIS_PROTOCOL_DRIVER_CHARACTERISTICS, DirectOidRequestCompleteHandler),
    }
    UCHAR {
        NDIS_BIND_PARAMETERS_REVISION_1 = 1,
        NDIS_BIND_PARAMETERS_REVISION_2 = 2,
        NDIS_BIND_PARAMETERS_REVISION_3 = 3,
        NDIS_BIND_PARAMETERS_REVISION_4 = 4,
    }
    USHORT {
        NDIS_SIZEOF_BIND_PARAMETERS_REVISION_1 =
            size_through!(NDIS_BIND_PARAMETERS, BoundAdapterName),
        NDIS_SIZEOF_BIND_PARAMETERS_REVISION_2 =
            size_through!(NDIS_BIND_PARAMETERS, HDSplitCurrentConfig),
        NDIS_SIZEOF_BIND_PARAMETERS_REVISION_3 =
            size_through!(NDIS_BIND_PARAMETERS, NicSwitchCapabilities),
        NDIS_SIZEOF_BIND_PARAMETERS_REVISION_4 =
            size_through!(NDIS_BIND_PARAMETERS, NicSwitchArray),
    }
    UCHAR {
        NDIS_OPEN_PARAMETERS_REVISION_1 = 1,
    }
    USHORT {
        /// As some headers misspell the next.
        NDIS_SIZEOF_OPEN_PARAMETERS_REVSION_1 =
            size_through!(NDIS_OPEN_PARAMETERS, FrameTypeArraySize),
        NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1 =
            size_through!(NDIS_OPEN_PARAMETERS, FrameTypeArraySize),
    }
    UCHAR {
        NDIS_PROTOCOL_PAUSE_PARAMETERS_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_PROTOCOL_PAUSE_PARAMETERS_REVISION_1 =
            size_through!(NDIS_PROTOCOL_PAUSE_PARAMETERS, PauseReason),
    }
    UCHAR {
        NDIS_PROTOCOL_RESTART_PARAMETERS_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_PROTOCOL_RESTART_PARAMETERS_REVISION_1 =
            size_through!(NDIS_PROTOCOL_RESTART_PARAMETERS, Flags),
    }
}
