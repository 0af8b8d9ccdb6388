//! Scatter/gather DMA and shared memory, for miniports of hardware
//! (`nf-ndis-ndismregisterscattergatherdma.md`, `ns-ndis-_ndis_shared_memory_parameters.md`).

use crate::declare::{callbacks, constants, size_through, structures};
use crate::handle::NDIS_HANDLE;
use crate::hardware::{NDIS_NIC_SWITCH_VPORT_ID, NDIS_RECEIVE_QUEUE_ID};
use crate::io::*;
use crate::nt::*;
use crate::object::NDIS_OBJECT_HEADER;

callbacks! {
    /// Gets the pieces of a buffer (`nc-ndis-miniport_process_sg_list.md`).
    fn MINIPORT_PROCESS_SG_LIST = MINIPORT_PROCESS_SG_LIST_HANDLER [DISPATCH_LEVEL, DISPATCH_LEVEL] (
        pDO: *mut DEVICE_OBJECT,
        Reserved: PVOID,
        pSGL: *mut SCATTER_GATHER_LIST,
        Context: PVOID,
    );

    /// Ends an `NdisMAllocateSharedMemoryAsyncEx`
    /// (`nc-ndis-miniport_allocate_shared_mem_complete.md`).
    fn MINIPORT_ALLOCATE_SHARED_MEM_COMPLETE = MINIPORT_ALLOCATE_SHARED_MEM_COMPLETE_HANDLER [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        MiniportAdapterContext: NDIS_HANDLE,
        VirtualAddress: PVOID,
        PhysicalAddress: *mut NDIS_PHYSICAL_ADDRESS,
        Length: ULONG,
        Context: PVOID,
    );
}

structures! {
    /// What `NdisMRegisterScatterGatherDma` registers.
    pub struct NDIS_SG_DMA_DESCRIPTION {
        pub Header: NDIS_OBJECT_HEADER,
        pub Flags: ULONG,
        pub MaximumPhysicalMapping: ULONG,
        pub ProcessSGListHandler: MINIPORT_PROCESS_SG_LIST_HANDLER,
        pub SharedMemAllocateCompleteHandler: MINIPORT_ALLOCATE_SHARED_MEM_COMPLETE_HANDLER,
        pub ScatterGatherListSize: ULONG,
        pub PdoOverride: *mut DEVICE_OBJECT,
    }

    /// What `NdisAllocateSharedMemory` allocates.
    pub struct NDIS_SHARED_MEMORY_PARAMETERS {
        pub Header: NDIS_OBJECT_HEADER,
        pub Flags: ULONG,
        pub QueueId: NDIS_RECEIVE_QUEUE_ID,
        pub SharedMemoryHandle: NDIS_HANDLE,
        pub PreferredNode: ULONG,
        pub Usage: NDIS_SHARED_MEMORY_USAGE,
        pub Length: ULONG,
        pub VirtualAddress: PVOID,
        pub SGListBufferLength: ULONG,
        pub SGListBuffer: *mut SCATTER_GATHER_LIST,
        pub VPortId: NDIS_NIC_SWITCH_VPORT_ID,
    }
}

/// What shared memory is for (`ne-ndis-_ndis_shared_memory_usage.md`).
pub type NDIS_SHARED_MEMORY_USAGE = i32;

constants! {
    UCHAR {
        NDIS_SG_DMA_DESCRIPTION_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_SG_DMA_DESCRIPTION_REVISION_1 =
            size_through!(NDIS_SG_DMA_DESCRIPTION, ScatterGatherListSize),
    }
    UCHAR {
        NDIS_SHARED_MEMORY_PARAMETERS_REVISION_1 = 1,
        NDIS_SHARED_MEMORY_PARAMETERS_REVISION_2 = 2,
    }
    USHORT {
        NDIS_SIZEOF_SHARED_MEMORY_PARAMETERS_REVISION_1 =
            size_through!(NDIS_SHARED_MEMORY_PARAMETERS, SGListBuffer),
        NDIS_SIZEOF_SHARED_MEMORY_PARAMETERS_REVISION_2 =
            size_through!(NDIS_SHARED_MEMORY_PARAMETERS, VPortId),
    }
}
