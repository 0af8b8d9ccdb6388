//! Capabilities that adapters have for virtual machines and storage: receive filters, NIC switches,
//! SR-IOV, data center bridging, remote DMA. Drivers above carry pointers to these around.

use crate::declare::{constants, opaque, size_through, structures};
use crate::interface::IF_COUNTED_STRING_LH;
use crate::nt::*;
use crate::object::NDIS_OBJECT_HEADER;

/// A switch in an adapter.
pub type NDIS_NIC_SWITCH_ID = ULONG;
/// A virtual port of a switch.
pub type NDIS_NIC_SWITCH_VPORT_ID = ULONG;
/// What kind of switch it is.
pub type NDIS_NIC_SWITCH_TYPE = i32;
/// What a receive filter is for.
pub type NDIS_RECEIVE_FILTER_TYPE = i32;
/// The header that a filter's test looks at.
pub type NDIS_FRAME_HEADER = i32;
/// How a filter's test compares.
pub type NDIS_RECEIVE_FILTER_TEST = i32;
/// The field of an Ethernet header that a filter's test looks at.
pub type NDIS_MAC_HEADER_FIELD = i32;
/// What a filter's test compares with: a number of 1, 2, 4 or 8 bytes, or up to 16 bytes.
pub type NDIS_RECEIVE_FILTER_VALUE = [ULONG64; 2];
/// A receive queue.
pub type NDIS_RECEIVE_QUEUE_ID = ULONG;
/// A receive filter.
pub type NDIS_RECEIVE_FILTER_ID = ULONG;
/// The name of a switch.
pub type NDIS_NIC_SWITCH_FRIENDLYNAME = IF_COUNTED_STRING_LH;

opaque! {
    /// What an adapter's generic flow table can do.
    NDIS_GFT_OFFLOAD_CAPABILITIES,
    /// A remote DMA adapter's limits.
    NDK_ADAPTER_INFO,
}

