//! NET_BUFFER_LISTs: what every frame travels in (`ns-nbl-net_buffer_list.md`,
//! `ns-nbl-net_buffer.md`).
//!
//! The structures are flattened where C overlays anonymous unions: `Next` and `FirstNetBuffer`
//! instead of `NetBufferListHeader.NetBufferListData`. Only NDIS allocates NBLs, so a driver never
//! needs their size, which grew with the number of `NetBufferListInfo` slots: on a system that
//! knows fewer slots than `MaxNetBufferListInfo`, the last ones are not there. What the slots hold
//! is in `nbl_info`.

use crate::declare::{callbacks, constants, size_through, structures};
use crate::handle::NDIS_HANDLE;
use crate::nt::*;
use crate::object::NDIS_OBJECT_HEADER;
use crate::status::NDIS_STATUS;

callbacks! {
    /// Makes the MDL for bytes that a retreat needs (`nc-nblapi-net_buffer_allocate_mdl.md`).
    fn NET_BUFFER_ALLOCATE_MDL = NET_BUFFER_ALLOCATE_MDL_HANDLER [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        BufferSize: *mut ULONG,
    ) -> *mut MDL;

    /// Frees such an MDL (`nc-nblapi-net_buffer_free_mdl.md`).
    fn NET_BUFFER_FREE_MDL = NET_BUFFER_FREE_MDL_HANDLER [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        Mdl: *mut MDL,
    );
}

