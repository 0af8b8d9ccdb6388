//! The kernel functions that NDIS drivers call beside NDIS itself: spin locks, IRQL, pool,
//! mappings, waiting (`ntoskrnl.exe`). `DbgPrint`, which takes any number of arguments, and the C
//! library's memory functions are not here.

use crate::declare::functions;
use crate::io::*;
use crate::nt::*;

functions! {
    "ntoskrnl.exe";

    /// Takes a spin lock and raises to DISPATCH_LEVEL; returns the IRQL before it. Up to
    /// DISPATCH_LEVEL (`nf-wdm-keacquirespinlockraisetodpc.md`).
    fn KeAcquireSpinLockRaiseToDpc [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        SpinLock: *mut KSPIN_LOCK,
    ) -> KIRQL;

    /// Lets go of a spin lock and sets that IRQL. DISPATCH_LEVEL (`nf-wdm-kereleasespinlock.md`).
    fn KeReleaseSpinLock [DISPATCH_LEVEL, DISPATCH_LEVEL] (
        SpinLock: *mut KSPIN_LOCK,
        NewIrql: KIRQL,
    );

    /// Takes a spin lock. DISPATCH_LEVEL to HIGH_LEVEL (`nf-wdm-keacquirespinlockatdpclevel.md`).
    fn KeAcquireSpinLockAtDpcLevel [DISPATCH_LEVEL, HIGH_LEVEL] (SpinLock: *mut KSPIN_LOCK);

    /// Lets go of a spin lock and stays there. DISPATCH_LEVEL
    /// (`nf-wdm-kereleasespinlockfromdpclevel.md`).
    fn KeReleaseSpinLockFromDpcLevel [DISPATCH_LEVEL, DISPATCH_LEVEL] (SpinLock: *mut KSPIN_LOCK);

    /// Takes a spin lock if it is free. DISPATCH_LEVEL
    /// (`nf-wdm-ketrytoacquirespinlockatdpclevel.md`).
    fn KeTryToAcquireSpinLockAtDpcLevel [DISPATCH_LEVEL, DISPATCH_LEVEL] (
        SpinLock: *mut KSPIN_LOCK,
    ) -> BOOLEAN;

    /// Makes a spin lock. Any IRQL (`nf-wdm-keinitializespinlock.md`).
    fn KeInitializeSpinLock [PASSIVE_LEVEL, HIGH_LEVEL] (SpinLock: *mut KSPIN_LOCK);

    /// The IRQL now. Any IRQL (`nf-wdm-kegetcurrentirql.md`).
    fn KeGetCurrentIrql [PASSIVE_LEVEL, HIGH_LEVEL] () -> KIRQL;

    /// Raises the IRQL; returns the one before it. Any IRQL.
    fn KfRaiseIrql [PASSIVE_LEVEL, HIGH_LEVEL] (NewIrql: KIRQL) -> KIRQL;

    /// Lowers the IRQL. Any IRQL (`nf-wdm-kelowerirql.md`).
    fn KeLowerIrql [PASSIVE_LEVEL, HIGH_LEVEL] (NewIrql: KIRQL);

    /// Stops the system. Any IRQL (`nf-wdm-kebugcheckex.md`).
    fn KeBugCheckEx [PASSIVE_LEVEL, HIGH_LEVEL] (
        BugCheckCode: ULONG,
        BugCheckParameter1: ULONG_PTR,
        BugCheckParameter2: ULONG_PTR,
        BugCheckParameter3: ULONG_PTR,
        BugCheckParameter4: ULONG_PTR,
    ) -> !;

    /// Holds back normal kernel calls into this thread. Up to APC_LEVEL
    /// (`nf-ntddk-keentercriticalregion.md`).
    fn KeEnterCriticalRegion [PASSIVE_LEVEL, APC_LEVEL] ();

    /// Lets them again. Up to APC_LEVEL (`nf-ntddk-keleavecriticalregion.md`).
    fn KeLeaveCriticalRegion [PASSIVE_LEVEL, APC_LEVEL] ();

    /// How many processors run. Any IRQL (`nf-ntddk-kequeryactiveprocessorcountex.md`).
    fn KeQueryActiveProcessorCountEx [PASSIVE_LEVEL, HIGH_LEVEL] (GroupNumber: USHORT) -> ULONG;

    /// Waits until queued deferred procedure calls have run. PASSIVE_LEVEL
    /// (`nf-wdm-keflushqueueddpcs.md`).
    fn KeFlushQueuedDpcs [PASSIVE_LEVEL, PASSIVE_LEVEL] ();

    /// Makes a deferred procedure call. Any IRQL (`nf-wdm-keinitializedpc.md`).
    fn KeInitializeDpc [PASSIVE_LEVEL, HIGH_LEVEL] (
        Dpc: *mut KDPC,
        DeferredRoutine: PKDEFERRED_ROUTINE,
        DeferredContext: PVOID,
    );

    /// Queues it; false if it was queued. Any IRQL (`nf-wdm-keinsertqueuedpc.md`).
    fn KeInsertQueueDpc [PASSIVE_LEVEL, HIGH_LEVEL] (
        Dpc: *mut KDPC,
        SystemArgument1: PVOID,
        SystemArgument2: PVOID,
    ) -> BOOLEAN;

    /// Takes it from the queue; true if it was there. Any IRQL (`nf-wdm-keremovequeuedpc.md`).
    fn KeRemoveQueueDpc [PASSIVE_LEVEL, HIGH_LEVEL] (Dpc: *mut KDPC) -> BOOLEAN;

    /// Makes an event. Any IRQL (`nf-wdm-keinitializeevent.md`).
    fn KeInitializeEvent [PASSIVE_LEVEL, HIGH_LEVEL] (
        Event: *mut KEVENT,
        Type: EVENT_TYPE,
        State: BOOLEAN,
    );

    /// Sets an event; returns its state before. Up to DISPATCH_LEVEL (`nf-wdm-kesetevent.md`).
    fn KeSetEvent [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        Event: *mut KEVENT,
        Increment: LONG,
        Wait: BOOLEAN,
    ) -> LONG;

    /// Clears an event. Up to DISPATCH_LEVEL (`nf-wdm-keclearevent.md`).
    fn KeClearEvent [PASSIVE_LEVEL, DISPATCH_LEVEL] (Event: *mut KEVENT);

    /// Waits, above APC_LEVEL only with a timeout of zero. Up to DISPATCH_LEVEL
    /// (`nf-wdm-kewaitforsingleobject.md`).
    fn KeWaitForSingleObject [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        Object: PVOID,
        WaitReason: KWAIT_REASON,
        WaitMode: KPROCESSOR_MODE,
        Alertable: BOOLEAN,
        Timeout: *mut LARGE_INTEGER,
    ) -> NTSTATUS;

    /// Sleeps. Up to APC_LEVEL (`nf-wdm-kedelayexecutionthread.md`).
    fn KeDelayExecutionThread [PASSIVE_LEVEL, APC_LEVEL] (
        WaitMode: KPROCESSOR_MODE,
        Alertable: BOOLEAN,
        Interval: *mut LARGE_INTEGER,
    ) -> NTSTATUS;

    /// Allocates zeroed memory, null if memory is short; paged memory up to APC_LEVEL. Up to
    /// DISPATCH_LEVEL (`nf-wdm-exallocatepool2.md`).
    fn ExAllocatePool2 [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        Flags: POOL_FLAGS,
        NumberOfBytes: SIZE_T,
        Tag: ULONG,
    ) -> PVOID;

    /// Frees it. Up to DISPATCH_LEVEL (`nf-ntddk-exfreepool.md`).
    fn ExFreePool [PASSIVE_LEVEL, DISPATCH_LEVEL] (P: PVOID);

    /// Frees it and checks its tag. Up to DISPATCH_LEVEL (`nf-wdm-exfreepoolwithtag.md`).
    fn ExFreePoolWithTag [PASSIVE_LEVEL, DISPATCH_LEVEL] (P: PVOID, Tag: ULONG);

    /// Maps an MDL's pages, null if that fails. Up to DISPATCH_LEVEL
    /// (`nf-wdm-mmmaplockedpagesspecifycache.md`).
    fn MmMapLockedPagesSpecifyCache [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        MemoryDescriptorList: *mut MDL,
        AccessMode: KPROCESSOR_MODE,
        CacheType: MEMORY_CACHING_TYPE,
        RequestedAddress: PVOID,
        BugCheckOnFailure: ULONG,
        Priority: ULONG,
    ) -> PVOID;

    /// Undoes that. Up to DISPATCH_LEVEL (`nf-wdm-mmunmaplockedpages.md`).
    fn MmUnmapLockedPages [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        BaseAddress: PVOID,
        MemoryDescriptorList: *mut MDL,
    );

    /// Fills an MDL for nonpaged memory. Up to DISPATCH_LEVEL
    /// (`nf-wdm-mmbuildmdlfornonpagedpool.md`).
    fn MmBuildMdlForNonPagedPool [PASSIVE_LEVEL, DISPATCH_LEVEL] (MemoryDescriptorList: *mut MDL);

    /// Makes an MDL, null if memory is short. Up to DISPATCH_LEVEL (`nf-wdm-ioallocatemdl.md`).
    fn IoAllocateMdl [PASSIVE_LEVEL, DISPATCH_LEVEL] (
        VirtualAddress: PVOID,
        Length: ULONG,
        SecondaryBuffer: BOOLEAN,
        ChargeQuota: BOOLEAN,
        Irp: *mut IRP,
    ) -> *mut MDL;

    /// Frees an MDL. Up to DISPATCH_LEVEL (`nf-wdm-iofreemdl.md`).
    fn IoFreeMdl [PASSIVE_LEVEL, DISPATCH_LEVEL] (Mdl: *mut MDL);

    /// Counts a null-terminated string. Any IRQL (`nf-wdm-rtlinitunicodestring.md`).
    fn RtlInitUnicodeString [PASSIVE_LEVEL, HIGH_LEVEL] (
        DestinationString: *mut UNICODE_STRING,
        SourceString: *const WCHAR,
    );

    /// Compares strings. PASSIVE_LEVEL (`nf-wdm-rtlequalunicodestring.md`).
    fn RtlEqualUnicodeString [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        String1: *const UNICODE_STRING,
        String2: *const UNICODE_STRING,
        CaseInSensitive: BOOLEAN,
    ) -> BOOLEAN;

    /// Makes a string upper case. Up to APC_LEVEL (`nf-ntddk-rtlupcaseunicodestring.md`).
    fn RtlUpcaseUnicodeString [PASSIVE_LEVEL, APC_LEVEL] (
        DestinationString: *mut UNICODE_STRING,
        SourceString: *const UNICODE_STRING,
        AllocateDestinationString: BOOLEAN,
    ) -> NTSTATUS;

    /// Makes a registry key, but none that is missing above it. PASSIVE_LEVEL
    /// (`nf-wdm-rtlcreateregistrykey.md`).
    fn RtlCreateRegistryKey [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        RelativeTo: ULONG,
        Path: *const WCHAR,
    ) -> NTSTATUS;

    /// Deletes a registry value. PASSIVE_LEVEL (`nf-wdm-rtldeleteregistryvalue.md`).
    fn RtlDeleteRegistryValue [PASSIVE_LEVEL, PASSIVE_LEVEL] (
        RelativeTo: ULONG,
        Path: *const WCHAR,
        ValueName: *const WCHAR,
    ) -> NTSTATUS;
}