structures! {
    /// Receive filters and queues.
    pub struct NDIS_RECEIVE_FILTER_CAPABILITIES {
        pub Header: NDIS_OBJECT_HEADER,
        pub Flags: ULONG,
        pub EnabledFilterTypes: ULONG,
        pub EnabledQueueTypes: ULONG,
        pub NumQueues: ULONG,
        pub SupportedQueueProperties: ULONG,
        pub SupportedFilterTests: ULONG,
        pub SupportedHeaders: ULONG,
        pub SupportedMacHeaderFields: ULONG,
        pub MaxMacHeaderFilters: ULONG,
        pub MaxQueueGroups: ULONG,
        pub MaxQueuesPerQueueGroup: ULONG,
        pub MinLookaheadSplitSize: ULONG,
        pub MaxLookaheadSplitSize: ULONG,
        pub SupportedARPHeaderFields: ULONG,
        pub SupportedIPv4HeaderFields: ULONG,
        pub SupportedIPv6HeaderFields: ULONG,
        pub SupportedUdpHeaderFields: ULONG,
        pub MaxFieldTestsPerPacketCoalescingFilter: ULONG,
        pub MaxPacketCoalescingFilters: ULONG,
        pub NdisReserved: ULONG,
    }

    /// One receive filter.
    pub struct NDIS_RECEIVE_FILTER_PARAMETERS {
        pub Header: NDIS_OBJECT_HEADER,
        pub Flags: ULONG,
        pub FilterType: NDIS_RECEIVE_FILTER_TYPE,
        pub QueueId: NDIS_RECEIVE_QUEUE_ID,
        pub FilterId: NDIS_RECEIVE_FILTER_ID,
        pub FieldParametersArrayOffset: ULONG,
        pub FieldParametersArrayNumElements: ULONG,
        pub FieldParametersArrayElementSize: ULONG,
        pub RequestedFilterIdBitCount: ULONG,
        pub MaxCoalescingDelay: ULONG,
        pub VPortId: NDIS_NIC_SWITCH_VPORT_ID,
    }

    /// One test of a receive filter: a field of a header against a value.
    pub struct NDIS_RECEIVE_FILTER_FIELD_PARAMETERS {
        pub Header: NDIS_OBJECT_HEADER,
        pub Flags: ULONG,
        pub FrameHeader: NDIS_FRAME_HEADER,
        pub ReceiveFilterTest: NDIS_RECEIVE_FILTER_TEST,
        pub HeaderField: NDIS_MAC_HEADER_FIELD,
        pub FieldValue: NDIS_RECEIVE_FILTER_VALUE,
        pub ResultValue: NDIS_RECEIVE_FILTER_VALUE,
    }

    /// Which receive filter to clear.
    pub struct NDIS_RECEIVE_FILTER_CLEAR_PARAMETERS {
        pub Header: NDIS_OBJECT_HEADER,
        pub Flags: ULONG,
        pub QueueId: NDIS_RECEIVE_QUEUE_ID,
        pub FilterId: NDIS_RECEIVE_FILTER_ID,
    }

    /// An adapter's switch.
    pub struct NDIS_NIC_SWITCH_CAPABILITIES {
        pub Header: NDIS_OBJECT_HEADER,
        pub Flags: ULONG,
        pub NdisReserved1: ULONG,
        pub NumTotalMacAddresses: ULONG,
        pub NumMacAddressesPerPort: ULONG,
        pub NumVlansPerPort: ULONG,
        pub NdisReserved2: ULONG,
        pub NdisReserved3: ULONG,
        pub NicSwitchCapabilities: ULONG,
        pub MaxNumSwitches: ULONG,
        pub MaxNumVPorts: ULONG,
        pub NdisReserved4: ULONG,
        pub MaxNumVFs: ULONG,
        pub MaxNumQueuePairs: ULONG,
        pub NdisReserved5: ULONG,
        pub NdisReserved6: ULONG,
        pub NdisReserved7: ULONG,
        pub MaxNumQueuePairsPerNonDefaultVPort: ULONG,
        pub NdisReserved8: ULONG,
        pub NdisReserved9: ULONG,
        pub NdisReserved10: ULONG,
        pub NdisReserved11: ULONG,
        pub NdisReserved12: ULONG,
        pub MaxNumMacAddresses: ULONG,
        pub NdisReserved13: ULONG,
        pub NdisReserved14: ULONG,
        pub NdisReserved15: ULONG,
        pub NdisReserved16: ULONG,
        pub NdisReserved17: ULONG,
        pub MaxNumRssCapableNonDefaultPFVPorts: ULONG,
        pub NumberOfIndirectionTableEntriesForDefaultVPort: ULONG,
        pub NumberOfIndirectionTableEntriesPerNonDefaultPFVPort: ULONG,
        pub MaxNumQueuePairsForDefaultVPort: ULONG,
    }

    /// One switch of an adapter.
    pub struct NDIS_NIC_SWITCH_INFO {
        pub Header: NDIS_OBJECT_HEADER,
        pub Flags: ULONG,
        pub SwitchType: NDIS_NIC_SWITCH_TYPE,
        pub SwitchId: NDIS_NIC_SWITCH_ID,
        pub SwitchFriendlyName: IF_COUNTED_STRING_LH,
        pub NumVFs: ULONG,
        pub NumAllocatedVFs: ULONG,
        pub NumVPorts: ULONG,
        pub NumActiveVPorts: ULONG,
        pub NumQueuePairsForDefaultVPort: ULONG,
        pub NumQueuePairsForNonDefaultVPorts: ULONG,
        pub NumActiveDefaultVPortMacAddresses: ULONG,
        pub NumActiveNonDefaultVPortMacAddresses: ULONG,
        pub NumActiveDefaultVPortVlanIds: ULONG,
        pub NumActiveNonDefaultVPortVlanIds: ULONG,
    }

    /// The switches of an adapter.
    pub struct NDIS_NIC_SWITCH_INFO_ARRAY {
        pub Header: NDIS_OBJECT_HEADER,
        pub FirstElementOffset: ULONG,
        pub NumElements: ULONG,
        pub ElementSize: ULONG,
    }

    /// Single root I/O virtualization.
    pub struct NDIS_SRIOV_CAPABILITIES {
        pub Header: NDIS_OBJECT_HEADER,
        pub Flags: ULONG,
        pub SriovCapabilities: ULONG,
    }

    /// Data center bridging.
    pub struct NDIS_QOS_CAPABILITIES {
        pub Header: NDIS_OBJECT_HEADER,
        pub Flags: ULONG,
        pub MaxNumTrafficClasses: ULONG,
        pub MaxNumEtsCapableTrafficClasses: ULONG,
        pub MaxNumPfcEnabledTrafficClasses: ULONG,
    }

    /// Remote DMA.
    pub struct NDIS_NDK_CAPABILITIES {
        pub Header: NDIS_OBJECT_HEADER,
        pub Flags: ULONG,
        pub MaxQpCount: ULONG,
        pub MaxCqCount: ULONG,
        pub MaxMrCount: ULONG,
        pub MaxPdCount: ULONG,
        pub MaxInboundReadLimit: ULONG,
        pub MaxOutboundReadLimit: ULONG,
        pub MaxMwCount: ULONG,
        pub MaxSrqCount: ULONG,
        pub MissingCounterMask: ULONG64,
        pub NdkInfo: *mut NDK_ADAPTER_INFO,
    }
}