structures! {
    /// One or more frames that share their out-of-band information.
    #[repr(align(16))]
    pub struct NET_BUFFER_LIST {
        pub Next: *mut NET_BUFFER_LIST,
        pub FirstNetBuffer: *mut NET_BUFFER,
        pub Context: *mut NET_BUFFER_LIST_CONTEXT,
        pub ParentNetBufferList: *mut NET_BUFFER_LIST,
        pub NdisPoolHandle: NDIS_HANDLE,
        pub Padding: PVOID,
        pub NdisReserved: [PVOID; 2],
        pub ProtocolReserved: [PVOID; 4],
        pub MiniportReserved: [PVOID; 2],
        pub Scratch: PVOID,
        /// Whom NDIS gives the NBL back to.
        pub SourceHandle: NDIS_HANDLE,
        /// `NDIS_NBL_FLAGS_*`.
        pub NblFlags: ULONG,
        /// How many NBLs were derived from this one and are not freed yet.
        pub ChildRefCount: LONG,
        pub Flags: ULONG,
        /// How a send ended.
        pub Status: NDIS_STATUS,
        /// Indexed by [`NDIS_NET_BUFFER_LIST_INFO`].
        pub NetBufferListInfo: [PVOID; MaxNetBufferListInfo],
    }

    /// A frame: data in an MDL chain from `DataOffset` on.
    #[repr(align(16))]
    pub struct NET_BUFFER {
        pub Next: *mut NET_BUFFER,
        /// The MDL in which the data begins.
        pub CurrentMdl: *mut MDL,
        /// Bytes of `CurrentMdl` before the data.
        pub CurrentMdlOffset: ULONG,
        pub Padding: ULONG,
        /// Bytes of data.
        pub DataLength: ULONG,
        /// The upper half of `stDataLength` in C.
        pub DataLengthHigh: ULONG,
        pub MdlChain: *mut MDL,
        /// Bytes of the MDL chain before the data.
        pub DataOffset: ULONG,
        pub Padding2: ULONG,
        pub ChecksumBias: USHORT,
        pub Reserved: USHORT,
        pub NdisPoolHandle: NDIS_HANDLE,
        pub NdisReserved: [PVOID; 2],
        pub ProtocolReserved: [PVOID; 6],
        pub MiniportReserved: [PVOID; 4],
        pub DataPhysicalAddress: PHYSICAL_ADDRESS,
        pub Anonymous: NET_BUFFER_DMA,
    }

    /// The last word of a [`NET_BUFFER`], for drivers that give data to devices.
    pub union NET_BUFFER_DMA {
        pub SharedMemoryInfo: *mut NET_BUFFER_SHARED_MEMORY,
        pub ScatterGatherList: *mut SCATTER_GATHER_LIST,
    }

    /// The fields of an NBL that its header overlays (`ns-nbl-net_buffer_list_data.md`).
    pub struct NET_BUFFER_LIST_DATA {
        pub Next: *mut NET_BUFFER_LIST,
        pub FirstNetBuffer: *mut NET_BUFFER,
    }

    /// An NBL's header, in a list of either kind (`ns-nbl-net_buffer_list_header.md`).
    pub union NET_BUFFER_LIST_HEADER {
        pub NetBufferListData: NET_BUFFER_LIST_DATA,
        pub Link: SLIST_HEADER,
    }

    /// The fields of a NET_BUFFER that its header overlays (`ns-nbl-net_buffer_data.md`).
    pub struct NET_BUFFER_DATA {
        pub Next: *mut NET_BUFFER,
        pub CurrentMdl: *mut MDL,
        pub CurrentMdlOffset: ULONG,
        pub NbDataLength: NET_BUFFER_DATA_LENGTH,
        pub MdlChain: *mut MDL,
        pub DataOffset: ULONG,
    }

    /// A NET_BUFFER's header, in a list of either kind (`ns-nbl-net_buffer_header.md`).
    pub union NET_BUFFER_HEADER {
        pub NetBufferData: NET_BUFFER_DATA,
        pub Link: SLIST_HEADER,
    }

    /// A data length under both of its types.
    pub union NET_BUFFER_DATA_LENGTH {
        pub DataLength: ULONG,
        pub stDataLength: SIZE_T,
    }

    /// A driver's room in an NBL; the newest is first (`ns-nbl-net_buffer_list_context.md`).
    #[repr(align(16))]
    pub struct NET_BUFFER_LIST_CONTEXT {
        pub Next: *mut NET_BUFFER_LIST_CONTEXT,
        /// Bytes of `ContextData`.
        pub Size: USHORT,
        /// Bytes of `ContextData` before the part in use.
        pub Offset: USHORT,
        pub Padding: ULONG,
        pub ContextData: [UCHAR; 0],
    }

    /// A piece of shared memory that holds received data (`ns-nbl-net_buffer_shared_memory.md`).
    pub struct NET_BUFFER_SHARED_MEMORY {
        pub NextSharedMemorySegment: *mut NET_BUFFER_SHARED_MEMORY,
        pub SharedMemoryFlags: ULONG,
        pub SharedMemoryHandle: NDIS_HANDLE,
        pub SharedMemoryOffset: ULONG,
        pub SharedMemoryLength: ULONG,
    }

    /// What `NdisAllocateNetBufferListPool` makes a pool from
    /// (`ns-nblapi-net_buffer_list_pool_parameters.md`).
    pub struct NET_BUFFER_LIST_POOL_PARAMETERS {
        pub Header: NDIS_OBJECT_HEADER,
        pub ProtocolId: UCHAR,
        pub fAllocateNetBuffer: BOOLEAN,
        pub ContextSize: USHORT,
        pub PoolTag: ULONG,
        pub DataSize: ULONG,
        pub Flags: ULONG,
    }

    /// What `NdisAllocateNetBufferPool` makes a pool from.
    pub struct NET_BUFFER_POOL_PARAMETERS {
        pub Header: NDIS_OBJECT_HEADER,
        pub PoolTag: ULONG,
        pub DataSize: ULONG,
        pub Flags: ULONG,
    }
}

/// Index of a slot in `NetBufferListInfo` (`ne-nblinfo-ndis_net_buffer_list_info.md`); an array
/// index here, as it never crosses the boundary as a number.
pub type NDIS_NET_BUFFER_LIST_INFO = usize;

