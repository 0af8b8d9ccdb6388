//! Miniport drivers: what they register, what they are started and paused with.
//!
//! The attributes that an adapter reports in `MiniportInitializeEx` are in `attributes`; interrupts
//! and DMA in `interrupt` and `dma`. All structures' `Header.Size` values are here beside them.

use crate::declare::{callbacks, constants, size_through, structures};
use crate::handle::NDIS_HANDLE;
use crate::interface::*;
use crate::io::*;
use crate::nbl::NET_BUFFER_LIST;
use crate::nt::*;
use crate::object::NDIS_OBJECT_HEADER;
use crate::oid::{NDIS_OID, NDIS_OID_REQUEST};
use crate::pnp::NET_DEVICE_PNP_EVENT;
use crate::port::*;
use crate::rss::NDIS_RECEIVE_SCALE_CAPABILITIES;
use crate::status::NDIS_STATUS;

callbacks! {
    /// Registers a driver's optional services (`nc-ndis-set_options.md`).
    fn SET_OPTIONS = SET_OPTIONS_HANDLER [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        NdisDriverHandle: NDIS_HANDLE,
        DriverContext: NDIS_HANDLE,
    ) -> NDIS_STATUS;

    /// Starts an adapter, which is then paused (`nc-ndis-miniport_initialize.md`).
    fn MINIPORT_INITIALIZE = MINIPORT_INITIALIZE_HANDLER [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        NdisMiniportHandle: NDIS_HANDLE,
        MiniportDriverContext: NDIS_HANDLE,
        MiniportInitParameters: *mut NDIS_MINIPORT_INIT_PARAMETERS,
    ) -> NDIS_STATUS;

    /// Ends an adapter (`nc-ndis-miniport_halt.md`).
    fn MINIPORT_HALT = MINIPORT_HALT_HANDLER [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        MiniportAdapterContext: NDIS_HANDLE,
        HaltAction: NDIS_HALT_ACTION,
    );

    /// Undoes `DriverEntry` (`nc-ndis-miniport_unload.md`).
    fn MINIPORT_UNLOAD = MINIPORT_DRIVER_UNLOAD [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        DriverObject: *mut DRIVER_OBJECT,
    );

    /// Stops indications and waits for those out; may pend (`nc-ndis-miniport_pause.md`).
    fn MINIPORT_PAUSE = MINIPORT_PAUSE_HANDLER [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        MiniportAdapterContext: NDIS_HANDLE,
        PauseParameters: *mut NDIS_MINIPORT_PAUSE_PARAMETERS,
    ) -> NDIS_STATUS;

    /// Begins indications again; may pend (`nc-ndis-miniport_restart.md`).
    fn MINIPORT_RESTART = MINIPORT_RESTART_HANDLER [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        MiniportAdapterContext: NDIS_HANDLE,
        RestartParameters: *mut NDIS_MINIPORT_RESTART_PARAMETERS,
    ) -> NDIS_STATUS;

    /// Answers an OID request; may pend (`nc-ndis-miniport_oid_request.md`).
    fn MINIPORT_OID_REQUEST = MINIPORT_OID_REQUEST_HANDLER [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        MiniportAdapterContext: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
    ) -> NDIS_STATUS;

    /// Sends frames; each comes back by `NdisMSendNetBufferListsComplete`
    /// (`nc-ndis-miniport_send_net_buffer_lists.md`).
    fn MINIPORT_SEND_NET_BUFFER_LISTS = MINIPORT_SEND_NET_BUFFER_LISTS_HANDLER [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        MiniportAdapterContext: NDIS_HANDLE,
        NetBufferList: *mut NET_BUFFER_LIST,
        PortNumber: NDIS_PORT_NUMBER,
        SendFlags: ULONG,
    );

    /// Gets received frames back (`nc-ndis-miniport_return_net_buffer_lists.md`).
    fn MINIPORT_RETURN_NET_BUFFER_LISTS = MINIPORT_RETURN_NET_BUFFER_LISTS_HANDLER [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        MiniportAdapterContext: NDIS_HANDLE,
        NetBufferLists: *mut NET_BUFFER_LIST,
        ReturnFlags: ULONG,
    );

    /// Cancels sends by id (`nc-ndis-miniport_cancel_send.md`).
    fn MINIPORT_CANCEL_SEND = MINIPORT_CANCEL_SEND_HANDLER [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        MiniportAdapterContext: NDIS_HANDLE,
        CancelId: PVOID,
    );

    /// Says whether the hardware hangs (`nc-ndis-miniport_check_for_hang.md`).
    fn MINIPORT_CHECK_FOR_HANG = MINIPORT_CHECK_FOR_HANG_HANDLER [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        MiniportAdapterContext: NDIS_HANDLE,
    ) -> BOOLEAN;

    /// Resets the hardware; may pend (`nc-ndis-miniport_reset.md`).
    fn MINIPORT_RESET = MINIPORT_RESET_HANDLER [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        MiniportAdapterContext: NDIS_HANDLE,
        AddressingReset: *mut BOOLEAN,
    ) -> NDIS_STATUS;

    /// Hears of a Plug and Play event (`nc-ndis-miniport_device_pnp_event_notify.md`).
    fn MINIPORT_DEVICE_PNP_EVENT_NOTIFY = MINIPORT_DEVICE_PNP_EVENT_NOTIFY_HANDLER [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        MiniportAdapterContext: NDIS_HANDLE,
        NetDevicePnPEvent: *mut NET_DEVICE_PNP_EVENT,
    );

    /// Stops the hardware as the system goes down; PASSIVE_LEVEL for power off
    /// (`nc-ndis-miniport_shutdown.md`).
    fn MINIPORT_SHUTDOWN = MINIPORT_SHUTDOWN_HANDLER [PASSIVE_LEVEL, HIGH_LEVEL] (
        MiniportAdapterContext: NDIS_HANDLE,
        ShutdownAction: NDIS_SHUTDOWN_ACTION,
    );

    /// Cancels an OID request (`nc-ndis-miniport_cancel_oid_request.md`).
    fn MINIPORT_CANCEL_OID_REQUEST = MINIPORT_CANCEL_OID_REQUEST_HANDLER [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        MiniportAdapterContext: NDIS_HANDLE,
        RequestId: PVOID,
    );

    /// Answers a direct OID request (`nc-ndis-miniport_direct_oid_request.md`).
    fn MINIPORT_DIRECT_OID_REQUEST = MINIPORT_DIRECT_OID_REQUEST_HANDLER [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        MiniportAdapterContext: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
    ) -> NDIS_STATUS;

    /// Cancels a direct OID request (`nc-ndis-miniport_cancel_direct_oid_request.md`).
    fn MINIPORT_CANCEL_DIRECT_OID_REQUEST = MINIPORT_CANCEL_DIRECT_OID_REQUEST_HANDLER [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        MiniportAdapterContext: NDIS_HANDLE,
        RequestId: PVOID,
    );

    /// Answers an OID request at once (`nf-ndis-miniport_synchronous_oid_request.md`).
    fn MINIPORT_SYNCHRONOUS_OID_REQUEST = MINIPORT_SYNCHRONOUS_OID_REQUEST_HANDLER [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        MiniportAdapterContext: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
    ) -> NDIS_STATUS;

    /// Makes a context for a device that is being added (`nc-ndis-miniport_add_device.md`).
    fn MINIPORT_ADD_DEVICE = MINIPORT_ADD_DEVICE_HANDLER [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        NdisMiniportHandle: NDIS_HANDLE,
        MiniportDriverContext: NDIS_HANDLE,
    ) -> NDIS_STATUS;

    /// Frees that context (`nc-ndis-miniport_remove_device.md`).
    fn MINIPORT_REMOVE_DEVICE = MINIPORT_REMOVE_DEVICE_HANDLER [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        MiniportAddDeviceContext: NDIS_HANDLE,
    );

    /// Changes a device's resource requirements (`nc-ndis-miniport_pnp_irp.md`).
    fn MINIPORT_FILTER_RESOURCE_REQUIREMENTS = MINIPORT_FILTER_RESOURCE_REQUIREMENTS_HANDLER [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        MiniportAddDeviceContext: NDIS_HANDLE,
        Irp: *mut IRP,
    ) -> NDIS_STATUS;

    /// Changes a device's resources as it starts (`nc-ndis-miniport_pnp_irp.md`).
    fn MINIPORT_START_DEVICE = MINIPORT_START_DEVICE_HANDLER [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        MiniportAddDeviceContext: NDIS_HANDLE,
        Irp: *mut IRP,
    ) -> NDIS_STATUS;

    /// Begins selective suspend (`nc-ndis-miniport_idle_notification.md`).
    fn MINIPORT_IDLE_NOTIFICATION = MINIPORT_IDLE_NOTIFICATION_HANDLER [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        MiniportAdapterContext: NDIS_HANDLE,
        ForceIdle: BOOLEAN,
    ) -> NDIS_STATUS;

    /// Ends selective suspend (`nc-ndis-miniport_cancel_idle_notification.md`).
    fn MINIPORT_CANCEL_IDLE_NOTIFICATION = MINIPORT_CANCEL_IDLE_NOTIFICATION_HANDLER [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        MiniportAdapterContext: NDIS_HANDLE,
    );
}

