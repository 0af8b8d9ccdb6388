//! Media, packet filters and MAC options: the plain numbers that adapters describe themselves with.

use crate::declare::constants;
use crate::nt::*;

/// What frames look like to protocols.
pub type NDIS_MEDIUM = i32;
/// What the medium really is.
pub type NDIS_PHYSICAL_MEDIUM = i32;
/// For OID_GEN_HARDWARE_STATUS.
pub type NDIS_HARDWARE_STATUS = i32;
/// For OID_GEN_MEDIA_CONNECT_STATUS.
pub type NDIS_MEDIA_STATE = i32;
/// IEEE 802.3 pause frames.
pub type NDIS_SUPPORTED_PAUSE_FUNCTIONS = i32;
/// The bus an adapter sits on.
pub type NDIS_INTERFACE_TYPE = i32;
/// EtherType of frames that a protocol wants (`NDIS_OPEN_PARAMETERS`).
pub type NET_FRAME_TYPE = USHORT;

constants! {
    NDIS_MEDIUM {
        NdisMedium802_3 = 0,
        NdisMedium802_5 = 1,
        NdisMediumFddi = 2,
        NdisMediumWan = 3,
        NdisMediumLocalTalk = 4,
        NdisMediumDix = 5,
        NdisMediumArcnetRaw = 6,
        NdisMediumArcnet878_2 = 7,
        NdisMediumAtm = 8,
        NdisMediumWirelessWan = 9,
        NdisMediumIrda = 10,
        NdisMediumBpc = 11,
        NdisMediumCoWan = 12,
        NdisMedium1394 = 13,
        NdisMediumInfiniBand = 14,
        NdisMediumTunnel = 15,
        NdisMediumNative802_11 = 16,
        NdisMediumLoopback = 17,
        NdisMediumWiMAX = 18,
        NdisMediumIP = 19,
        NdisMediumMax = 20,
    }
    NDIS_PHYSICAL_MEDIUM {
        NdisPhysicalMediumUnspecified = 0,
        NdisPhysicalMediumWirelessLan = 1,
        NdisPhysicalMediumCableModem = 2,
        NdisPhysicalMediumPhoneLine = 3,
        NdisPhysicalMediumPowerLine = 4,
        NdisPhysicalMediumDSL = 5,
        NdisPhysicalMediumFibreChannel = 6,
        NdisPhysicalMedium1394 = 7,
        NdisPhysicalMediumWirelessWan = 8,
        NdisPhysicalMediumNative802_11 = 9,
        NdisPhysicalMediumBluetooth = 10,
        NdisPhysicalMediumInfiniband = 11,
        NdisPhysicalMediumWiMax = 12,
        NdisPhysicalMediumUWB = 13,
        NdisPhysicalMedium802_3 = 14,
        NdisPhysicalMedium802_5 = 15,
        NdisPhysicalMediumIrda = 16,
        NdisPhysicalMediumWiredWAN = 17,
        NdisPhysicalMediumWiredCoWan = 18,
        NdisPhysicalMediumOther = 19,
        NdisPhysicalMediumNative802_15_4 = 20,
        NdisPhysicalMediumMax = 21,
    }
    NDIS_HARDWARE_STATUS {
        NdisHardwareStatusReady = 0,
        NdisHardwareStatusInitializing = 1,
        NdisHardwareStatusReset = 2,
        NdisHardwareStatusClosing = 3,
        NdisHardwareStatusNotReady = 4,
    }
    NDIS_MEDIA_STATE {
        NdisMediaStateConnected = 0,
        NdisMediaStateDisconnected = 1,
    }
    NDIS_SUPPORTED_PAUSE_FUNCTIONS {
        NdisPauseFunctionsUnsupported = 0,
        NdisPauseFunctionsSendOnly = 1,
        NdisPauseFunctionsReceiveOnly = 2,
        NdisPauseFunctionsSendAndReceive = 3,
        NdisPauseFunctionsUnknown = 4,
    }
    NDIS_INTERFACE_TYPE {
        NdisInterfaceInternal = 0,
        NdisInterfaceIsa = 1,
        NdisInterfaceEisa = 2,
        NdisInterfaceMca = 3,
        NdisInterfaceTurboChannel = 4,
        NdisInterfacePci = 5,
        NdisInterfacePcMcia = 8,
        NdisInterfaceCBus = 9,
        NdisInterfaceMPIBus = 10,
        NdisInterfaceMPSABus = 11,
        NdisInterfaceProcessorInternal = 12,
        NdisInterfaceInternalPowerBus = 13,
        NdisInterfacePNPISABus = 14,
        NdisInterfacePNPBus = 15,
        NdisInterfaceUSB = 16,
        NdisInterfaceIrda = 17,
        NdisInterface1394 = 18,
        NdisMaximumInterfaceType = 19,
    }
    ULONG {
        NDIS_PACKET_TYPE_802_11_ALL_MULTICAST_DATA = 0x4,
        NDIS_PACKET_TYPE_802_11_ALL_MULTICAST_MGMT = 0x0010_0000,
        NDIS_PACKET_TYPE_802_11_BROADCAST_CTRL = 0x0100_0000,
        NDIS_PACKET_TYPE_802_11_BROADCAST_DATA = 0x8,
        NDIS_PACKET_TYPE_802_11_BROADCAST_MGMT = 0x0004_0000,
        NDIS_PACKET_TYPE_802_11_DIRECTED_CTRL = 0x0080_0000,
        NDIS_PACKET_TYPE_802_11_DIRECTED_DATA = 0x1,
        NDIS_PACKET_TYPE_802_11_DIRECTED_MGMT = 0x0002_0000,
        NDIS_PACKET_TYPE_802_11_MULTICAST_DATA = 0x2,
        NDIS_PACKET_TYPE_802_11_MULTICAST_MGMT = 0x0008_0000,
        NDIS_PACKET_TYPE_802_11_PROMISCUOUS_CTRL = 0x0200_0000,
        NDIS_PACKET_TYPE_802_11_PROMISCUOUS_DATA = 0x20,
        NDIS_PACKET_TYPE_802_11_PROMISCUOUS_MGMT = 0x0020_0000,
        NDIS_PACKET_TYPE_802_11_RAW_DATA = 0x0001_0000,
        NDIS_PACKET_TYPE_802_11_RAW_MGMT = 0x0040_0000,
        NDIS_PACKET_TYPE_ALL_802_11_FILTERS = 0x03ff_002f,
        NDIS_PACKET_TYPE_ALL_FUNCTIONAL = 0x2000,
        NDIS_PACKET_TYPE_ALL_LOCAL = 0x80,
        NDIS_PACKET_TYPE_ALL_MULTICAST = 0x4,
        NDIS_PACKET_TYPE_BROADCAST = 0x8,
        NDIS_PACKET_TYPE_DIRECTED = 0x1,
        NDIS_PACKET_TYPE_FUNCTIONAL = 0x4000,
        NDIS_PACKET_TYPE_GROUP = 0x1000,
        NDIS_PACKET_TYPE_MAC_FRAME = 0x8000,
        NDIS_PACKET_TYPE_MEDIA_SPECIFIC_MASK = 0x0fff_0000,
        NDIS_PACKET_TYPE_MULTICAST = 0x2,
        NDIS_PACKET_TYPE_NO_LOCAL = 0x0001_0000,
        NDIS_PACKET_TYPE_PROMISCUOUS = 0x20,
        NDIS_PACKET_TYPE_SMT = 0x40,
        NDIS_PACKET_TYPE_SOURCE_ROUTING = 0x10,
        NDIS_MAC_OPTION_8021P_PRIORITY = 0x40,
        NDIS_MAC_OPTION_8021Q_VLAN = 0x200,
        NDIS_MAC_OPTION_COPY_LOOKAHEAD_DATA = 0x1,
        NDIS_MAC_OPTION_EOTX_INDICATION = 0x20,
        NDIS_MAC_OPTION_FULL_DUPLEX = 0x10,
        NDIS_MAC_OPTION_NO_LOOPBACK = 0x8,
        NDIS_MAC_OPTION_RECEIVE_AT_DPC = 0x100,
        NDIS_MAC_OPTION_RECEIVE_SERIALIZED = 0x2,
        NDIS_MAC_OPTION_RESERVED = 0x8000_0000,
        NDIS_MAC_OPTION_SUPPORTS_MAC_ADDRESS_OVERWRITE = 0x80,
        NDIS_MAC_OPTION_TRANSFERS_NOT_PEND = 0x4,
        NDIS_LINK_STATE_DUPLEX_AUTO_NEGOTIATED = 0x4,
        NDIS_LINK_STATE_PAUSE_FUNCTIONS_AUTO_NEGOTIATED = 0x8,
        NDIS_LINK_STATE_RCV_LINK_SPEED_AUTO_NEGOTIATED = 0x2,
        NDIS_LINK_STATE_XMIT_LINK_SPEED_AUTO_NEGOTIATED = 0x1,
    }
    UCHAR {
        NDIS_PROTOCOL_ID_DEFAULT = 0x0,
        NDIS_PROTOCOL_ID_IP6 = 0x3,
        NDIS_PROTOCOL_ID_IPX = 0x6,
        NDIS_PROTOCOL_ID_MASK = 0xf,
        NDIS_PROTOCOL_ID_MAX = 0xf,
        NDIS_PROTOCOL_ID_NBF = 0x7,
        NDIS_PROTOCOL_ID_TCP_IP = 0x2,
    }
}
