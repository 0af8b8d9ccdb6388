//! NET_BUFFER_LISTs: pools, derived NBLs, contexts, and moving the start of the data.

use crate::declare::functions;
use crate::handle::NDIS_HANDLE;
use crate::nbl::{
    NET_BUFFER, NET_BUFFER_ALLOCATE_MDL_HANDLER, NET_BUFFER_FREE_MDL_HANDLER, NET_BUFFER_LIST,
    NET_BUFFER_LIST_POOL_PARAMETERS, NET_BUFFER_POOL_PARAMETERS,
};
use crate::nt::*;
use crate::status::NDIS_STATUS;

functions! {
    "ndis.sys";

    /// Makes a pool of NBLs, null if memory is short. Up to DISPATCH_LEVEL
    /// (`nf-nblapi-ndisallocatenetbufferlistpool.md`).
    fn NdisAllocateNetBufferListPool [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisHandle: NDIS_HANDLE,
        Parameters: *mut NET_BUFFER_LIST_POOL_PARAMETERS,
    ) -> NDIS_HANDLE;

    /// Frees a pool, all of whose NBLs must be freed. Up to DISPATCH_LEVEL
    /// (`nf-nblapi-ndisfreenetbufferlistpool.md`).
    fn NdisFreeNetBufferListPool [PASSIVE_LEVEL, DISPATCH_LEVEL] (PoolHandle: NDIS_HANDLE);

    /// Makes a pool of NET_BUFFERs, null if memory is short. Up to DISPATCH_LEVEL
    /// (`nf-nblapi-ndisallocatenetbufferpool.md`).
    fn NdisAllocateNetBufferPool [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisHandle: NDIS_HANDLE,
        Parameters: *mut NET_BUFFER_POOL_PARAMETERS,
    ) -> NDIS_HANDLE;

    /// Frees a pool, all of whose NET_BUFFERs must be freed. Up to DISPATCH_LEVEL
    /// (`nf-nblapi-ndisfreenetbufferpool.md`).
    fn NdisFreeNetBufferPool [PASSIVE_LEVEL, DISPATCH_LEVEL] (PoolHandle: NDIS_HANDLE);

    /// Makes an NBL, null if memory is short. Up to DISPATCH_LEVEL
    /// (`nf-nblapi-ndisallocatenetbufferlist.md`).
    fn NdisAllocateNetBufferList [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        PoolHandle: NDIS_HANDLE,
        ContextSize: USHORT,
        ContextBackFill: USHORT,
    ) -> *mut NET_BUFFER_LIST;

    /// Makes an NBL with one NET_BUFFER, null if memory is short. Up to DISPATCH_LEVEL
    /// (`nf-nblapi-ndisallocatenetbufferandnetbufferlist.md`).
    fn NdisAllocateNetBufferAndNetBufferList [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        PoolHandle: NDIS_HANDLE,
        ContextSize: USHORT,
        ContextBackFill: USHORT,
        MdlChain: *mut MDL,
        DataOffset: ULONG,
        DataLength: SIZE_T,
    ) -> *mut NET_BUFFER_LIST;

    /// Frees an NBL and what was allocated with it. Up to DISPATCH_LEVEL
    /// (`nf-nblapi-ndisfreenetbufferlist.md`).
    fn NdisFreeNetBufferList [PASSIVE_LEVEL, DISPATCH_LEVEL] (NetBufferList: *mut NET_BUFFER_LIST);

    /// Makes a NET_BUFFER, null if memory is short. Up to DISPATCH_LEVEL
    /// (`nf-nblapi-ndisallocatenetbuffer.md`).
    fn NdisAllocateNetBuffer [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        PoolHandle: NDIS_HANDLE,
        MdlChain: *mut MDL,
        DataOffset: ULONG,
        DataLength: SIZE_T,
    ) -> *mut NET_BUFFER;

    /// Makes a NET_BUFFER with an MDL and memory, null if memory is short. Up to DISPATCH_LEVEL
    /// (`nf-nblapi-ndisallocatenetbuffermdlanddata.md`).
    fn NdisAllocateNetBufferMdlAndData [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        PoolHandle: NDIS_HANDLE,
    ) -> *mut NET_BUFFER;

    /// Frees a NET_BUFFER. Up to DISPATCH_LEVEL (`nf-nblapi-ndisfreenetbuffer.md`).
    fn NdisFreeNetBuffer [PASSIVE_LEVEL, DISPATCH_LEVEL] (NetBuffer: *mut NET_BUFFER);

    /// Makes an NBL for the same data, null if memory is short. Up to DISPATCH_LEVEL
    /// (`nf-nblapi-ndisallocateclonenetbufferlist.md`).
    fn NdisAllocateCloneNetBufferList [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        OriginalNetBufferList: *mut NET_BUFFER_LIST,
        NetBufferListPoolHandle: NDIS_HANDLE,
        NetBufferPoolHandle: NDIS_HANDLE,
        AllocateCloneFlags: ULONG,
    ) -> *mut NET_BUFFER_LIST;

    /// Frees a clone. Up to DISPATCH_LEVEL (`nf-nblapi-ndisfreeclonenetbufferlist.md`).
    fn NdisFreeCloneNetBufferList [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        CloneNetBufferList: *mut NET_BUFFER_LIST,
        FreeCloneFlags: ULONG,
    );

    /// Makes an NBL for the data in pieces, with room before each, null if memory is short. Up to
    /// DISPATCH_LEVEL (`nf-nblapi-ndisallocatefragmentnetbufferlist.md`).
    fn NdisAllocateFragmentNetBufferList [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        OriginalNetBufferList: *mut NET_BUFFER_LIST,
        NetBufferListPool: NDIS_HANDLE,
        NetBufferPool: NDIS_HANDLE,
        StartOffset: ULONG,
        MaximumLength: ULONG,
        DataOffsetDelta: ULONG,
        DataBackFill: ULONG,
        AllocateFragmentFlags: ULONG,
    ) -> *mut NET_BUFFER_LIST;

    /// Frees a fragment NBL. Up to DISPATCH_LEVEL (`nf-nblapi-ndisfreefragmentnetbufferlist.md`).
    fn NdisFreeFragmentNetBufferList [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        FragmentNetBufferList: *mut NET_BUFFER_LIST,
        DataOffsetDelta: ULONG,
        FreeFragmentFlags: ULONG,
    );

    /// Makes one frame of fragments, null if memory is short. Up to DISPATCH_LEVEL
    /// (`nf-nblapi-ndisallocatereassemblednetbufferlist.md`).
    fn NdisAllocateReassembledNetBufferList [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        FragmentNetBufferList: *mut NET_BUFFER_LIST,
        NetBufferAndNetBufferListPoolHandle: NDIS_HANDLE,
        StartOffset: ULONG,
        DataOffsetDelta: ULONG,
        DataBackFill: ULONG,
        AllocateReassembleFlags: ULONG,
    ) -> *mut NET_BUFFER_LIST;

    /// Frees a reassembled NBL. Up to DISPATCH_LEVEL
    /// (`nf-nblapi-ndisfreereassemblednetbufferlist.md`).
    fn NdisFreeReassembledNetBufferList [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        ReassembledNetBufferList: *mut NET_BUFFER_LIST,
        DataOffsetDelta: ULONG,
        FreeReassembleFlags: ULONG,
    );

    /// Makes room for a driver in an NBL. Up to DISPATCH_LEVEL
    /// (`nf-nblapi-ndisallocatenetbufferlistcontext.md`).
    fn NdisAllocateNetBufferListContext [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NetBufferList: *mut NET_BUFFER_LIST,
        ContextSize: USHORT,
        ContextBackFill: USHORT,
        PoolTag: ULONG,
    ) -> NDIS_STATUS;

    /// Gives that room back. Up to DISPATCH_LEVEL (`nf-nblapi-ndisfreenetbufferlistcontext.md`).
    fn NdisFreeNetBufferListContext [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NetBufferList: *mut NET_BUFFER_LIST,
        ContextSize: USHORT,
    );

    /// Moves the start of the data forward to make room, with a new MDL where there is none. Up to
    /// DISPATCH_LEVEL (`nf-nblapi-ndisretreatnetbufferdatastart.md`).
    fn NdisRetreatNetBufferDataStart [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NetBuffer: *mut NET_BUFFER,
        DataOffsetDelta: ULONG,
        DataBackFill: ULONG,
        AllocateMdlHandler: NET_BUFFER_ALLOCATE_MDL_HANDLER,
    ) -> NDIS_STATUS;

    /// Undoes a retreat, or skips data. Up to DISPATCH_LEVEL
    /// (`nf-nblapi-ndisadvancenetbufferdatastart.md`).
    fn NdisAdvanceNetBufferDataStart [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NetBuffer: *mut NET_BUFFER,
        DataOffsetDelta: ULONG,
        FreeMdl: BOOLEAN,
        FreeMdlHandler: NET_BUFFER_FREE_MDL_HANDLER,
    );

    /// Retreats each NET_BUFFER of an NBL. Up to DISPATCH_LEVEL
    /// (`nf-nblapi-ndisretreatnetbufferlistdatastart.md`).
    fn NdisRetreatNetBufferListDataStart [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NetBufferList: *mut NET_BUFFER_LIST,
        DataOffsetDelta: ULONG,
        DataBackFill: ULONG,
        AllocateMdlHandler: NET_BUFFER_ALLOCATE_MDL_HANDLER,
        FreeMdlHandler: NET_BUFFER_FREE_MDL_HANDLER,
    ) -> NDIS_STATUS;

    /// Advances each NET_BUFFER of an NBL. Up to DISPATCH_LEVEL
    /// (`nf-nblapi-ndisadvancenetbufferlistdatastart.md`).
    fn NdisAdvanceNetBufferListDataStart [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NetBufferList: *mut NET_BUFFER_LIST,
        DataOffsetDelta: ULONG,
        FreeMdl: BOOLEAN,
        FreeMdlHandler: NET_BUFFER_FREE_MDL_HANDLER,
    );

    /// Sets `CurrentMdl` and its offset by `DataOffset`. Any IRQL
    /// (`nf-nblapi-ndisadjustnetbuffercurrentmdl.md`).
    fn NdisAdjustNetBufferCurrentMdl [PASSIVE_LEVEL, HIGH_LEVEL] (NetBuffer: *mut NET_BUFFER);

    /// Copies out-of-band information for a send. Up to DISPATCH_LEVEL
    /// (`nf-nblapi-ndiscopysendnetbufferlistinfo.md`).
    fn NdisCopySendNetBufferListInfo [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        DestNetBufferList: *mut NET_BUFFER_LIST,
        SrcNetBufferList: *mut NET_BUFFER_LIST,
    );

    /// Copies out-of-band information for an indication. Up to DISPATCH_LEVEL
    /// (`nf-nblapi-ndiscopyreceivenetbufferlistinfo.md`).
    fn NdisCopyReceiveNetBufferListInfo [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        DestNetBufferList: *mut NET_BUFFER_LIST,
        SrcNetBufferList: *mut NET_BUFFER_LIST,
    );

    /// Copies data. Up to DISPATCH_LEVEL (`nf-nblapi-ndiscopyfromnetbuffertonetbuffer.md`).
    fn NdisCopyFromNetBufferToNetBuffer [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        Destination: *mut NET_BUFFER,
        DestinationOffset: ULONG,
        BytesToCopy: ULONG,
        Source: *const NET_BUFFER,
        SourceOffset: ULONG,
        BytesCopied: *mut ULONG,
    ) -> NDIS_STATUS;

    /// How many pieces of physical memory the data takes at most. Up to DISPATCH_LEVEL
    /// (`nf-nblapi-ndisquerynetbufferphysicalcount.md`).
    fn NdisQueryNetBufferPhysicalCount [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NetBuffer: *mut NET_BUFFER,
    ) -> ULONG;

    /// A pointer to the first bytes in one piece, copied to `Storage` if need be, null if that is
    /// null or the data too short. Up to DISPATCH_LEVEL (`nf-nblapi-ndisgetdatabuffer.md`).
    fn NdisGetDataBuffer [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NetBuffer: *mut NET_BUFFER,
        BytesNeeded: ULONG,
        Storage: PVOID,
        AlignMultiple: ULONG,
        AlignOffset: ULONG,
    ) -> PVOID;

    /// The pool of an NBL. Up to DISPATCH_LEVEL (`nf-nblapi-ndisgetpoolfromnetbufferlist.md`).
    fn NdisGetPoolFromNetBufferList [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NetBufferList: *mut NET_BUFFER_LIST,
    ) -> NDIS_HANDLE;

    /// The pool of a NET_BUFFER. Up to DISPATCH_LEVEL (`nf-nblapi-ndisgetpoolfromnetbuffer.md`).
    fn NdisGetPoolFromNetBuffer [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NetBuffer: *mut NET_BUFFER,
    ) -> NDIS_HANDLE;
}