structures! {
    /// What `NdisMRegisterMiniportDriver` registers
    /// (`ns-ndis-_ndis_miniport_driver_characteristics.md`).
    pub struct NDIS_MINIPORT_DRIVER_CHARACTERISTICS {
        pub Header: NDIS_OBJECT_HEADER,
        pub MajorNdisVersion: UCHAR,
        pub MinorNdisVersion: UCHAR,
        pub MajorDriverVersion: UCHAR,
        pub MinorDriverVersion: UCHAR,
        pub Flags: ULONG,
        pub SetOptionsHandler: SET_OPTIONS_HANDLER,
        pub InitializeHandlerEx: MINIPORT_INITIALIZE_HANDLER,
        pub HaltHandlerEx: MINIPORT_HALT_HANDLER,
        pub UnloadHandler: MINIPORT_DRIVER_UNLOAD,
        pub PauseHandler: MINIPORT_PAUSE_HANDLER,
        pub RestartHandler: MINIPORT_RESTART_HANDLER,
        pub OidRequestHandler: MINIPORT_OID_REQUEST_HANDLER,
        pub SendNetBufferListsHandler: MINIPORT_SEND_NET_BUFFER_LISTS_HANDLER,
        pub ReturnNetBufferListsHandler: MINIPORT_RETURN_NET_BUFFER_LISTS_HANDLER,
        pub CancelSendHandler: MINIPORT_CANCEL_SEND_HANDLER,
        pub CheckForHangHandlerEx: MINIPORT_CHECK_FOR_HANG_HANDLER,
        pub ResetHandlerEx: MINIPORT_RESET_HANDLER,
        pub DevicePnPEventNotifyHandler: MINIPORT_DEVICE_PNP_EVENT_NOTIFY_HANDLER,
        pub ShutdownHandlerEx: MINIPORT_SHUTDOWN_HANDLER,
        pub CancelOidRequestHandler: MINIPORT_CANCEL_OID_REQUEST_HANDLER,
        pub DirectOidRequestHandler: MINIPORT_DIRECT_OID_REQUEST_HANDLER,
        pub CancelDirectOidRequestHandler: MINIPORT_CANCEL_DIRECT_OID_REQUEST_HANDLER,
        pub SynchronousOidRequestHandler: MINIPORT_SYNCHRONOUS_OID_REQUEST_HANDLER,
    }

    /// What an adapter is started with (`ns-ndis-_ndis_miniport_init_parameters.md`).
    pub struct NDIS_MINIPORT_INIT_PARAMETERS {
        pub Header: NDIS_OBJECT_HEADER,
        pub Flags: ULONG,
        pub AllocatedResources: *mut CM_RESOURCE_LIST,
        pub IMDeviceInstanceContext: NDIS_HANDLE,
        pub MiniportAddDeviceContext: NDIS_HANDLE,
        pub IfIndex: NET_IFINDEX,
        pub NetLuid: NET_LUID_LH,
        pub DefaultPortAuthStates: *mut NDIS_PORT_AUTHENTICATION_PARAMETERS,
        pub PciDeviceCustomProperties: *mut NDIS_PCI_DEVICE_CUSTOM_PROPERTIES,
    }

    /// Why an adapter is paused (`ns-ndis-_ndis_miniport_pause_parameters.md`).
    pub struct NDIS_MINIPORT_PAUSE_PARAMETERS {
        pub Header: NDIS_OBJECT_HEADER,
        pub Flags: ULONG,
        pub PauseReason: ULONG,
    }

    /// What an adapter restarts with (`ns-ndis-_ndis_miniport_restart_parameters.md`).
    pub struct NDIS_MINIPORT_RESTART_PARAMETERS {
        pub Header: NDIS_OBJECT_HEADER,
        pub RestartAttributes: *mut NDIS_RESTART_ATTRIBUTES,
        pub Flags: ULONG,
    }

    /// A list of attributes that change at a restart (`ns-ndis-_ndis_restart_attributes.md`).
    #[repr(align(16))]
    pub struct NDIS_RESTART_ATTRIBUTES {
        pub Next: *mut NDIS_RESTART_ATTRIBUTES,
        pub Oid: NDIS_OID,
        pub DataLength: ULONG,
        pub Data: [UCHAR; 1],
    }

    /// The attributes of OID_GEN_MINIPORT_RESTART_ATTRIBUTES
    /// (`ns-ndis-_ndis_restart_general_attributes.md`).
    pub struct NDIS_RESTART_GENERAL_ATTRIBUTES {
        pub Header: NDIS_OBJECT_HEADER,
        pub MtuSize: ULONG,
        pub MaxXmitLinkSpeed: ULONG64,
        pub MaxRcvLinkSpeed: ULONG64,
        pub LookaheadSize: ULONG,
        pub MacOptions: ULONG,
        pub SupportedPacketFilters: ULONG,
        pub MaxMulticastListSize: ULONG,
        pub RecvScaleCapabilities: *mut NDIS_RECEIVE_SCALE_CAPABILITIES,
        pub AccessType: NET_IF_ACCESS_TYPE,
        pub Flags: ULONG,
        pub ConnectionType: NET_IF_CONNECTION_TYPE,
        pub SupportedStatistics: ULONG,
        pub DataBackFillSize: ULONG,
        pub ContextBackFillSize: ULONG,
        pub SupportedOidList: *mut NDIS_OID,
        pub SupportedOidListLength: ULONG,
        pub MaxLookaheadSizeAccessed: ULONG,
    }

    /// What every structure for `NdisSetOptionalHandlers` begins with.
    pub struct NDIS_DRIVER_OPTIONAL_HANDLERS {
        pub Header: NDIS_OBJECT_HEADER,
    }

    /// Plug and Play handlers (`ns-ndis-_ndis_miniport_pnp_characteristics.md`).
    pub struct NDIS_MINIPORT_PNP_CHARACTERISTICS {
        pub Header: NDIS_OBJECT_HEADER,
        pub MiniportAddDeviceHandler: MINIPORT_ADD_DEVICE_HANDLER,
        pub MiniportRemoveDeviceHandler: MINIPORT_REMOVE_DEVICE_HANDLER,
        pub MiniportFilterResourceRequirementsHandler: MINIPORT_FILTER_RESOURCE_REQUIREMENTS_HANDLER,
        pub MiniportStartDeviceHandler: MINIPORT_START_DEVICE_HANDLER,
        pub Flags: ULONG,
    }

    /// Selective suspend handlers (`ns-ndis-_ndis_miniport_ss_characteristics.md`).
    pub struct NDIS_MINIPORT_SS_CHARACTERISTICS {
        pub Header: NDIS_OBJECT_HEADER,
        pub Flags: ULONG,
        pub IdleNotificationHandler: MINIPORT_IDLE_NOTIFICATION_HANDLER,
        pub CancelIdleNotificationHandler: MINIPORT_CANCEL_IDLE_NOTIFICATION_HANDLER,
    }

    /// A PCI device's link (`ns-ntddndis-_ndis_pci_device_custom_properties.md`).
    pub struct NDIS_PCI_DEVICE_CUSTOM_PROPERTIES {
        pub Header: NDIS_OBJECT_HEADER,
        pub DeviceType: ULONG,
        pub CurrentSpeedAndMode: ULONG,
        pub CurrentPayloadSize: ULONG,
        pub MaxPayloadSize: ULONG,
        pub MaxReadRequestSize: ULONG,
        pub CurrentLinkSpeed: ULONG,
        pub CurrentLinkWidth: ULONG,
        pub MaxLinkSpeed: ULONG,
        pub MaxLinkWidth: ULONG,
        pub PciExpressVersion: ULONG,
        pub InterruptType: ULONG,
        pub MaxInterruptMessages: ULONG,
    }
}

