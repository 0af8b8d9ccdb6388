//! Memory: MDLs, pool memory, cloned OID requests, generic objects, shared memory.

use crate::declare::functions;
use crate::dma::NDIS_SHARED_MEMORY_PARAMETERS;
use crate::handle::NDIS_HANDLE;
use crate::io::*;
use crate::nt::*;
use crate::object::NDIS_GENERIC_OBJECT;
use crate::oid::NDIS_OID_REQUEST;
use crate::status::NDIS_STATUS;

functions! {
    "ndis.sys";

    /// Makes an MDL for nonpaged memory, null if memory is short. Up to DISPATCH_LEVEL
    /// (`nf-mdlapi-ndisallocatemdl.md`).
    fn NdisAllocateMdl [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisHandle: NDIS_HANDLE,
        VirtualAddress: PVOID,
        Length: UINT,
    ) -> *mut MDL;

    /// Frees an MDL. Up to DISPATCH_LEVEL (`nf-mdlapi-ndisfreemdl.md`).
    fn NdisFreeMdl [PASSIVE_LEVEL, DISPATCH_LEVEL] (Mdl: *mut MDL);

    /// Allocates nonpaged memory, null if memory is short. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndisallocatememorywithtagpriority.md`).
    fn NdisAllocateMemoryWithTagPriority [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisHandle: NDIS_HANDLE,
        Length: UINT,
        Tag: ULONG,
        Priority: EX_POOL_PRIORITY,
    ) -> PVOID;

    /// The older form of that. Up to DISPATCH_LEVEL.
    fn NdisAllocateMemoryWithTag [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        VirtualAddress: *mut PVOID,
        Length: UINT,
        Tag: ULONG,
    ) -> NDIS_STATUS;

    /// Frees memory of either form. Up to DISPATCH_LEVEL (`nf-ndis-ndisfreememory.md`).
    fn NdisFreeMemory [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        VirtualAddress: PVOID,
        Length: UINT,
        MemoryFlags: UINT,
    );

    /// Frees memory and checks its tag. Up to DISPATCH_LEVEL (`nf-ndis-ndisfreememorywithtag.md`).
    fn NdisFreeMemoryWithTag [PASSIVE_LEVEL, DISPATCH_LEVEL] (VirtualAddress: PVOID, Tag: ULONG);

    /// Frees memory and checks its tag. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndisfreememorywithtagpriority.md`).
    fn NdisFreeMemoryWithTagPriority [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisHandle: NDIS_HANDLE,
        VirtualAddress: PVOID,
        Tag: ULONG,
    );

    /// Makes a request for the same buffer. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndisallocatecloneoidrequest.md`).
    fn NdisAllocateCloneOidRequest [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        SourceHandle: NDIS_HANDLE,
        OidRequest: *mut NDIS_OID_REQUEST,
        PoolTag: UINT,
        ClonedOidRequest: *mut *mut NDIS_OID_REQUEST,
    ) -> NDIS_STATUS;

    /// Frees a cloned request. Up to DISPATCH_LEVEL (`nf-ndis-ndisfreecloneoidrequest.md`).
    fn NdisFreeCloneOidRequest [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        SourceHandle: NDIS_HANDLE,
        Request: *mut NDIS_OID_REQUEST,
    );

    /// Makes an object that can stand where an NDIS handle is asked for. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndisallocategenericobject.md`).
    fn NdisAllocateGenericObject [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        DriverObject: *mut DRIVER_OBJECT,
        Tag: ULONG,
        Size: USHORT,
    ) -> *mut NDIS_GENERIC_OBJECT;

    /// Frees that. Up to DISPATCH_LEVEL (`nf-ndis-ndisfreegenericobject.md`).
    fn NdisFreeGenericObject [PASSIVE_LEVEL, DISPATCH_LEVEL] (NdisObject: *mut NDIS_GENERIC_OBJECT);

    /// Allocates memory that a device shares. PASSIVE_LEVEL
    /// (`nf-ndis-ndisallocatesharedmemory.md`).
    fn NdisAllocateSharedMemory [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        NdisHandle: NDIS_HANDLE,
        SharedMemoryParameters: *mut NDIS_SHARED_MEMORY_PARAMETERS,
        pAllocationHandle: *mut NDIS_HANDLE,
    ) -> NDIS_STATUS;

    /// Frees that. PASSIVE_LEVEL (`nf-ndis-ndisfreesharedmemory.md`).
    fn NdisFreeSharedMemory [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        NdisHandle: NDIS_HANDLE,
        AllocationHandle: NDIS_HANDLE,
    );

    /// The alignment in bytes for data that processors share. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndisgetshareddataalignment.md`).
    fn NdisGetSharedDataAlignment [PASSIVE_LEVEL, DISPATCH_LEVEL] () -> ULONG;
}