constants! {
    ULONG {
        NDIS_DEFAULT_RECEIVE_FILTER_ID = 0x0,
        NDIS_DEFAULT_RECEIVE_QUEUE_GROUP_ID = 0x0,
        NDIS_DEFAULT_RECEIVE_QUEUE_ID = 0x0,
        NDIS_DEFAULT_SWITCH_ID = 0x0,
        NDIS_DEFAULT_VPORT_ID = 0x0,
        NDIS_INVALID_RID = 0xffff_ffff,
        NDIS_INVALID_SWITCH_ID = 0xffff_ffff,
        NDIS_INVALID_VF_FUNCTION_ID = 0xffff,
        NDIS_INVALID_VPORT_ID = 0xffff_ffff,
    }
    ULONG {
        NDIS_RECEIVE_FILTER_VMQ_FILTERS_ENABLED = 0x1,
        NDIS_RECEIVE_FILTER_MSI_X_SUPPORTED = 0x1,
        NDIS_RECEIVE_FILTER_VM_QUEUE_SUPPORTED = 0x2,
        NDIS_RECEIVE_FILTER_TEST_HEADER_FIELD_EQUAL_SUPPORTED = 0x1,
        NDIS_RECEIVE_FILTER_MAC_HEADER_SUPPORTED = 0x1,
        NDIS_RECEIVE_FILTER_MAC_HEADER_DEST_ADDR_SUPPORTED = 0x1,
        NDIS_RECEIVE_FILTER_MAC_HEADER_VLAN_ID_SUPPORTED = 0x8,
        NDIS_RECEIVE_FILTER_FIELD_MAC_HEADER_VLAN_UNTAGGED_OR_ZERO = 0x1,
    }
    NDIS_RECEIVE_FILTER_TYPE {
        NdisReceiveFilterTypeVMQueue = 1,
    }
    NDIS_FRAME_HEADER {
        NdisFrameHeaderMac = 1,
    }
    NDIS_RECEIVE_FILTER_TEST {
        NdisReceiveFilterTestEqual = 1,
    }
    NDIS_MAC_HEADER_FIELD {
        NdisMacHeaderFieldDestinationAddress = 1,
        NdisMacHeaderFieldVlanId = 4,
    }
    UCHAR {
        NDIS_RECEIVE_FILTER_FIELD_PARAMETERS_REVISION_1 = 1,
        NDIS_RECEIVE_FILTER_CLEAR_PARAMETERS_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_RECEIVE_FILTER_FIELD_PARAMETERS_REVISION_1 =
            size_through!(NDIS_RECEIVE_FILTER_FIELD_PARAMETERS, ResultValue),
        NDIS_SIZEOF_RECEIVE_FILTER_CLEAR_PARAMETERS_REVISION_1 =
            size_through!(NDIS_RECEIVE_FILTER_CLEAR_PARAMETERS, FilterId),
    }
    UCHAR {
        NDIS_RECEIVE_FILTER_CAPABILITIES_REVISION_1 = 1,
        NDIS_RECEIVE_FILTER_CAPABILITIES_REVISION_2 = 2,
    }
    USHORT {
        NDIS_SIZEOF_RECEIVE_FILTER_CAPABILITIES_REVISION_1 =
            size_through!(NDIS_RECEIVE_FILTER_CAPABILITIES, MaxLookaheadSplitSize),
        NDIS_SIZEOF_RECEIVE_FILTER_CAPABILITIES_REVISION_2 =
            size_through!(NDIS_RECEIVE_FILTER_CAPABILITIES, NdisReserved),
    }
    UCHAR {
        NDIS_RECEIVE_FILTER_PARAMETERS_REVISION_1 = 1,
        NDIS_RECEIVE_FILTER_PARAMETERS_REVISION_2 = 2,
    }
    USHORT {
        NDIS_SIZEOF_RECEIVE_FILTER_PARAMETERS_REVISION_1 =
            size_through!(NDIS_RECEIVE_FILTER_PARAMETERS, RequestedFilterIdBitCount),
        NDIS_SIZEOF_RECEIVE_FILTER_PARAMETERS_REVISION_2 =
            size_through!(NDIS_RECEIVE_FILTER_PARAMETERS, VPortId),
    }
    UCHAR {
        NDIS_NIC_SWITCH_CAPABILITIES_REVISION_1 = 1,
        NDIS_NIC_SWITCH_CAPABILITIES_REVISION_2 = 2,
        NDIS_NIC_SWITCH_CAPABILITIES_REVISION_3 = 3,
    }
    USHORT {
        NDIS_SIZEOF_NIC_SWITCH_CAPABILITIES_REVISION_1 =
            size_through!(NDIS_NIC_SWITCH_CAPABILITIES, NdisReserved3),
        NDIS_SIZEOF_NIC_SWITCH_CAPABILITIES_REVISION_2 =
            size_through!(NDIS_NIC_SWITCH_CAPABILITIES, NdisReserved17),
        NDIS_SIZEOF_NIC_SWITCH_CAPABILITIES_REVISION_3 =
            size_through!(NDIS_NIC_SWITCH_CAPABILITIES, MaxNumQueuePairsForDefaultVPort),
    }
    UCHAR {
        NDIS_NIC_SWITCH_INFO_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_NIC_SWITCH_INFO_REVISION_1 =
            size_through!(NDIS_NIC_SWITCH_INFO, NumActiveNonDefaultVPortVlanIds),
    }
    UCHAR {
        NDIS_NIC_SWITCH_INFO_ARRAY_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_NIC_SWITCH_INFO_ARRAY_REVISION_1 =
            size_through!(NDIS_NIC_SWITCH_INFO_ARRAY, ElementSize),
    }
    UCHAR {
        NDIS_SRIOV_CAPABILITIES_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_SRIOV_CAPABILITIES_REVISION_1 =
            size_through!(NDIS_SRIOV_CAPABILITIES, SriovCapabilities),
    }
    UCHAR {
        NDIS_QOS_CAPABILITIES_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_QOS_CAPABILITIES_REVISION_1 =
            size_through!(NDIS_QOS_CAPABILITIES, MaxNumPfcEnabledTrafficClasses),
    }
    UCHAR {
        NDIS_NDK_CAPABILITIES_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_NDK_CAPABILITIES_REVISION_1 = size_through!(NDIS_NDK_CAPABILITIES, NdkInfo),
    }
}
