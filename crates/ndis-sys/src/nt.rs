//! The NT types that NDIS structures and functions are made of.
//!
//! Integers under their NT names, strings, lists, memory descriptor lists, and the dispatcher
//! objects that NDIS embeds in its own structures. Objects that only the kernel looks into are
//! opaque here.

use crate::declare::{bits, constants, opaque, structures};
use core::ffi::c_void;

/// Eight bits; zero is false.
pub type BOOLEAN = u8;
pub type UCHAR = u8;
pub type CSHORT = i16;
pub type USHORT = u16;
/// One UTF-16 code unit.
pub type WCHAR = u16;
pub type LONG = i32;
/// 32 bits on every Windows target.
pub type ULONG = u32;
pub type UINT = u32;
pub type ULONG64 = u64;
/// The 64-bit integer that C declares as a union of its halves; passed and laid out as this
/// integer.
pub type LARGE_INTEGER = i64;
pub type ULARGE_INTEGER = u64;
/// An address as a device sees it.
pub type PHYSICAL_ADDRESS = LARGE_INTEGER;
/// The NDIS name of the same type.
pub type NDIS_PHYSICAL_ADDRESS = PHYSICAL_ADDRESS;
pub type SIZE_T = usize;
pub type ULONG_PTR = usize;
pub type PVOID = *mut c_void;
/// A system status: negative values are failures.
pub type NTSTATUS = i32;
/// An interrupt request level.
pub type KIRQL = UCHAR;
/// A spin lock; zero is free.
pub type KSPIN_LOCK = ULONG_PTR;
/// One bit per processor of a group.
pub type KAFFINITY = ULONG_PTR;
/// `KernelMode` or `UserMode`.
pub type KPROCESSOR_MODE = i8;
/// What memory is cached as (`ne-wdm-_memory_caching_type.md`).
pub type MEMORY_CACHING_TYPE = i32;
/// How hard to try to allocate (`EX_POOL_PRIORITY` of the `wdm` header).
pub type EX_POOL_PRIORITY = i32;
/// Whether an event wakes all waiters and stays set, or wakes one and is cleared.
pub type EVENT_TYPE = i32;
/// Why a thread waits, for debuggers.
pub type KWAIT_REASON = i32;
/// Flags of `ExAllocatePool2`.
pub type POOL_FLAGS = ULONG64;
/// A string of an NDIS function: counted, UTF-16.
pub type NDIS_STRING = UNICODE_STRING;

opaque! {
    /// A process, as the kernel keeps it.
    EPROCESS,
    /// The hardware resources of a device.
    CM_RESOURCE_LIST,
    /// The hardware resources that a device could use.
    IO_RESOURCE_REQUIREMENTS_LIST,
    /// The message interrupts that a device was given.
    IO_INTERRUPT_MESSAGE_INFO,
    /// The pieces of a buffer as a device sees them.
    SCATTER_GATHER_LIST,
}

/// A deferred procedure call's function; DISPATCH_LEVEL.
pub type KDEFERRED_ROUTINE = unsafe extern "efiapi" fn(
    Dpc: *mut KDPC,
    DeferredContext: PVOID,
    SystemArgument1: PVOID,
    SystemArgument2: PVOID,
);
/// A [`KDEFERRED_ROUTINE`] or null.
pub type PKDEFERRED_ROUTINE = Option<KDEFERRED_ROUTINE>;

structures! {
    /// A counted UTF-16 string, not always null-terminated.
    pub struct UNICODE_STRING {
        /// Bytes used at `Buffer`.
        pub Length: USHORT,
        /// Bytes there are at `Buffer`.
        pub MaximumLength: USHORT,
        pub Buffer: *mut WCHAR,
    }

    /// A link of a doubly linked list, or its head.
    pub struct LIST_ENTRY {
        pub Flink: *mut LIST_ENTRY,
        pub Blink: *mut LIST_ENTRY,
    }

    /// A link of a singly linked list.
    pub struct SINGLE_LIST_ENTRY {
        pub Next: *mut SINGLE_LIST_ENTRY,
    }

    /// The head of an interlocked singly linked list, in its 64-bit form.
    #[repr(align(16))]
    pub struct SLIST_HEADER {
        pub Alignment: ULONG64,
        pub Region: ULONG64,
    }

    /// A link of an interlocked singly linked list.
    #[repr(align(16))]
    pub struct SLIST_ENTRY {
        pub Next: *mut SLIST_ENTRY,
    }

    /// A buffer's pages: a chain of these carries a frame's data.
    pub struct MDL {
        pub Next: *mut MDL,
        /// Bytes of this structure and the page numbers behind it.
        pub Size: CSHORT,
        /// `MDL_*`.
        pub MdlFlags: CSHORT,
        pub AllocationProcessorNumber: USHORT,
        pub Reserved: USHORT,
        pub Process: *mut EPROCESS,
        /// The buffer's address, valid if `MdlFlags` says so.
        pub MappedSystemVa: PVOID,
        /// The first page's address.
        pub StartVa: PVOID,
        /// Bytes in the buffer.
        pub ByteCount: ULONG,
        /// Bytes from `StartVa` to the buffer's start.
        pub ByteOffset: ULONG,
    }

    pub struct GUID {
        pub Data1: ULONG,
        pub Data2: USHORT,
        pub Data3: USHORT,
        pub Data4: [UCHAR; 8],
    }

    /// What waitable objects begin with.
    pub struct DISPATCHER_HEADER {
        pub Type: UCHAR,
        pub Signalling: UCHAR,
        pub Size: UCHAR,
        pub Reserved1: UCHAR,
        pub SignalState: LONG,
        pub WaitListHead: LIST_ENTRY,
    }

    pub struct KEVENT {
        pub Header: DISPATCHER_HEADER,
    }

    pub struct KTIMER {
        pub Header: DISPATCHER_HEADER,
        pub DueTime: ULARGE_INTEGER,
        pub TimerListEntry: LIST_ENTRY,
        pub Dpc: *mut KDPC,
        pub Processor: ULONG,
        pub Period: ULONG,
    }

    /// A deferred procedure call.
    pub struct KDPC {
        pub Type: UCHAR,
        pub Importance: UCHAR,
        pub Number: USHORT,
        pub DpcListEntry: SINGLE_LIST_ENTRY,
        pub ProcessorHistory: KAFFINITY,
        pub DeferredRoutine: PKDEFERRED_ROUTINE,
        pub DeferredContext: PVOID,
        pub SystemArgument1: PVOID,
        pub SystemArgument2: PVOID,
        pub DpcData: PVOID,
    }

    /// A processor by group and number in the group.
    pub struct PROCESSOR_NUMBER {
        pub Group: USHORT,
        pub Number: UCHAR,
        pub Reserved: UCHAR,
    }

    /// Processors of one group.
    pub struct GROUP_AFFINITY {
        pub Mask: KAFFINITY,
        pub Group: USHORT,
        pub Reserved: [USHORT; 3],
    }
}

