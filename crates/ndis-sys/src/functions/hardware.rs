//! What miniports of hardware call besides registering it: interrupts at work, DMA, shared memory,
//! device registers.

use crate::declare::functions;
use crate::handle::NDIS_HANDLE;
use crate::interrupt::MINIPORT_SYNCHRONIZE_INTERRUPT_HANDLER;
use crate::nbl::NET_BUFFER;
use crate::nt::*;
use crate::status::NDIS_STATUS;

functions! {
    "ndis.sys";

    /// Runs a function with the interrupt held back. Up to the device's IRQL
    /// (`nf-ndis-ndismsynchronizewithinterruptex.md`).
    fn NdisMSynchronizeWithInterruptEx [PASSIVE_LEVEL, HIGH_LEVEL] (
        NdisInterruptHandle: NDIS_HANDLE,
        MessageId: ULONG,
        SynchronizeFunction: MINIPORT_SYNCHRONIZE_INTERRUPT_HANDLER,
        SynchronizeContext: PVOID,
    ) -> BOOLEAN;

    /// Queues the interrupt's DPC on processors, of which it answers those that had none. Any IRQL
    /// (`nf-ndis-ndismqueuedpc.md`).
    fn NdisMQueueDpc [PASSIVE_LEVEL, HIGH_LEVEL] (
        NdisInterruptHandle: NDIS_HANDLE,
        MessageId: ULONG,
        TargetProcessors: ULONG,
        MiniportDpcContext: PVOID,
    ) -> ULONG;

    /// The same for processors of a group. Any IRQL (`nf-ndis-ndismqueuedpcex.md`).
    fn NdisMQueueDpcEx [PASSIVE_LEVEL, HIGH_LEVEL] (
        NdisInterruptHandle: NDIS_HANDLE,
        MessageId: ULONG,
        TargetProcessors: *mut GROUP_AFFINITY,
        MiniportDpcContext: PVOID,
    ) -> ULONG_PTR;

    /// Makes a scatter/gather list, which `MiniportProcessSGList` gets. DISPATCH_LEVEL
    /// (`nf-ndis-ndismallocatenetbuffersglist.md`).
    fn NdisMAllocateNetBufferSGList [DISPATCH_LEVEL, DISPATCH_LEVEL] (
        NdisMiniportDmaHandle: NDIS_HANDLE,
        NetBuffer: *mut NET_BUFFER,
        Context: PVOID,
        Flags: ULONG,
        ScatterGatherListBuffer: PVOID,
        ScatterGatherListBufferSize: ULONG,
    ) -> NDIS_STATUS;

    /// Frees a scatter/gather list. DISPATCH_LEVEL (`nf-ndis-ndismfreenetbuffersglist.md`).
    fn NdisMFreeNetBufferSGList [DISPATCH_LEVEL, DISPATCH_LEVEL] (
        NdisMiniportDmaHandle: NDIS_HANDLE,
        pSGL: *mut SCATTER_GATHER_LIST,
        NetBuffer: *mut NET_BUFFER,
    );

    /// Allocates memory that the device shares, null if memory is short. PASSIVE_LEVEL
    /// (`nf-ndis-ndismallocatesharedmemory.md`).
    fn NdisMAllocateSharedMemory [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        MiniportAdapterHandle: NDIS_HANDLE,
        Length: ULONG,
        Cached: BOOLEAN,
        VirtualAddress: *mut PVOID,
        PhysicalAddress: *mut NDIS_PHYSICAL_ADDRESS,
    );

    /// Frees that, with the arguments of the allocation. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndismfreesharedmemory.md`).
    fn NdisMFreeSharedMemory [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        MiniportAdapterHandle: NDIS_HANDLE,
        Length: ULONG,
        Cached: BOOLEAN,
        VirtualAddress: PVOID,
        PhysicalAddress: NDIS_PHYSICAL_ADDRESS,
    );

    /// Allocates more of it, for `MiniportSharedMemoryAllocateComplete`. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndismallocatesharedmemoryasyncex.md`).
    fn NdisMAllocateSharedMemoryAsyncEx [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        MiniportDmaHandle: NDIS_HANDLE,
        Length: ULONG,
        Cached: BOOLEAN,
        Context: PVOID,
    ) -> NDIS_STATUS;

    /// Maps device registers. PASSIVE_LEVEL (`nf-ndis-ndismmapiospace.md`).
    fn NdisMMapIoSpace [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        VirtualAddress: *mut PVOID,
        MiniportAdapterHandle: NDIS_HANDLE,
        PhysicalAddress: NDIS_PHYSICAL_ADDRESS,
        Length: UINT,
    ) -> NDIS_STATUS;

    /// Undoes that. PASSIVE_LEVEL (`nf-ndis-ndismunmapiospace.md`).
    fn NdisMUnmapIoSpace [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        MiniportAdapterHandle: NDIS_HANDLE,
        VirtualAddress: PVOID,
        Length: UINT,
    );

    /// Claims I/O ports. PASSIVE_LEVEL (`nf-ndis-ndismregisterioportrange.md`).
    fn NdisMRegisterIoPortRange [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        PortOffset: *mut PVOID,
        MiniportAdapterHandle: NDIS_HANDLE,
        InitialPort: UINT,
        NumberOfPorts: UINT,
    ) -> NDIS_STATUS;

    /// Undoes that. PASSIVE_LEVEL (`nf-ndis-ndismderegisterioportrange.md`).
    fn NdisMDeregisterIoPortRange [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        MiniportAdapterHandle: NDIS_HANDLE,
        InitialPort: UINT,
        NumberOfPorts: UINT,
        PortOffset: PVOID,
    );
}
