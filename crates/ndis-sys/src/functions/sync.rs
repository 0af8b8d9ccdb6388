//! Events, reader-writer locks, timers, work items, and time.

use crate::declare::functions;
use crate::handle::NDIS_HANDLE;
use crate::nt::*;
use crate::status::NDIS_STATUS;
use crate::sync::{
    LOCK_STATE, LOCK_STATE_EX, NDIS_EVENT, NDIS_IO_WORKITEM_ROUTINE, NDIS_RW_LOCK, NDIS_RW_LOCK_EX,
    NDIS_TIMER_CHARACTERISTICS, NDIS_WORK_ITEM,
};

functions! {
    "ndis.sys";

    /// Makes an event that is not set. Any IRQL (`nf-ndis-ndisinitializeevent.md`).
    fn NdisInitializeEvent [PASSIVE_LEVEL, HIGH_LEVEL] (Event: *mut NDIS_EVENT);

    /// Sets an event. Up to DISPATCH_LEVEL (`nf-ndis-ndissetevent.md`).
    fn NdisSetEvent [PASSIVE_LEVEL, DISPATCH_LEVEL] (Event: *mut NDIS_EVENT);

    /// Clears an event. Up to DISPATCH_LEVEL (`nf-ndis-ndisresetevent.md`).
    fn NdisResetEvent [PASSIVE_LEVEL, DISPATCH_LEVEL] (Event: *mut NDIS_EVENT);

    /// Waits that many milliseconds, without end for 0; true if the event was set. PASSIVE_LEVEL
    /// (`nf-ndis-ndiswaitevent.md`).
    fn NdisWaitEvent [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        Event: *mut NDIS_EVENT,
        MsToWait: UINT,
    ) -> BOOLEAN;

    /// Makes a reader-writer lock, null if memory is short. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndisallocaterwlock.md`).
    fn NdisAllocateRWLock [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisHandle: NDIS_HANDLE,
    ) -> *mut NDIS_RW_LOCK_EX;

    /// Frees a reader-writer lock. Up to DISPATCH_LEVEL (`nf-ndis-ndisfreerwlock.md`).
    fn NdisFreeRWLock [PASSIVE_LEVEL, DISPATCH_LEVEL] (Lock: *mut NDIS_RW_LOCK_EX);

    /// Takes a lock for reading and raises to DISPATCH_LEVEL. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndisacquirerwlockread.md`).
    fn NdisAcquireRWLockRead [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        Lock: *mut NDIS_RW_LOCK_EX,
        LockState: *mut LOCK_STATE_EX,
        Flags: UCHAR,
    );

    /// Takes a lock for writing and raises to DISPATCH_LEVEL. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndisacquirerwlockwrite.md`).
    fn NdisAcquireRWLockWrite [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        Lock: *mut NDIS_RW_LOCK_EX,
        LockState: *mut LOCK_STATE_EX,
        Flags: UCHAR,
    );

    /// Lets go of a lock and goes back to the IRQL before it. DISPATCH_LEVEL
    /// (`nf-ndis-ndisreleaserwlock.md`).
    fn NdisReleaseRWLock [DISPATCH_LEVEL, DISPATCH_LEVEL] (
        Lock: *mut NDIS_RW_LOCK_EX,
        LockState: *mut LOCK_STATE_EX,
    );

    /// Makes a lock of the older kind. Any IRQL (`nf-ndis-ndisinitializereadwritelock.md`).
    fn NdisInitializeReadWriteLock [PASSIVE_LEVEL, HIGH_LEVEL] (Lock: *mut NDIS_RW_LOCK);

    /// Takes a lock of the older kind. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndisacquirereadwritelock.md`).
    fn NdisAcquireReadWriteLock [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        Lock: *mut NDIS_RW_LOCK,
        fWrite: BOOLEAN,
        LockState: *mut LOCK_STATE,
    );

    /// Lets go of a lock of the older kind. DISPATCH_LEVEL (`nf-ndis-ndisreleasereadwritelock.md`).
    fn NdisReleaseReadWriteLock [DISPATCH_LEVEL, DISPATCH_LEVEL] (
        Lock: *mut NDIS_RW_LOCK,
        LockState: *mut LOCK_STATE,
    );

    /// Takes a lock of the older kind at DISPATCH_LEVEL. DISPATCH_LEVEL
    /// (`nf-ndis-ndisdpracquirereadwritelock.md`).
    fn NdisDprAcquireReadWriteLock [DISPATCH_LEVEL, DISPATCH_LEVEL] (
        Lock: *mut NDIS_RW_LOCK,
        fWrite: BOOLEAN,
        LockState: *mut LOCK_STATE,
    );

    /// Lets go of it and stays at DISPATCH_LEVEL. DISPATCH_LEVEL
    /// (`nf-ndis-ndisdprreleasereadwritelock.md`).
    fn NdisDprReleaseReadWriteLock [DISPATCH_LEVEL, DISPATCH_LEVEL] (
        Lock: *mut NDIS_RW_LOCK,
        LockState: *mut LOCK_STATE,
    );

    /// Makes a timer. Up to DISPATCH_LEVEL (`nf-ndis-ndisallocatetimerobject.md`).
    fn NdisAllocateTimerObject [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisHandle: NDIS_HANDLE,
        TimerCharacteristics: *mut NDIS_TIMER_CHARACTERISTICS,
        pTimerObject: *mut NDIS_HANDLE,
    ) -> NDIS_STATUS;

    /// Sets a timer, in 100 ns, negative from now; true if it was set already. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndissettimerobject.md`).
    fn NdisSetTimerObject [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        TimerObject: NDIS_HANDLE,
        DueTime: LARGE_INTEGER,
        MillisecondsPeriod: LONG,
        FunctionContext: PVOID,
    ) -> BOOLEAN;

    /// The same with a tolerance in milliseconds. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndissetcoalescabletimerobject.md`).
    fn NdisSetCoalescableTimerObject [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        TimerObject: NDIS_HANDLE,
        DueTime: LARGE_INTEGER,
        MillisecondsPeriod: LONG,
        FunctionContext: PVOID,
        Tolerance: ULONG,
    ) -> BOOLEAN;

    /// Cancels a timer, a periodic one at PASSIVE_LEVEL only; true if it was set. Up to
    /// DISPATCH_LEVEL (`nf-ndis-ndiscanceltimerobject.md`).
    fn NdisCancelTimerObject [PASSIVE_LEVEL, DISPATCH_LEVEL] (TimerObject: NDIS_HANDLE) -> BOOLEAN;

    /// Frees a timer that is not set. Up to DISPATCH_LEVEL (`nf-ndis-ndisfreetimerobject.md`).
    fn NdisFreeTimerObject [PASSIVE_LEVEL, DISPATCH_LEVEL] (TimerObject: NDIS_HANDLE);

    /// Makes a work item, null if memory is short. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndisallocateioworkitem.md`).
    fn NdisAllocateIoWorkItem [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisObjectHandle: NDIS_HANDLE,
    ) -> NDIS_HANDLE;

    /// Has a system thread run the routine. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndisqueueioworkitem.md`).
    fn NdisQueueIoWorkItem [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        NdisIoWorkItemHandle: NDIS_HANDLE,
        Routine: NDIS_IO_WORKITEM_ROUTINE,
        WorkItemContext: PVOID,
    );

    /// Frees a work item that is not queued. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndisfreeioworkitem.md`).
    fn NdisFreeIoWorkItem [PASSIVE_LEVEL, DISPATCH_LEVEL] (NdisIoWorkItemHandle: NDIS_HANDLE);

    /// Queues a work item of the older kind. Up to DISPATCH_LEVEL
    /// (`nf-ndis-ndisscheduleworkitem.md`).
    fn NdisScheduleWorkItem [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        WorkItem: *mut NDIS_WORK_ITEM,
    ) -> NDIS_STATUS;

    /// Sleeps. Up to APC_LEVEL (`nf-ndis-ndismsleep.md`).
    fn NdisMSleep [PASSIVE_LEVEL, APC_LEVEL] (MicrosecondsToSleep: ULONG);

    /// Milliseconds since the system started. Any IRQL (`nf-ndis-ndisgetsystemuptimeex.md`).
    fn NdisGetSystemUpTimeEx [PASSIVE_LEVEL, HIGH_LEVEL] (pSystemUpTime: *mut LARGE_INTEGER);
}
