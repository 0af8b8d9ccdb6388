//! Functions of ntoskrnl.exe that `ndis-sys` does not declare, because NDIS drivers seldom call them,
//! and the structures that they work on. Each is declared after its reference page.

#![allow(non_snake_case, reason = "the names are those of the documents")]

use core::{cell::UnsafeCell, ffi::c_void};

use crate::sys::{
    BOOLEAN, KDPC, KEVENT, KIRQL, KTIMER, LIST_ENTRY, MDL, NTSTATUS, SLIST_ENTRY, SLIST_HEADER,
    UNICODE_STRING,
};

/// Memory for one of the kernel's structures, zeroed.
#[repr(C, align(128))]
pub struct Place<T>(UnsafeCell<T>);

// SAFETY: only functions of the kernel touch it, which may run on any number of processors.
unsafe impl<T> Sync for Place<T> {}

impl<T> Place<T> {
    /// Memory with that content.
    pub const fn new(content: T) -> Self {
        Self(UnsafeCell::new(content))
    }

    /// Where it is.
    pub const fn get(&self) -> *mut T {
        self.0.get()
    }
}

/// KMUTANT.
pub type Mutex = [u64; 7];

/// KSEMAPHORE.
pub type Semaphore = [u64; 4];

/// NPAGED_LOOKASIDE_LIST.
pub type Lookaside = [u64; 16];

/// EVENT_DATA_DESCRIPTOR: a piece of an event's data.
#[repr(C)]
pub struct EventData {
    address: u64,
    size: u32,
    kind: u32,
}

impl EventData {
    /// Data of fields.
    pub const DATA: u32 = 0;
    /// What TraceLogging says of the event.
    pub const EVENT_METADATA: u32 = 1;

    /// A piece of that kind, which stays until the event is written.
    pub fn new(bytes: &[u8], kind: u32) -> Self {
        Self {
            address: bytes.as_ptr().addr() as u64,
            size: bytes.len() as u32,
            kind,
        }
    }
}

/// FAST_MUTEX, initialized as the inline function `ExInitializeFastMutex` does.
#[repr(C)]
pub struct FastMutex {
    /// 1 while nobody holds it.
    pub Count: i32,
    /// Who holds it.
    pub Owner: *mut c_void,
    /// How often somebody had to wait.
    pub Contention: u32,
    /// What waiters wait for.
    pub Event: KEVENT,
    /// The IRQL to go back to.
    pub OldIrql: u32,
}

impl FastMutex {
    /// One that nobody holds.
    pub const fn new() -> Self {
        Self {
            Count: 1,
            Owner: core::ptr::null_mut(),
            Contention: 0,
            Event: KEVENT::zeroed(),
            OldIrql: 0,
        }
    }
}

