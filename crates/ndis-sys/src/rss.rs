//! Receive side scaling and the processors it runs on
//! (`ns-ntddndis-_ndis_receive_scale_parameters.md`).

use crate::declare::{constants, size_through, structures};
use crate::nt::*;
use crate::object::NDIS_OBJECT_HEADER;

structures! {
    /// What an adapter's receive side scaling can do.
    pub struct NDIS_RECEIVE_SCALE_CAPABILITIES {
        pub Header: NDIS_OBJECT_HEADER,
        pub CapabilitiesFlags: NDIS_RSS_CAPS_FLAGS,
        pub NumberOfInterruptMessages: ULONG,
        pub NumberOfReceiveQueues: ULONG,
        pub NumberOfIndirectionTableEntries: USHORT,
    }

    /// Receive side scaling as it is to be (OID_GEN_RECEIVE_SCALE_PARAMETERS).
    pub struct NDIS_RECEIVE_SCALE_PARAMETERS {
        pub Header: NDIS_OBJECT_HEADER,
        pub Flags: USHORT,
        pub BaseCpuNumber: USHORT,
        pub HashInformation: ULONG,
        pub IndirectionTableSize: USHORT,
        pub IndirectionTableOffset: ULONG,
        pub HashSecretKeySize: USHORT,
        pub HashSecretKeyOffset: ULONG,
        pub ProcessorMasksOffset: ULONG,
        pub NumberOfProcessorMasks: ULONG,
        pub ProcessorMasksEntrySize: ULONG,
        pub DefaultProcessorNumber: PROCESSOR_NUMBER,
    }

    /// The same, version 2.
    pub struct NDIS_RECEIVE_SCALE_PARAMETERS_V2 {
        pub Header: NDIS_OBJECT_HEADER,
        pub Flags: ULONG,
        pub HashInformation: ULONG,
        pub HashSecretKeySize: ULONG,
        pub HashSecretKeyOffset: ULONG,
        pub NumberOfQueues: ULONG,
        pub NumberOfIndirectionTableEntries: ULONG,
    }

    /// Hashing without scaling (OID_GEN_RECEIVE_HASH).
    pub struct NDIS_RECEIVE_HASH_PARAMETERS {
        pub Header: NDIS_OBJECT_HEADER,
        pub Flags: ULONG,
        pub HashInformation: ULONG,
        pub HashSecretKeySize: USHORT,
        pub HashSecretKeyOffset: ULONG,
    }

    /// One processor for receive side scaling.
    pub struct NDIS_RSS_PROCESSOR {
        pub ProcNum: PROCESSOR_NUMBER,
        pub PreferenceIndex: USHORT,
        pub Reserved: USHORT,
    }

    /// Processors for receive side scaling.
    pub struct NDIS_RSS_PROCESSOR_INFO {
        pub Header: NDIS_OBJECT_HEADER,
        pub Flags: ULONG,
        pub RssBaseProcessor: PROCESSOR_NUMBER,
        pub MaxNumRssProcessors: ULONG,
        pub PreferredNumaNode: USHORT,
        pub RssProcessorArrayOffset: ULONG,
        pub RssProcessorCount: ULONG,
        pub RssProcessorEntrySize: ULONG,
        pub RssMaxProcessor: PROCESSOR_NUMBER,
        pub RssProfile: NDIS_RSS_PROFILE,
    }

    /// Processors of a system of one group.
    pub struct NDIS_SYSTEM_PROCESSOR_INFO {
        pub Header: NDIS_OBJECT_HEADER,
        pub Flags: ULONG,
        pub ProcessorVendor: NDIS_PROCESSOR_VENDOR,
        pub NumPhysicalPackages: ULONG,
        pub NumCores: ULONG,
        pub NumCoresPerPhysicalPackage: ULONG,
        pub MaxHyperThreadingCpusPerCore: ULONG,
        pub RssBaseCpu: ULONG,
        pub RssCpuCount: ULONG,
        pub RssProcessors: *mut UCHAR,
        pub CpuInfo: [NDIS_PROCESSOR_INFO; 64],
    }

    /// Processors of a system.
    pub struct NDIS_SYSTEM_PROCESSOR_INFO_EX {
        pub Header: NDIS_OBJECT_HEADER,
        pub Flags: ULONG,
        pub ProcessorVendor: NDIS_PROCESSOR_VENDOR,
        pub NumSockets: ULONG,
        pub NumCores: ULONG,
        pub NumCoresPerSocket: ULONG,
        pub MaxHyperThreadingProcsPerCore: ULONG,
        pub ProcessorInfoOffset: ULONG,
        pub NumberOfProcessors: ULONG,
        pub ProcessorInfoEntrySize: ULONG,
    }

    /// One processor of a system of one group (`ns-ndis-_ndis_processor_info.md`).
    pub struct NDIS_PROCESSOR_INFO {
        pub CpuNumber: ULONG,
        pub PhysicalPackageId: ULONG,
        pub CoreId: ULONG,
        pub HyperThreadId: ULONG,
    }
}