constants! {
    NDIS_NET_BUFFER_LIST_INFO {
        TcpIpChecksumNetBufferListInfo = 0,
        TcpOffloadBytesTransferred = 0,
        IPsecOffloadV1NetBufferListInfo = 1,
        IPsecOffloadV2NetBufferListInfo = 1,
        TcpLargeSendNetBufferListInfo = 2,
        TcpReceiveNoPush = 2,
        ClassificationHandleNetBufferListInfo = 3,
        Ieee8021QNetBufferListInfo = 4,
        NetBufferListCancelId = 5,
        MediaSpecificInformation = 6,
        NetBufferListFrameType = 7,
        NetBufferListProtocolId = 7,
        NetBufferListHashValue = 8,
        NetBufferListHashInfo = 9,
        WfpNetBufferListInfo = 10,
        IPsecOffloadV2TunnelNetBufferListInfo = 11,
        IPsecOffloadV2HeaderNetBufferListInfo = 12,
        NetBufferListCorrelationId = 13,
        NetBufferListFilteringInfo = 14,
        MediaSpecificInformationEx = 15,
        NblOriginalInterfaceIfIndex = 16,
        NblReAuthWfpFlowContext = 16,
        TcpReceiveBytesTransferred = 17,
        NrtNameResolutionId = 17,
        SwitchForwardingReserved = 18,
        SwitchForwardingDetail = 19,
        VirtualSubnetInfo = 20,
        IMReserved = 21,
        TcpRecvSegCoalesceInfo = 22,
        RscTcpTimestampDelta = 23,
        TcpSendOffloadsSupplementalNetBufferListInfo = 23,
        GftOffloadInformation = 24,
        GftFlowEntryId = 25,
        NetBufferListInfoReserved3 = 26,
        UdpRecvSegCoalesceOffloadInfo = 17,
        UdpSegmentationOffloadInfo = 22,
        NetBufferListInfoReserved1 = 27,
        NetBufferListInfoReserved2 = 28,
        MaxNetBufferListInfo = 29,
    }
    ULONG {
        /// NBLs of the pool are not reused at once, so that a use after free is found.
        NET_BUFFER_LIST_POOL_FLAG_VERIFY = 0x0000_0001,
        NDIS_NBL_FLAGS_HD_SPLIT = 0x100,
        NDIS_NBL_FLAGS_IS_IPV4 = 0x200,
        NDIS_NBL_FLAGS_IS_IPV6 = 0x400,
        NDIS_NBL_FLAGS_IS_LOOPBACK_PACKET = 0x8000,
        NDIS_NBL_FLAGS_IS_TCP = 0x800,
        NDIS_NBL_FLAGS_IS_UDP = 0x1000,
        NDIS_NBL_FLAGS_RECV_READ_ONLY = 0x2,
        NDIS_NBL_FLAGS_SEND_READ_ONLY = 0x1,
        NDIS_NBL_FLAGS_SPLIT_AT_UPPER_LAYER_PROTOCOL_HEADER = 0x2000,
        NDIS_NBL_FLAGS_SPLIT_AT_UPPER_LAYER_PROTOCOL_PAYLOAD = 0x4000,
        NDIS_SEND_FLAGS_CHECK_FOR_LOOPBACK = 0x2,
        NDIS_SEND_FLAGS_DISPATCH_LEVEL = 0x1,
        NDIS_SEND_FLAGS_SINGLE_QUEUE = 0x4,
        NDIS_SEND_FLAGS_SWITCH_DESTINATION_GROUP = 0x10,
        NDIS_SEND_FLAGS_SWITCH_SINGLE_SOURCE = 0x20,
        NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL = 0x1,
        NDIS_SEND_COMPLETE_FLAGS_SINGLE_QUEUE = 0x2,
        NDIS_SEND_COMPLETE_FLAGS_SWITCH_SINGLE_SOURCE = 0x4,
        NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL = 0x1,
        NDIS_RECEIVE_FLAGS_MORE_NBLS = 0x2000,
        NDIS_RECEIVE_FLAGS_PERFECT_FILTERED = 0x400,
        NDIS_RECEIVE_FLAGS_RESOURCES = 0x2,
        NDIS_RECEIVE_FLAGS_SHARED_MEMORY_INFO_VALID = 0x1000,
        NDIS_RECEIVE_FLAGS_SINGLE_ETHER_TYPE = 0x100,
        NDIS_RECEIVE_FLAGS_SINGLE_QUEUE = 0x800,
        NDIS_RECEIVE_FLAGS_SINGLE_VLAN = 0x200,
        NDIS_RECEIVE_FLAGS_SWITCH_DESTINATION_GROUP = 0x4000,
        NDIS_RECEIVE_FLAGS_SWITCH_SINGLE_SOURCE = 0x8000,
        NDIS_RETURN_FLAGS_DISPATCH_LEVEL = 0x1,
        NDIS_RETURN_FLAGS_SINGLE_QUEUE = 0x2,
        NDIS_RETURN_FLAGS_SWITCH_SINGLE_SOURCE = 0x4,
        NDIS_CLONE_FLAGS_RESERVED = 0x1,
        NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS = 0x2,
    }
    UCHAR {
        NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1 =
            size_through!(NET_BUFFER_LIST_POOL_PARAMETERS, DataSize),
    }
    UCHAR {
        NET_BUFFER_POOL_PARAMETERS_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1 =
            size_through!(NET_BUFFER_POOL_PARAMETERS, DataSize),
    }
}
