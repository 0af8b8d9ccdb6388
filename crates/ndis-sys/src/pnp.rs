//! Network and device events: what NDIS tells protocols and miniports of changes around them
//! (`ns-ndis-_net_pnp_event_notification.md`, `ns-ndis-_net_device_pnp_event.md`).

use crate::declare::{constants, size_through, structures};
use crate::hardware::{NDIS_NIC_SWITCH_ID, NDIS_NIC_SWITCH_VPORT_ID};
use crate::interface::NET_LUID_LH;
use crate::nt::*;
use crate::object::NDIS_OBJECT_HEADER;
use crate::port::NDIS_PORT_NUMBER;

structures! {
    /// A network event with its port.
    pub struct NET_PNP_EVENT_NOTIFICATION {
        pub Header: NDIS_OBJECT_HEADER,
        pub PortNumber: NDIS_PORT_NUMBER,
        pub NetPnPEvent: NET_PNP_EVENT,
        pub Flags: ULONG,
        pub SwitchId: NDIS_NIC_SWITCH_ID,
        pub VPortId: NDIS_NIC_SWITCH_VPORT_ID,
    }

    /// A network event; `Buffer` by its code.
    pub struct NET_PNP_EVENT {
        pub NetEvent: NET_PNP_EVENT_CODE,
        pub Buffer: PVOID,
        pub BufferLength: ULONG,
        pub NdisReserved: [ULONG_PTR; 4],
        pub TransportReserved: [ULONG_PTR; 4],
        pub TdiReserved: [ULONG_PTR; 4],
        pub TdiClientReserved: [ULONG_PTR; 4],
    }

    /// In the buffer of `NetEventBindFailed` (`ns-ndis-_ndis_bind_failed_notification.md`).
    pub struct NDIS_BIND_FAILED_NOTIFICATION {
        pub Header: NDIS_OBJECT_HEADER,
        pub MiniportNetLuid: NET_LUID_LH,
    }

    /// A device event.
    pub struct NET_DEVICE_PNP_EVENT {
        pub Header: NDIS_OBJECT_HEADER,
        pub PortNumber: NDIS_PORT_NUMBER,
        pub DevicePnPEvent: NDIS_DEVICE_PNP_EVENT,
        pub InformationBuffer: PVOID,
        pub InformationBufferLength: ULONG,
        pub NdisReserved: [UCHAR; 16],
    }
}

/// What a network event is.
pub type NET_PNP_EVENT_CODE = i32;
/// What a device event is.
pub type NDIS_DEVICE_PNP_EVENT = i32;
/// In the buffer of `NdisDevicePnPEventPowerProfileChanged`.
pub type NDIS_POWER_PROFILE = i32;

constants! {
    UCHAR {
        NDIS_BIND_FAILED_NOTIFICATION_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_NDIS_BIND_FAILED_NOTIFICATION_REVISION_1 =
            size_through!(NDIS_BIND_FAILED_NOTIFICATION, MiniportNetLuid),
    }
    NET_PNP_EVENT_CODE {
        NetEventSetPower = 0,
        NetEventQueryPower = 1,
        NetEventQueryRemoveDevice = 2,
        NetEventCancelRemoveDevice = 3,
        NetEventReconfigure = 4,
        NetEventBindList = 5,
        NetEventBindsComplete = 6,
        NetEventPnPCapabilities = 7,
        NetEventPause = 8,
        NetEventRestart = 9,
        NetEventPortActivation = 10,
        NetEventPortDeactivation = 11,
        NetEventIMReEnableDevice = 12,
        NetEventNDKEnable = 13,
        NetEventNDKDisable = 14,
        NetEventFilterPreDetach = 15,
        NetEventBindFailed = 16,
        NetEventSwitchActivate = 17,
        NetEventAllowBindsAbove = 18,
        NetEventInhibitBindsAbove = 19,
        NetEventAllowStart = 20,
        NetEventRequirePause = 21,
        NetEventUploadGftFlowEntries = 22,
        NetEventMaximum = 23,
    }
    NDIS_DEVICE_PNP_EVENT {
        NdisDevicePnPEventQueryRemoved = 0,
        NdisDevicePnPEventRemoved = 1,
        NdisDevicePnPEventSurpriseRemoved = 2,
        NdisDevicePnPEventQueryStopped = 3,
        NdisDevicePnPEventStopped = 4,
        NdisDevicePnPEventPowerProfileChanged = 5,
        NdisDevicePnPEventFilterListChanged = 6,
        NdisDevicePnPEventMaximum = 7,
    }
    NDIS_POWER_PROFILE {
        NdisPowerProfileBattery = 0,
        NdisPowerProfileAcOnLine = 1,
    }
    UCHAR {
        NET_PNP_EVENT_NOTIFICATION_REVISION_1 = 1,
        NET_PNP_EVENT_NOTIFICATION_REVISION_2 = 2,
    }
    USHORT {
        NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_1 =
            size_through!(NET_PNP_EVENT_NOTIFICATION, Flags),
        NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_2 =
            size_through!(NET_PNP_EVENT_NOTIFICATION, VPortId),
    }
    UCHAR {
        NET_DEVICE_PNP_EVENT_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_NET_DEVICE_PNP_EVENT_REVISION_1 =
            size_through!(NET_DEVICE_PNP_EVENT, NdisReserved),
    }
}