#[link(name = "ntoskrnl.exe", kind = "raw-dylib", modifiers = "+verbatim")]
unsafe extern "system" {
    /// `nf-wdm-exallocatepoolwithtag.md`
    pub fn ExAllocatePoolWithTag(pool_type: u32, bytes: usize, tag: u32) -> *mut c_void;
    /// `nf-wdm-exinitializenpagedlookasidelist.md`
    pub fn ExInitializeNPagedLookasideList(
        list: *mut Lookaside,
        allocate: *mut c_void,
        free: *mut c_void,
        flags: u32,
        bytes: usize,
        tag: u32,
        depth: u16,
    );
    /// `nf-wdm-exdeletenpagedlookasidelist.md`
    pub fn ExDeleteNPagedLookasideList(list: *mut Lookaside);
    /// `nf-wdm-exflushlookasidelistex.md`
    pub fn ExFlushLookasideListEx(list: *mut Lookaside);
    /// `nf-wdm-exacquirefastmutex.md`
    pub fn ExAcquireFastMutex(mutex: *mut FastMutex);
    /// `nf-wdm-exreleasefastmutex.md`
    pub fn ExReleaseFastMutex(mutex: *mut FastMutex);
    /// `nf-wdm-exacquirespinlockexclusive.md`
    pub fn ExAcquireSpinLockExclusive(lock: *mut u32) -> KIRQL;
    /// `nf-wdm-exreleasespinlockexclusive.md`
    pub fn ExReleaseSpinLockExclusive(lock: *mut u32, irql: KIRQL);
    /// `nf-wdm-exinitializerundownprotection.md`
    pub fn ExInitializeRundownProtection(reference: *mut usize);
    /// `nf-wdm-exacquirerundownprotection.md`
    pub fn ExAcquireRundownProtection(reference: *mut usize) -> BOOLEAN;
    /// `nf-wdm-exreleaserundownprotection.md`
    pub fn ExReleaseRundownProtection(reference: *mut usize);
    /// `nf-wdm-exwaitforrundownprotectionrelease.md`
    pub fn ExWaitForRundownProtectionRelease(reference: *mut usize);
    /// `nf-wdm-exreinitializerundownprotection.md`
    pub fn ExReInitializeRundownProtection(reference: *mut usize);
    /// `nf-wdm-exinterlockedinserttaillist.md`
    pub fn ExInterlockedInsertTailList(
        head: *mut LIST_ENTRY,
        entry: *mut LIST_ENTRY,
        lock: *mut usize,
    ) -> *mut LIST_ENTRY;
    /// What the inline function `InterlockedPushEntrySList` calls.
    pub fn ExpInterlockedPushEntrySList(
        head: *mut SLIST_HEADER,
        entry: *mut SLIST_ENTRY,
    ) -> *mut SLIST_ENTRY;
    /// `nf-wdm-keinitializetimer.md`
    pub fn KeInitializeTimer(timer: *mut KTIMER);
    /// `nf-wdm-kesettimer.md`
    pub fn KeSetTimer(timer: *mut KTIMER, due: i64, dpc: *mut KDPC) -> BOOLEAN;
    /// `nf-wdm-kecanceltimer.md`
    pub fn KeCancelTimer(timer: *mut KTIMER) -> BOOLEAN;
    /// `nf-wdm-keinitializemutex.md`
    pub fn KeInitializeMutex(mutex: *mut Mutex, level: u32);
    /// `nf-wdm-kereleasemutex.md`
    pub fn KeReleaseMutex(mutex: *mut Mutex, wait: BOOLEAN) -> i32;
    /// `nf-wdm-keinitializesemaphore.md`
    pub fn KeInitializeSemaphore(semaphore: *mut Semaphore, count: i32, limit: i32);
    /// `nf-wdm-kereleasesemaphore.md`
    pub fn KeReleaseSemaphore(
        semaphore: *mut Semaphore,
        increment: i32,
        adjustment: i32,
        wait: BOOLEAN,
    ) -> i32;
    /// `nf-wdm-kestallexecutionprocessor.md`
    pub fn KeStallExecutionProcessor(microseconds: u32);
    /// `nf-wdm-dbgbreakpoint.md`
    pub fn DbgBreakPoint();
    /// `nf-wdm-mmprobeandlockpages.md`
    pub fn MmProbeAndLockPages(mdl: *mut MDL, mode: i8, operation: i32);
    /// `nf-wdm-mmunlockpages.md`
    pub fn MmUnlockPages(mdl: *mut MDL);
    /// `nf-wdm-iobuildpartialmdl.md`
    pub fn IoBuildPartialMdl(source: *mut MDL, target: *mut MDL, address: *mut c_void, bytes: u32);
    /// `nf-wdm-ioallocateworkitem.md`
    pub fn IoAllocateWorkItem(device: *mut c_void) -> *mut c_void;
    /// `nf-wdm-ioqueueworkitem.md`
    pub fn IoQueueWorkItem(
        item: *mut c_void,
        routine: Option<unsafe extern "efiapi" fn(*mut c_void, *mut c_void)>,
        queue: i32,
        context: *mut c_void,
    );
    /// `nf-wdm-iofreeworkitem.md`
    pub fn IoFreeWorkItem(item: *mut c_void);
    /// `nf-wdm-pscreatesystemthread.md`
    pub fn PsCreateSystemThread(
        handle: *mut usize,
        access: u32,
        attributes: *mut c_void,
        process: *mut c_void,
        client: *mut c_void,
        routine: Option<unsafe extern "efiapi" fn(*mut c_void)>,
        context: *mut c_void,
    ) -> NTSTATUS;
    /// `nf-wdm-obreferenceobjectbyhandle.md`
    pub fn ObReferenceObjectByHandle(
        handle: usize,
        access: u32,
        object_type: *mut c_void,
        mode: i8,
        object: *mut *mut c_void,
        information: *mut c_void,
    ) -> NTSTATUS;
    /// What the macro `ObDereferenceObject` calls.
    pub fn ObfDereferenceObject(object: *mut c_void) -> isize;
    /// `nf-ntifs-ntclose.md`
    pub fn ZwClose(handle: usize) -> NTSTATUS;
    /// `nf-wdm-etwregister.md`
    pub fn EtwRegister(
        provider: *const [u8; 16],
        enable: *mut c_void,
        context: *mut c_void,
        handle: *mut u64,
    ) -> NTSTATUS;
    /// `nf-wdm-etwunregister.md`
    pub fn EtwUnregister(handle: u64) -> NTSTATUS;
    /// `nf-wdm-etwwrite.md`
    pub fn EtwWrite(
        handle: u64,
        event: *const c_void,
        activity: *const c_void,
        count: u32,
        data: *const EventData,
    ) -> NTSTATUS;
    /// `nf-wdm-rtlcompareunicodestring.md`
    pub fn RtlCompareUnicodeString(
        first: *const UNICODE_STRING,
        second: *const UNICODE_STRING,
        ignore_case: BOOLEAN,
    ) -> i32;
}
