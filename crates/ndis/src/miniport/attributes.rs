//! `MiniportInitializeEx` and the attributes that it must set.

use core::{cell::Cell, ffi::c_void, marker::PhantomData, ptr};

use ndis_sys as sys;

use super::{Miniport, MiniportHandle};
use crate::{
    configuration::Configuration,
    im::DeviceContext,
    link::LinkState,
    mem::Shared,
    offload::TaskOffload,
    receive_scaling::ReceiveScaling,
    status::{Result, Status},
    wake_up::WakeUp,
};

/// What an adapter is told while it is initialised, and what it may do then.
pub struct Initializer<'callback, M> {
    handle: MiniportHandle,
    instance: *mut c_void,
    registered: Cell<*mut c_void>,
    miniport: PhantomData<(&'callback (), M)>,
}

/// The general attributes of an Ethernet adapter. What is not here has one value for every virtual
/// miniport of an intermediate driver.
pub struct GeneralAttributes<'a> {
    /// The largest payload of a frame, in bytes.
    pub mtu: u32,
    /// The highest transmit speed, in bits per second.
    pub maximum_transmit_speed: u64,
    /// The highest receive speed, in bits per second.
    pub maximum_receive_speed: u64,
    /// The link as it is now.
    pub link: LinkState,
    /// How many bytes of a frame are indicated at least.
    pub lookahead: u32,
    /// `NDIS_MAC_OPTION_*`.
    pub mac_options: u32,
    /// `NDIS_PACKET_TYPE_*` that can be set.
    pub packet_filters: u32,
    /// How many multicast addresses can be set.
    pub maximum_multicast_list: u32,
    /// The address that the adapter was made with.
    pub permanent_address: [u8; 6],
    /// The address that it uses.
    pub current_address: [u8; 6],
    /// `NET_IF_ACCESS_TYPE`.
    pub access: u32,
    /// `NET_IF_DIRECTION_TYPE`.
    pub direction: u32,
    /// `NET_IF_CONNECTION_TYPE`.
    pub connection: u32,
    /// How many bytes in front of a sent frame save the driver an allocation.
    pub data_backfill: u32,
    /// How many bytes of NBL context space save the driver an allocation.
    pub context_backfill: u32,
    /// Receive side scaling, if it has some.
    pub receive_scaling: Option<ReceiveScaling>,
    /// What it can wake the computer for.
    pub wake_up: WakeUp,
    /// The OIDs that the adapter answers.
    pub oids: &'a [u32],
}

impl<'callback, M: Miniport> Initializer<'callback, M> {
    /// # Safety
    /// The handle and the parameters are those of the `MiniportInitializeEx` that is running.
    pub(super) unsafe fn new(
        handle: sys::NDIS_HANDLE,
        parameters: &'callback sys::NDIS_MINIPORT_INIT_PARAMETERS,
    ) -> Self {
        Self {
            handle: MiniportHandle::from_raw(handle),
            instance: parameters.IMDeviceInstanceContext,
            registered: Cell::new(ptr::null_mut()),
            miniport: PhantomData,
        }
    }

    /// The adapter's handle.
    #[must_use]
    pub const fn handle(&self) -> MiniportHandle {
        self.handle
    }

    /// With what the virtual miniport was [asked for](crate::im::initialize_instance). NDIS may start one
    /// long after it was asked for, so a driver looks for it among those that it still has.
    #[must_use]
    pub fn context(&self) -> DeviceContext {
        DeviceContext::from_raw(self.instance)
    }

    /// Whether the driver has registered this adapter.
    pub(super) fn has_registered(&self, adapter: &Shared<M>) -> bool {
        self.registered.get() == adapter.as_raw()
    }