bits! {
    SLIST_HEADER.Alignment: ULONG64 {
        Depth / set_Depth: 0..=15,
        Sequence / set_Sequence: 16..=63,
    }
    SLIST_HEADER.Region: ULONG64 {
        Reserved / set_Reserved: 0..=3,
        NextEntry / set_NextEntry: 4..=63,
    }
}

constants! {
    BOOLEAN {
        /// False.
        FALSE = 0,
        /// True.
        TRUE = 1,
    }
    KIRQL {
        /// Threads run here.
        PASSIVE_LEVEL = 0,
        /// Asynchronous procedure calls are held back.
        APC_LEVEL = 1,
        /// No waiting and no paging from here up.
        DISPATCH_LEVEL = 2,
        /// Everything is held back (x64 and ARM64).
        HIGH_LEVEL = 15,
    }
    NTSTATUS {
        STATUS_SUCCESS = 0,
        STATUS_PENDING = 0x103,
        STATUS_UNSUCCESSFUL = 0xC000_0001_u32.cast_signed(),
        STATUS_NOT_IMPLEMENTED = 0xC000_0002_u32.cast_signed(),
        STATUS_INVALID_PARAMETER = 0xC000_000D_u32.cast_signed(),
        STATUS_INVALID_DEVICE_REQUEST = 0xC000_0010_u32.cast_signed(),
        STATUS_BUFFER_TOO_SMALL = 0xC000_0023_u32.cast_signed(),
        STATUS_OBJECT_NAME_NOT_FOUND = 0xC000_0034_u32.cast_signed(),
        STATUS_OBJECT_NAME_COLLISION = 0xC000_0035_u32.cast_signed(),
        STATUS_INSUFFICIENT_RESOURCES = 0xC000_009A_u32.cast_signed(),
        STATUS_NOT_SUPPORTED = 0xC000_00BB_u32.cast_signed(),
        STATUS_CANCELLED = 0xC000_0120_u32.cast_signed(),
    }
    CSHORT {
        /// The MDL's pages are mapped and `MappedSystemVa` is valid.
        MDL_MAPPED_TO_SYSTEM_VA = 0x0001,
        MDL_PAGES_LOCKED = 0x0002,
        /// The MDL describes nonpaged pool and `MappedSystemVa` is valid.
        MDL_SOURCE_IS_NONPAGED_POOL = 0x0004,
        MDL_ALLOCATED_FIXED_SIZE = 0x0008,
        MDL_PARTIAL = 0x0010,
        MDL_PARTIAL_HAS_BEEN_MAPPED = 0x0020,
        MDL_NETWORK_HEADER = 0x1000,
        MDL_ALLOCATED_MUST_SUCCEED = 0x4000,
    }
    MEMORY_CACHING_TYPE {
        MmNonCached = 0,
        MmCached = 1,
        MmWriteCombined = 2,
    }
    EX_POOL_PRIORITY {
        LowPoolPriority = 0,
        NormalPoolPriority = 16,
        HighPoolPriority = 32,
    }
    ULONG {
        /// Or-ed into the priority of a mapping: nothing there can be executed.
        MdlMappingNoExecute = 0x4000_0000,
    }
    POOL_FLAGS {
        POOL_FLAG_UNINITIALIZED = 0x0000_0002,
        POOL_FLAG_CACHE_ALIGNED = 0x0000_0008,
        POOL_FLAG_RAISE_ON_FAILURE = 0x0000_0020,
        POOL_FLAG_NON_PAGED = 0x0000_0040,
        POOL_FLAG_NON_PAGED_EXECUTE = 0x0000_0080,
        POOL_FLAG_PAGED = 0x0000_0100,
    }
    EVENT_TYPE {
        NotificationEvent = 0,
        SynchronizationEvent = 1,
    }
    KWAIT_REASON {
        /// The reason drivers give.
        Executive = 0,
    }
    KPROCESSOR_MODE {
        KernelMode = 0,
        UserMode = 1,
    }
    usize {
        /// Bytes that pool blocks are aligned to on 64-bit systems.
        MEMORY_ALLOCATION_ALIGNMENT = 16,
    }
}

// These are not in the public tables; their sizes follow from the structures that embed them.
const _: () = assert!(size_of::<DISPATCHER_HEADER>() == 24);
const _: () = assert!(size_of::<PROCESSOR_NUMBER>() == 4);
const _: () = assert!(size_of::<GROUP_AFFINITY>() == 16);
const _: () = assert!(size_of::<SLIST_ENTRY>() == 16);
