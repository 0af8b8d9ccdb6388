//! Events, locks, timers and work items in NDIS's own shape.
//!
//! Spin locks and events are plain memory that the driver owns; reader-writer locks of the newer
//! kind (`NDIS_RW_LOCK_EX`), timers and work items are NDIS's and known by handle or pointer only.

use crate::declare::{callbacks, constants, opaque, size_through, structures};
use crate::handle::NDIS_HANDLE;
use crate::nt::*;
use crate::object::NDIS_OBJECT_HEADER;

opaque! {
    /// A reader-writer lock that `NdisAllocateRWLock` made.
    NDIS_RW_LOCK_EX,
    /// NDIS's private record of a miniport adapter.
    NDIS_MINIPORT_BLOCK,
}

callbacks! {
    /// A timer's function (`nc-ndis-ndis_timer_function.md`).
    fn NDIS_TIMER_FUNCTION = PNDIS_TIMER_FUNCTION [DISPATCH_LEVEL, DISPATCH_LEVEL] (
        SystemSpecific1: PVOID,
        FunctionContext: PVOID,
        SystemSpecific2: PVOID,
        SystemSpecific3: PVOID,
    );

    /// A work item's function, run in a system thread (`nf-ndis-ndisqueueioworkitem.md`).
    fn NDIS_IO_WORKITEM = NDIS_IO_WORKITEM_ROUTINE [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        WorkItemContext: PVOID,
        NdisIoWorkItemHandle: NDIS_HANDLE,
    );

    /// The function of an old-style [`NDIS_WORK_ITEM`].
    fn NDIS_PROC_FUNCTION = NDIS_PROC [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        WorkItem: *mut NDIS_WORK_ITEM,
        Context: PVOID,
    );
}

structures! {
    /// An event that a thread at PASSIVE_LEVEL can wait for (`NdisInitializeEvent`).
    pub struct NDIS_EVENT {
        pub Event: KEVENT,
    }

    /// A spin lock and the IRQL to go back to (`nf-ndis-ndisallocatespinlock.md`).
    pub struct NDIS_SPIN_LOCK {
        pub SpinLock: KSPIN_LOCK,
        pub OldIrql: KIRQL,
    }

    /// State of an acquisition of an [`NDIS_RW_LOCK`] (`ns-ndis-_lock_state.md`).
    pub struct LOCK_STATE {
        pub LockState: USHORT,
        pub OldIrql: KIRQL,
    }

    /// State of an acquisition of an [`NDIS_RW_LOCK_EX`] (`ns-ndis-_lock_state_ex.md`).
    pub struct LOCK_STATE_EX {
        pub OldIrql: KIRQL,
        pub LockState: UCHAR,
        pub Flags: UCHAR,
    }

    /// The older reader-writer lock (`ns-ndis-_ndis_rw_lock.md`).
    pub struct NDIS_RW_LOCK {
        pub SpinLock: KSPIN_LOCK,
        pub Context: PVOID,
        pub Anonymous: NDIS_RW_LOCK_COUNTS,
    }

    /// The reader counts of an [`NDIS_RW_LOCK`].
    pub union NDIS_RW_LOCK_COUNTS {
        pub RefCount: [NDIS_RW_LOCK_REFCOUNT; 64],
        pub RefCountEx: [ULONG; 256],
        pub Anonymous: NDIS_RW_LOCK_SHARED,
    }

    /// The shared form of [`NDIS_RW_LOCK_COUNTS`].
    pub struct NDIS_RW_LOCK_SHARED {
        pub RefCountLock: KSPIN_LOCK,
        pub SharedRefCount: ULONG,
        pub WriterWaiting: BOOLEAN,
    }

    /// One processor's count, alone in its cache line (`ns-ndis-_ndis_rw_lock_refcount.md`).
    pub struct NDIS_RW_LOCK_REFCOUNT {
        pub RefCount: [ULONG; 4],
    }

    /// What `NdisAllocateTimerObject` makes a timer from
    /// (`ns-ndis-_ndis_timer_characteristics.md`).
    pub struct NDIS_TIMER_CHARACTERISTICS {
        pub Header: NDIS_OBJECT_HEADER,
        pub AllocationTag: ULONG,
        pub TimerFunction: PNDIS_TIMER_FUNCTION,
        pub FunctionContext: PVOID,
    }

    /// A work item in the driver's own memory, the older kind.
    pub struct NDIS_WORK_ITEM {
        pub Context: PVOID,
        pub Routine: NDIS_PROC,
        pub WrapperReserved: [UCHAR; 64],
    }

    /// A timer in the driver's own memory, the older kind.
    pub struct NDIS_MINIPORT_TIMER {
        pub Timer: KTIMER,
        pub Dpc: KDPC,
        pub MiniportTimerFunction: PNDIS_TIMER_FUNCTION,
        pub MiniportTimerContext: PVOID,
        pub Miniport: *mut NDIS_MINIPORT_BLOCK,
        pub NextTimer: *mut NDIS_MINIPORT_TIMER,
    }
}

constants! {
    UCHAR {
        NDIS_RWL_AT_DISPATCH_LEVEL = 0x1,
        NDIS_TIMER_CHARACTERISTICS_REVISION_1 = 1,
    }
    USHORT {
        NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1 =
            size_through!(NDIS_TIMER_CHARACTERISTICS, FunctionContext),
    }
}