    /// The adapter's configuration in the registry.
    ///
    /// # Errors
    /// What `NdisOpenConfigurationEx` says.
    pub fn configuration(&self) -> Result<Configuration<'_>> {
        // SAFETY: the handle is valid while the adapter is initialised, and this value lives no
        // longer.
        unsafe { Configuration::open(self.handle.raw()) }
    }

    /// Sets the registration attributes: from here on NDIS knows the adapter by `adapter`, which
    /// initialisation must return.
    ///
    /// # Errors
    /// What `NdisMSetMiniportAttributes` says.
    pub fn register(&self, adapter: &Shared<M>) -> Result {
        let mut attributes = sys::NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES {
            Header: sys::NDIS_OBJECT_HEADER {
                Type: sys::NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES,
                Revision: sys::NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_2,
                Size: sys::NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_2,
            },
            MiniportAdapterContext: adapter.as_raw(),
            // An intermediate driver's adapter must not be halted when the system sleeps, and has no hardware
            // whose removal would want a warning.
            AttributeFlags: sys::NDIS_MINIPORT_ATTRIBUTES_NO_HALT_ON_SUSPEND
                | sys::NDIS_MINIPORT_ATTRIBUTES_SURPRISE_REMOVE_OK,
            CheckForHangTimeInSeconds: 0,
            InterfaceType: 0,
        };
        self.set((&raw mut attributes).cast())?;
        self.registered.set(adapter.as_raw());
        Ok(())
    }

    /// Sets the general attributes, after the registration attributes.
    ///
    /// # Errors
    /// What `NdisMSetMiniportAttributes` says.
    pub fn set_general(&self, general: &GeneralAttributes<'_>) -> Result {
        let mut power = general.wake_up.to_raw();
        let mut scaling = general.receive_scaling.map(ReceiveScaling::to_raw);
        let mut attributes = sys::NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES {
            Header: sys::NDIS_OBJECT_HEADER {
                Type: sys::NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES,
                Revision: sys::NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2,
                Size: sys::NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2,
            },
            MediaType: sys::NdisMedium802_3,
            PhysicalMediumType: sys::NdisPhysicalMedium802_3,
            MtuSize: general.mtu,
            MaxXmitLinkSpeed: general.maximum_transmit_speed,
            XmitLinkSpeed: general.link.transmit_speed,
            MaxRcvLinkSpeed: general.maximum_receive_speed,
            RcvLinkSpeed: general.link.receive_speed,
            MediaConnectState: general.link.connect as _,
            MediaDuplexState: general.link.duplex as _,
            LookaheadSize: general.lookahead,
            MacOptions: general.mac_options,
            SupportedPacketFilters: general.packet_filters,
            MaxMulticastListSize: general.maximum_multicast_list,
            MacAddressLength: 6,
            AccessType: general.access as _,
            DirectionType: general.direction as _,
            ConnectionType: general.connection as _,
            IfType: sys::IF_TYPE_ETHERNET_CSMACD,
            IfConnectorPresent: 0,
            SupportedStatistics: ALL_STATISTICS,
            SupportedPauseFunctions: general.link.pause_functions as _,
            DataBackFillSize: general.data_backfill,
            ContextBackFillSize: general.context_backfill,
            RecvScaleCapabilities: scaling.as_mut().map_or(ptr::null_mut(), ptr::from_mut),
            SupportedOidList: general.oids.as_ptr().cast_mut(),
            SupportedOidListLength: size_of_val(general.oids) as u32,
            AutoNegotiationFlags: general.link.auto_negotiation,
            PowerManagementCapabilitiesEx: &raw mut power,
            ..sys::NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES::zeroed()
        };
        attributes.PermanentMacAddress[..6].copy_from_slice(&general.permanent_address);
        attributes.CurrentMacAddress[..6].copy_from_slice(&general.current_address);
        self.set((&raw mut attributes).cast())
    }

    /// Sets the offload attributes: what is switched on, and what there is.
    ///
    /// # Errors
    /// What `NdisMSetMiniportAttributes` says.
    pub fn set_offload(&self, current: TaskOffload, hardware: TaskOffload) -> Result {
        let mut current = current.to_raw();
        let mut hardware = hardware.to_raw();
        let mut attributes = sys::NDIS_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES {
            Header: sys::NDIS_OBJECT_HEADER {
                Type: sys::NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES,
                Revision: sys::NDIS_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES_REVISION_1,
                Size: sys::NDIS_SIZEOF_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES_REVISION_1,
            },
            DefaultOffloadConfiguration: &raw mut current,
            HardwareOffloadCapabilities: &raw mut hardware,
            ..sys::NDIS_MINIPORT_ADAPTER_OFFLOAD_ATTRIBUTES::zeroed()
        };
        self.set((&raw mut attributes).cast())
    }

    fn set(&self, attributes: *mut sys::NDIS_MINIPORT_ADAPTER_ATTRIBUTES) -> Result {
        // SAFETY: `MiniportInitializeEx` is running, and the attributes are one of the structures
        // that the union holds, with the header that says which (NdisMSetMiniportAttributes).
        Status::from_raw(unsafe { sys::NdisMSetMiniportAttributes(self.handle.raw(), attributes) })
            .ok()
    }
}