/// Why an adapter is halted.
pub type NDIS_HALT_ACTION = i32;
/// Why the system goes down.
pub type NDIS_SHUTDOWN_ACTION = i32;
/// The number that `NdisGetVersion` has for a major and a minor version.
pub const fn NDIS_RUNTIME_VERSION(major: u16, minor: u16) -> ULONG {
    (major as ULONG) << 16 | minor as ULONG
}

constants! {
    NDIS_HALT_ACTION {
        NdisHaltDeviceDisabled = 0,
        NdisHaltDeviceInstanceDeInitialized = 1,
        NdisHaltDevicePoweredDown = 2,
        NdisHaltDeviceSurpriseRemoved = 3,
        NdisHaltDeviceFailed = 4,
        NdisHaltDeviceInitializationFailed = 5,
        NdisHaltDeviceStopped = 6,
    }
    NDIS_SHUTDOWN_ACTION {
        NdisShutdownPowerOff = 0,
        NdisShutdownBugCheck = 1,
    }
    ULONG {
        /// `Flags` of the driver characteristics: an intermediate driver's virtual miniport edge.
        NDIS_INTERMEDIATE_DRIVER = 0x1,
    }
    UCHAR {
        NDIS_MINIPORT_MAJOR_VERSION = 6,
        NDIS_MINIPORT_MINIMUM_MAJOR_VERSION = 6,
        NDIS_MINIPORT_MINIMUM_MINOR_VERSION = 80,
        NDIS_MINIPORT_MINOR_VERSION = 80,
        NDIS_PROTOCOL_MAJOR_VERSION = 6,
        NDIS_PROTOCOL_MINIMUM_MAJOR_VERSION = 6,
        NDIS_PROTOCOL_MINIMUM_MINOR_VERSION = 80,
        NDIS_PROTOCOL_MINOR_VERSION = 80,
    }
    ULONG {
        NDIS_MINIPORT_DRIVER = 0x1,
        NDIS_RUNTIME_VERSION_60 = 0x0006_0000,
        NDIS_RUNTIME_VERSION_61 = 0x0006_0001,
        NDIS_RUNTIME_VERSION_620 = 0x0006_0014,
        NDIS_RUNTIME_VERSION_630 = 0x0006_001e,
        NDIS_RUNTIME_VERSION_640 = 0x0006_0028,
        NDIS_RUNTIME_VERSION_650 = 0x0006_0032,
        NDIS_RUNTIME_VERSION_651 = 0x0006_0033,
        NDIS_RUNTIME_VERSION_660 = 0x0006_003c,
        NDIS_RUNTIME_VERSION_670 = 0x0006_0046,
        NDIS_RUNTIME_VERSION_680 = 0x0006_0050,
        NDIS_PAUSE_ATTACH_FILTER = 0x10,
        NDIS_PAUSE_BIND_PROTOCOL = 0x4,
        NDIS_PAUSE_DETACH_FILTER = 0x20,
        NDIS_PAUSE_FILTER_RESTART_STACK = 0x40,
        NDIS_PAUSE_LOW_POWER = 0x2,
        NDIS_PAUSE_MINIPORT_DEVICE_REMOVE = 0x80,
        NDIS_PAUSE_NDIS_INTERNAL = 0x1,
        NDIS_PAUSE_UNBIND_PROTOCOL = 0x8,
        NDIS_DEVICE_TYPE_ENDPOINT = 0x1,
    }
    UCHAR {
        NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_1 = 1,
        NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2 = 2,
        NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_3 = 3,
    }
    USHORT {
        NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_1 =
            size_through!(NDIS_MINIPORT_DRIVER_CHARACTERISTICS, CancelOidRequestHandler),
        NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2 =
            size_through!(NDIS_MINIPORT_DRIVER_CHARACTERISTICS, CancelDirectOidRequestHandler),
        NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_3 =
            size_through!(NDIS_MINIPORT_DRIVER_CHARACTERISTICS, SynchronousOidRequestHandler),
    }
    UCHAR {
        NDIS_MINIPORT_INIT_PARAMETERS_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_MINIPORT_INIT_PARAMETER_REVISION_1 =
            size_through!(NDIS_MINIPORT_INIT_PARAMETERS, PciDeviceCustomProperties),
    }
    UCHAR {
        NDIS_MINIPORT_PAUSE_PARAMETERS_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_MINIPORT_PAUSE_PARAMETERS_REVISION_1 =
            size_through!(NDIS_MINIPORT_PAUSE_PARAMETERS, PauseReason),
    }
    UCHAR {
        NDIS_MINIPORT_RESTART_PARAMETERS_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_MINIPORT_RESTART_PARAMETERS_REVISION_1 =
            size_through!(NDIS_MINIPORT_RESTART_PARAMETERS, Flags),
    }
    UCHAR {
        NDIS_RESTART_GENERAL_ATTRIBUTES_REVISION_1 = 1,
        NDIS_RESTART_GENERAL_ATTRIBUTES_REVISION_2 = 2,
    }
    USHORT {
        NDIS_SIZEOF_RESTART_GENERAL_ATTRIBUTES_REVISION_1 =
            size_through!(NDIS_RESTART_GENERAL_ATTRIBUTES, SupportedOidListLength),
        NDIS_SIZEOF_RESTART_GENERAL_ATTRIBUTES_REVISION_2 =
            size_through!(NDIS_RESTART_GENERAL_ATTRIBUTES, MaxLookaheadSizeAccessed),
    }
    UCHAR {
        NDIS_MINIPORT_PNP_CHARACTERISTICS_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_MINIPORT_PNP_CHARACTERISTICS_REVISION_1 =
            size_through!(NDIS_MINIPORT_PNP_CHARACTERISTICS, Flags),
    }
    UCHAR {
        NDIS_MINIPORT_SS_CHARACTERISTICS_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_MINIPORT_SS_CHARACTERISTICS_REVISION_1 =
            size_through!(NDIS_MINIPORT_SS_CHARACTERISTICS, CancelIdleNotificationHandler),
    }
    UCHAR {
        NDIS_OBJECT_TYPE_PCI_DEVICE_CUSTOM_PROPERTIES_REVISION_1 = 1,
        NDIS_OBJECT_TYPE_PCI_DEVICE_CUSTOM_PROPERTIES_REVISION_2 = 2,
    }
    USHORT {
        NDIS_SIZEOF_PCI_DEVICE_CUSTOM_PROPERTIES_REVISION_1 =
            size_through!(NDIS_PCI_DEVICE_CUSTOM_PROPERTIES, MaxLinkWidth),
        NDIS_SIZEOF_PCI_DEVICE_CUSTOM_PROPERTIES_REVISION_2 =
            size_through!(NDIS_PCI_DEVICE_CUSTOM_PROPERTIES, MaxInterruptMessages),
    }
}
