//! What an adapter says of itself, and what is configured for it.

use core::ptr;

use driver_registry::{Configuration, Name};
use ndis::Status;
use ndis_sys as sys;

use crate::{
    adapter::Adapter,
    filter::{MULTICAST, TYPES},
    oid,
};

/// The cable and the address of an adapter that is being initialised.
pub(crate) fn configured(handle: sys::NDIS_HANDLE) -> (u32, [u8; 6]) {
    // SAFETY: the handle is that of the initialize that is running, at PASSIVE_LEVEL.
    let configuration = unsafe { Configuration::open(handle) };
    let cable = configuration.as_ref().and_then(|it| it.number(&CABLE));
    let address = configuration
        .as_ref()
        .and_then(Configuration::network_address);
    // One that is not configured is made from the handle, which no other adapter has.
    let made = || {
        let [a, b, c, d, e, ..] = handle.addr().to_le_bytes();
        [2, e, d, c, b, a]
    };
    (cable.unwrap_or(0), address.unwrap_or_else(made))
}

/// Sets the attributes of an adapter that is being initialised.
///
/// # Errors
/// What NDIS says.
pub(crate) fn set(adapter: &Adapter) -> ndis::Result {
    let mut registration = sys::NDIS_MINIPORT_ADAPTER_ATTRIBUTES {
        RegistrationAttributes: sys::NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES {
            Header: sys::NDIS_OBJECT_HEADER::new(
                sys::NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES,
                sys::NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1,
                sys::NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1,
            ),
            MiniportAdapterContext: ptr::from_ref(adapter).cast_mut().cast(),
            AttributeFlags: sys::NDIS_MINIPORT_ATTRIBUTES_NDIS_WDM
                | sys::NDIS_MINIPORT_ATTRIBUTES_SURPRISE_REMOVE_OK,
            CheckForHangTimeInSeconds: 0,
            InterfaceType: sys::NdisInterfaceInternal,
        },
    };
    // SAFETY: the handle is that of the initialize that is running.
    let status = unsafe { sys::NdisMSetMiniportAttributes(adapter.handle, &raw mut registration) };
    Status::from_raw(status).ok()?;

    // No power management at all.
    let mut power = sys::NDIS_PM_CAPABILITIES {
        Header: sys::NDIS_OBJECT_HEADER::new(
            sys::NDIS_OBJECT_TYPE_DEFAULT,
            sys::NDIS_PM_CAPABILITIES_REVISION_2,
            sys::NDIS_SIZEOF_NDIS_PM_CAPABILITIES_REVISION_2,
        ),
        ..sys::NDIS_PM_CAPABILITIES::zeroed()
    };
    let mut general = sys::NDIS_MINIPORT_ADAPTER_ATTRIBUTES {
        GeneralAttributes: sys::NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES {
            PowerManagementCapabilitiesEx: &raw mut power,
            ..general(adapter.address)
        },
    };
    // SAFETY: as above.
    let status = unsafe { sys::NdisMSetMiniportAttributes(adapter.handle, &raw mut general) };
    Status::from_raw(status).ok()
}

fn general(address: [u8; 6]) -> sys::NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES {
    let mut addresses = [0; sys::NDIS_MAX_PHYS_ADDRESS_LENGTH];
    addresses[..6].copy_from_slice(&address);
    sys::NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES {
        Header: sys::NDIS_OBJECT_HEADER::new(
            sys::NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES,
            sys::NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2,
            sys::NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2,
        ),
        MediaType: sys::NdisMedium802_3,
        PhysicalMediumType: sys::NdisPhysicalMediumUnspecified,
        MtuSize: MTU,
        MaxXmitLinkSpeed: SPEED,
        XmitLinkSpeed: SPEED,
        MaxRcvLinkSpeed: SPEED,
        RcvLinkSpeed: SPEED,
        MediaConnectState: sys::MediaConnectStateConnected,
        MediaDuplexState: sys::MediaDuplexStateFull,
        LookaheadSize: MTU,
        MacOptions: sys::NDIS_MAC_OPTION_COPY_LOOKAHEAD_DATA
            | sys::NDIS_MAC_OPTION_TRANSFERS_NOT_PEND
            | sys::NDIS_MAC_OPTION_NO_LOOPBACK,
        SupportedPacketFilters: TYPES,
        MaxMulticastListSize: MULTICAST as u32,
        MacAddressLength: 6,
        PermanentMacAddress: addresses,
        CurrentMacAddress: addresses,
        AccessType: sys::NET_IF_ACCESS_BROADCAST,
        DirectionType: sys::NET_IF_DIRECTION_SENDRECEIVE,
        ConnectionType: sys::NET_IF_CONNECTION_DEDICATED,
        IfType: sys::IF_TYPE_ETHERNET_CSMACD,
        IfConnectorPresent: 0,
        SupportedStatistics: STATISTICS,
        SupportedOidList: oid::SUPPORTED.as_ptr().cast_mut(),
        SupportedOidListLength: size_of_val(oid::SUPPORTED) as u32,
        ..sys::NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES::zeroed()
    }
}

/// The largest payload, in bytes.
const MTU: u32 = 1500;

/// The largest frame, in bytes: with an Ethernet header and a VLAN tag.
pub(crate) const LARGEST_FRAME: usize = MTU as usize + 18;

/// Bits per second.
const SPEED: u64 = 10_000_000_000;

/// Frames and bytes of each kind, both ways.
pub(crate) const STATISTICS: u32 = sys::NDIS_STATISTICS_FLAGS_VALID_DIRECTED_FRAMES_RCV
    | sys::NDIS_STATISTICS_FLAGS_VALID_MULTICAST_FRAMES_RCV
    | sys::NDIS_STATISTICS_FLAGS_VALID_BROADCAST_FRAMES_RCV
    | sys::NDIS_STATISTICS_FLAGS_VALID_BYTES_RCV
    | sys::NDIS_STATISTICS_FLAGS_VALID_RCV_DISCARDS
    | sys::NDIS_STATISTICS_FLAGS_VALID_RCV_ERROR
    | sys::NDIS_STATISTICS_FLAGS_VALID_DIRECTED_FRAMES_XMIT
    | sys::NDIS_STATISTICS_FLAGS_VALID_MULTICAST_FRAMES_XMIT
    | sys::NDIS_STATISTICS_FLAGS_VALID_BROADCAST_FRAMES_XMIT
    | sys::NDIS_STATISTICS_FLAGS_VALID_BYTES_XMIT
    | sys::NDIS_STATISTICS_FLAGS_VALID_XMIT_ERROR
    | sys::NDIS_STATISTICS_FLAGS_VALID_XMIT_DISCARDS
    | sys::NDIS_STATISTICS_FLAGS_VALID_DIRECTED_BYTES_RCV
    | sys::NDIS_STATISTICS_FLAGS_VALID_MULTICAST_BYTES_RCV
    | sys::NDIS_STATISTICS_FLAGS_VALID_BROADCAST_BYTES_RCV
    | sys::NDIS_STATISTICS_FLAGS_VALID_DIRECTED_BYTES_XMIT
    | sys::NDIS_STATISTICS_FLAGS_VALID_MULTICAST_BYTES_XMIT
    | sys::NDIS_STATISTICS_FLAGS_VALID_BROADCAST_BYTES_XMIT;

static CABLE: Name<5> = Name::new(b"Cable");