/// `NDIS_MAC_OPTION_*`: what an adapter does with frames.
pub mod mac_option {
    use ndis_sys as sys;

    /// Look-ahead data may be copied by any means.
    pub const COPY_LOOKAHEAD_DATA: u32 = sys::NDIS_MAC_OPTION_COPY_LOOKAHEAD_DATA;
    /// Transfers are never left pending.
    pub const TRANSFERS_NOT_PEND: u32 = sys::NDIS_MAC_OPTION_TRANSFERS_NOT_PEND;
    /// Sent frames are not looped back.
    pub const NO_LOOPBACK: u32 = sys::NDIS_MAC_OPTION_NO_LOOPBACK;
    /// 802.1Q priorities are understood.
    pub const PRIORITY: u32 = sys::NDIS_MAC_OPTION_8021P_PRIORITY;
    /// 802.1Q VLAN identifiers are understood.
    pub const VLAN: u32 = sys::NDIS_MAC_OPTION_8021Q_VLAN;
}

/// Every kind of frame and byte, both ways, and errors and discards.
const ALL_STATISTICS: u32 = sys::NDIS_STATISTICS_DIRECTED_FRAMES_RCV_SUPPORTED
    | sys::NDIS_STATISTICS_MULTICAST_FRAMES_RCV_SUPPORTED
    | sys::NDIS_STATISTICS_BROADCAST_FRAMES_RCV_SUPPORTED
    | sys::NDIS_STATISTICS_BYTES_RCV_SUPPORTED
    | sys::NDIS_STATISTICS_RCV_DISCARDS_SUPPORTED
    | sys::NDIS_STATISTICS_RCV_ERROR_SUPPORTED
    | sys::NDIS_STATISTICS_DIRECTED_FRAMES_XMIT_SUPPORTED
    | sys::NDIS_STATISTICS_MULTICAST_FRAMES_XMIT_SUPPORTED
    | sys::NDIS_STATISTICS_BROADCAST_FRAMES_XMIT_SUPPORTED
    | sys::NDIS_STATISTICS_BYTES_XMIT_SUPPORTED
    | sys::NDIS_STATISTICS_XMIT_ERROR_SUPPORTED
    | sys::NDIS_STATISTICS_XMIT_DISCARDS_SUPPORTED
    | sys::NDIS_STATISTICS_DIRECTED_BYTES_RCV_SUPPORTED
    | sys::NDIS_STATISTICS_MULTICAST_BYTES_RCV_SUPPORTED
    | sys::NDIS_STATISTICS_BROADCAST_BYTES_RCV_SUPPORTED
    | sys::NDIS_STATISTICS_DIRECTED_BYTES_XMIT_SUPPORTED
    | sys::NDIS_STATISTICS_MULTICAST_BYTES_XMIT_SUPPORTED
    | sys::NDIS_STATISTICS_BROADCAST_BYTES_XMIT_SUPPORTED
    | sys::NDIS_STATISTICS_XMIT_OK_SUPPORTED
    | sys::NDIS_STATISTICS_RCV_OK_SUPPORTED
    | sys::NDIS_STATISTICS_RCV_NO_BUFFER_SUPPORTED
    | sys::NDIS_STATISTICS_GEN_STATISTICS_SUPPORTED;