/// Flags of what receive side scaling can do.
pub type NDIS_RSS_CAPS_FLAGS = ULONG;
/// Which processors receive side scaling prefers.
pub type NDIS_RSS_PROFILE = i32;
/// Who made the processors.
pub type NDIS_PROCESSOR_VENDOR = i32;

constants! {
    ULONG {
        NDIS_RSS_CAPS_CLASSIFICATION_AT_DPC = 0x0400_0000,
        NDIS_RSS_CAPS_CLASSIFICATION_AT_ISR = 0x0200_0000,
        NDIS_RSS_CAPS_HASH_TYPE_TCP_IPV4 = 0x100,
        NDIS_RSS_CAPS_HASH_TYPE_TCP_IPV6 = 0x200,
        NDIS_RSS_CAPS_HASH_TYPE_TCP_IPV6_EX = 0x400,
        NDIS_RSS_CAPS_HASH_TYPE_UDP_IPV4 = 0x800,
        NDIS_RSS_CAPS_HASH_TYPE_UDP_IPV6 = 0x1000,
        NDIS_RSS_CAPS_HASH_TYPE_UDP_IPV6_EX = 0x2000,
        NDIS_RSS_CAPS_MESSAGE_SIGNALED_INTERRUPTS = 0x0100_0000,
        NDIS_RSS_CAPS_RSS_AVAILABLE_ON_PORTS = 0x1000_0000,
        NDIS_RSS_CAPS_SUPPORTS_INDEPENDENT_ENTRY_MOVE = 0x4000_0000,
        NDIS_RSS_CAPS_SUPPORTS_MSI_X = 0x2000_0000,
        NDIS_RSS_CAPS_USING_MSI_X = 0x0800_0000,
    }
    USHORT {
        NDIS_RSS_PARAM_FLAG_BASE_CPU_UNCHANGED = 0x1,
        NDIS_RSS_PARAM_FLAG_DEFAULT_PROCESSOR_UNCHANGED = 0x20,
        NDIS_RSS_PARAM_FLAG_DISABLE_RSS = 0x10,
        NDIS_RSS_PARAM_FLAG_HASH_INFO_UNCHANGED = 0x2,
        NDIS_RSS_PARAM_FLAG_HASH_KEY_UNCHANGED = 0x8,
        NDIS_RSS_PARAM_FLAG_ITABLE_UNCHANGED = 0x4,
    }
    ULONG {
        NDIS_RSS_SET_INDIRECTION_ENTRY_FLAG_DEFAULT_PROCESSOR = 0x2,
        NDIS_RSS_SET_INDIRECTION_ENTRY_FLAG_PRIMARY_PROCESSOR = 0x1,
        NDIS_HASH_FUNCTION_MASK = 0xff,
        NDIS_HASH_IPV4 = 0x100,
        NDIS_HASH_IPV6 = 0x400,
        NDIS_HASH_IPV6_EX = 0x800,
        NDIS_HASH_TCP_IPV4 = 0x200,
        NDIS_HASH_TCP_IPV6 = 0x1000,
        NDIS_HASH_TCP_IPV6_EX = 0x2000,
        NDIS_HASH_TYPE_MASK = 0x00ff_ff00,
        NDIS_HASH_UDP_IPV4 = 0x4000,
        NDIS_HASH_UDP_IPV6 = 0x8000,
        NDIS_HASH_UDP_IPV6_EX = 0x0001_0000,
    }
    USHORT {
        NDIS_RSS_HASH_SECRET_KEY_MAX_SIZE_REVISION_1 = 40,
        NDIS_RSS_HASH_SECRET_KEY_MAX_SIZE_REVISION_2 = 40,
        NDIS_RSS_HASH_SECRET_KEY_MAX_SIZE_REVISION_3 = 40,
        NDIS_RSS_HASH_SECRET_KEY_SIZE_REVISION_1 = 40,
        NDIS_RSS_INDIRECTION_TABLE_MAX_SIZE_REVISION_1 = 128,
        NDIS_RSS_INDIRECTION_TABLE_MAX_SIZE_REVISION_2 = 512,
        NDIS_RSS_INDIRECTION_TABLE_MAX_SIZE_REVISION_3 = 512,
        NDIS_RSS_INDIRECTION_TABLE_SIZE_REVISION_1 = 128,
    }
    UCHAR {
        NDIS_RECEIVE_SCALE_CAPABILITIES_REVISION_1 = 1,
        NDIS_RECEIVE_SCALE_CAPABILITIES_REVISION_2 = 2,
        NDIS_RECEIVE_SCALE_CAPABILITIES_REVISION_3 = 3,
    }
    USHORT {
        NDIS_SIZEOF_RECEIVE_SCALE_CAPABILITIES_REVISION_1 =
            size_through!(NDIS_RECEIVE_SCALE_CAPABILITIES, NumberOfReceiveQueues),
        NDIS_SIZEOF_RECEIVE_SCALE_CAPABILITIES_REVISION_2 =
            size_through!(NDIS_RECEIVE_SCALE_CAPABILITIES, NumberOfIndirectionTableEntries),
        NDIS_SIZEOF_RECEIVE_SCALE_CAPABILITIES_REVISION_3 =
            size_through!(NDIS_RECEIVE_SCALE_CAPABILITIES, NumberOfIndirectionTableEntries),
    }
    UCHAR {
        NDIS_RECEIVE_SCALE_PARAMETERS_REVISION_1 = 1,
        NDIS_RECEIVE_SCALE_PARAMETERS_REVISION_2 = 2,
        NDIS_RECEIVE_SCALE_PARAMETERS_REVISION_3 = 3,
    }
    USHORT {
        NDIS_SIZEOF_RECEIVE_SCALE_PARAMETERS_REVISION_1 =
            size_through!(NDIS_RECEIVE_SCALE_PARAMETERS, HashSecretKeyOffset),
        NDIS_SIZEOF_RECEIVE_SCALE_PARAMETERS_REVISION_2 =
            size_through!(NDIS_RECEIVE_SCALE_PARAMETERS, ProcessorMasksEntrySize),
        NDIS_SIZEOF_RECEIVE_SCALE_PARAMETERS_REVISION_3 =
            size_through!(NDIS_RECEIVE_SCALE_PARAMETERS, DefaultProcessorNumber),
    }
    UCHAR {
        NDIS_RECEIVE_SCALE_PARAMETERS_V2_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_RECEIVE_SCALE_PARAMETERS_V2_REVISION_1 =
            size_through!(NDIS_RECEIVE_SCALE_PARAMETERS_V2, NumberOfIndirectionTableEntries),
    }
    UCHAR {
        NDIS_RECEIVE_HASH_PARAMETERS_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_RECEIVE_HASH_PARAMETERS_REVISION_1 =
            size_through!(NDIS_RECEIVE_HASH_PARAMETERS, HashSecretKeyOffset),
        NDIS_SIZEOF_RSS_PROCESSOR_REVISION_1 = size_through!(NDIS_RSS_PROCESSOR, PreferenceIndex),
    }
    UCHAR {
        NDIS_RSS_PROCESSOR_INFO_REVISION_1 = 1,
        NDIS_RSS_PROCESSOR_INFO_REVISION_2 = 2,
    }
    USHORT {
        NDIS_SIZEOF_RSS_PROCESSOR_INFO_REVISION_1 =
            size_through!(NDIS_RSS_PROCESSOR_INFO, RssProcessorEntrySize),
        NDIS_SIZEOF_RSS_PROCESSOR_INFO_REVISION_2 =
            size_through!(NDIS_RSS_PROCESSOR_INFO, RssProfile),
    }
    UCHAR {
        NDIS_SYSTEM_PROCESSOR_INFO_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_SYSTEM_PROCESSOR_INFO_REVISION_1 =
            size_through!(NDIS_SYSTEM_PROCESSOR_INFO, CpuInfo),
    }
    UCHAR {
        NDIS_SYSTEM_PROCESSOR_INFO_EX_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_SYSTEM_PROCESSOR_INFO_EX_REVISION_1 =
            size_through!(NDIS_SYSTEM_PROCESSOR_INFO_EX, ProcessorInfoEntrySize),
    }
}

// Not in the public tables; its size follows from NDIS_SYSTEM_PROCESSOR_INFO.
const _: () = assert!(size_of::<NDIS_PROCESSOR_INFO>() == 16);
