//! The rules of ntoskrnl: pool, locks, memory, objects. Driver Verifier's checks are named by the
//! first parameter of its bug check 0xC4.

super::rules! {
    // Pool.
    BAD_POOL_CALLER = BugCheck "BAD_POOL_CALLER",
        "pool is allocated and freed with valid arguments: a known block, once, with its tag",
        "when pool is allocated or freed: the tag, and that the tag is the one of the allocation",
        "bug-check-0xc2--bad-pool-caller.md";
    POOL_FREE_UNKNOWN = Verifier "DRIVER_VERIFIER_DETECTED_VIOLATION 0x10",
        "only what an allocation returned is freed",
        "when pool is freed: the table of all blocks has this very address",
        "bug-check-0xc4--driver-verifier-detected-violation.md";
    POOL_DOUBLE_FREE = Verifier "DRIVER_VERIFIER_DETECTED_VIOLATION 0x13",
        "a pool block is freed once",
        "when pool is freed: the block is not among those that were freed",
        "bug-check-0xc4--driver-verifier-detected-violation.md";
    POOL_ZERO_SIZE = Verifier "DRIVER_VERIFIER_DETECTED_VIOLATION 0x00",
        "no allocation of zero bytes",
        "when pool is allocated: the number of bytes",
        "bug-check-0xc4--driver-verifier-detected-violation.md";
    POOL_LEAK = Verifier "DRIVER_VERIFIER_DETECTED_VIOLATION 0x62",
        "a driver frees all its pool before it is unloaded",
        "when DriverUnload has returned: the table of blocks has none that this driver allocated",
        "bug-check-0xc4--driver-verifier-detected-violation.md";
    POOL_CONTAINS_LIVE_OBJECT = Verifier "DRIVER_VERIFIER_DETECTED_VIOLATION 0x15",
        "freed pool holds no timer, lock or list that is in use",
        "when pool is freed: no timer that is set lies in the block",
        "bug-check-0xc4--driver-verifier-detected-violation.md";
    SPECIAL_POOL_CORRUPTION = BugCheck "SPECIAL_POOL_DETECTED_MEMORY_CORRUPTION",
        "nothing is written outside of a pool block, nor into it once it is freed",
        "when pool is freed, and again when its pages are used again: the filling around and in the block is whole",
        "bug-check-0xc1--special-pool-detected-memory-corruption.md";
    PAGE_FAULT_IN_FREED_POOL = BugCheck "DRIVER_PAGE_FAULT_IN_FREED_SPECIAL_POOL",
        "memory is not touched once it is freed",
        "when the processor faults: the address lies on pages that a freed block had; they are inaccessible",
        "bug-check-0xd5--driver-page-fault-in-freed-special-pool.md";
    PAGE_FAULT_BEYOND_END = BugCheck "DRIVER_PAGE_FAULT_BEYOND_END_OF_ALLOCATION",
        "memory is not touched outside of its allocation",
        "when the processor faults: the address lies on the inaccessible page next to a block",
        "bug-check-0xd6--driver-page-fault-beyond-end-of-allocation.md";

    // Spin locks.
    SPIN_LOCK_ALREADY_OWNED = BugCheck "SPIN_LOCK_ALREADY_OWNED",
        "a spin lock is not acquired again by its holder",
        "when a spin lock is acquired: the word of the lock does not name this thread",
        "bug-check-0xf--spin-lock-already-owned.md";
    SPIN_LOCK_NOT_OWNED = BugCheck "SPIN_LOCK_NOT_OWNED",
        "only the holder of a spin lock releases it",
        "when a spin lock is released: the word of the lock names this thread",
        "bug-check-0x10--spin-lock-not-owned.md";
    SPIN_LOCK_INIT_FAILURE = BugCheck "SPIN_LOCK_INIT_FAILURE",
        "a spin lock is initialized before its first use, and its word is the kernel's",
        "when a spin lock is used: its address is aligned, and its word is 0 or names a thread",
        "bug-check-0x81--spin-lock-init-failure.md";
    SPIN_LOCK_DEADLOCK = Verifier "DRIVER_VERIFIER_DETECTED_VIOLATION 0x1001",
        "locks are acquired in one order, so that no two threads wait for each other",
        "when a thread that holds a spin lock, read-write lock or mutex waits for another: the graph of all such orders has no ring; and when a spin lock is waited for: it is had within 30 seconds",
        "bug-check-0xc4--driver-verifier-detected-violation.md";

    SYNTHETIC_WATCHDOG_TIMEOUT = BugCheck "SYNTHETIC_WATCHDOG_TIMEOUT",
        "the system goes on: no thread waits for what never comes",
        "when no thread of a seeded run can go on: one of them waits until a time",
        "bug-check-0x1ca--synthetic-watchdog-timeout.md";

    // Faults.
    PAGE_FAULT_IN_NONPAGED_AREA = BugCheck "PAGE_FAULT_IN_NONPAGED_AREA",
        "a driver touches only memory that exists",
        "when the processor faults: there is no memory at the address",
        "bug-check-0x50--page-fault-in-nonpaged-area.md";
    WRITE_TO_READONLY = BugCheck "ATTEMPTED_WRITE_TO_READONLY_MEMORY",
        "a driver writes to no read-only memory, its own code and constants included",
        "when the processor faults: the driver writes to a section of an image that is mapped read-only",
        "bug-check-0xbe--attempted-write-to-readonly-memory.md";
    EXECUTE_OF_NOEXECUTE = BugCheck "ATTEMPTED_EXECUTE_OF_NOEXECUTE_MEMORY",
        "a driver executes code only",
        "when the processor faults: the driver fetches an instruction from memory that is not code",
        "bug-check-0xfc---attempted-execute-of-noexecute-memory.md";
    UNLOADED_WITH_PENDING = BugCheck "DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS",
        "nothing calls into a driver that was unloaded",
        "when DriverUnload has returned: no timer of the driver is set; and when the processor faults at an address of an image that was unloaded",
        "bug-check-0xce--driver-unloaded-without-cancelling-pending-operations.md";
    EXCEPTION_NOT_HANDLED = BugCheck "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED",
        "a driver's code raises no exception that it does not handle",
        "when the processor raises an exception in a driver's code, or a function is documented to raise one",
        "bug-check-0x7e--system-thread-exception-not-handled.md";
    DRIVER_BUGCHECK = BugCheck "KeBugCheckEx",
        "a driver does not have to stop the system",
        "when the driver calls KeBugCheck or KeBugCheckEx",
        "nf-wdm-kebugcheckex.md";
    STACK_BUFFER_OVERRUN = BugCheck "DRIVER_OVERRAN_STACK_BUFFER",
        "a function leaves the stack around its variables alone",
        "when the driver's own check of its stack cookie ends in int 29h or KeBugCheckEx",
        "bug-check-0xf7--driver-overran-stack-buffer.md";
    SECURITY_CHECK_FAILURE = BugCheck "KERNEL_SECURITY_CHECK_FAILURE",
        "lists and other checked structures are whole",
        "when a list function links or unlinks an entry, and when the driver's own check ends in int 29h",
        "bug-check-0x139--kernel-security-check-failure.md";

    // Waiting, objects, MDLs.
    WAIT_AT_DISPATCH = Verifier "DRIVER_VERIFIER_DETECTED_VIOLATION 0x3B",
        "no wait at DISPATCH_LEVEL or above",
        "when a wait that may block begins: the IRQL",
        "bug-check-0xc4--driver-verifier-detected-violation.md";
    LEAVE_CRITICAL_REGION = Verifier "DRIVER_VERIFIER_DETECTED_VIOLATION 0x3E",
        "KeLeaveCriticalRegion follows KeEnterCriticalRegion",
        "when KeLeaveCriticalRegion is called: the thread's count of regions",
        "bug-check-0xc4--driver-verifier-detected-violation.md";
    MUTEX_NOT_OWNED = Host "STATUS_MUTANT_NOT_OWNED",
        "a mutex is released by the thread that holds it",
        "when a mutex is released: its owner is this thread",
        "nf-wdm-kereleasemutex.md";
    OBJECT_NOT_INITIALIZED = Host "Dispatcher objects",
        "an event, mutex, semaphore, timer or DPC is initialized before its first use",
        "when a dispatcher object or DPC is used: its header names its type, and its list head points at itself or at waiters",
        "introduction-to-kernel-dispatcher-objects.md";
    MDL_NOT_LOCKED = Verifier "DRIVER_VERIFIER_DETECTED_VIOLATION 0xB3",
        "an MDL is mapped only when its pages are locked or nonpaged",
        "when an MDL is mapped: its flags",
        "bug-check-0xc4--driver-verifier-detected-violation.md";
    MDL_FREED_WHILE_MAPPED = Verifier "DRIVER_VERIFIER_DETECTED_VIOLATION 0xB8",
        "an MDL's mapping is given back before the MDL",
        "when an MDL is freed: its flags",
        "bug-check-0xc4--driver-verifier-detected-violation.md";
    MDL_BUILT_WITH_FLAGS = Verifier "DRIVER_VERIFIER_DETECTED_VIOLATION 0x7F",
        "MmBuildMdlForNonPagedPool gets an MDL that is not built, locked or mapped",
        "when an MDL is built for nonpaged pool: its flags",
        "bug-check-0xc4--driver-verifier-detected-violation.md";
    MDL_UNLOCKED_NOT_LOCKED = Verifier "DRIVER_VERIFIER_DETECTED_VIOLATION 0x7C",
        "only pages that were locked are unlocked",
        "when pages are unlocked: the flags of the MDL",
        "bug-check-0xc4--driver-verifier-detected-violation.md";
    MDL_NOT_MAPPED = Verifier "DRIVER_VERIFIER_DETECTED_VIOLATION 0xB6",
        "only an MDL that is mapped is unmapped",
        "when an MDL is unmapped: its flags",
        "bug-check-0xc4--driver-verifier-detected-violation.md";
    MDL_MAPPED_TWICE = Host "MmMapLockedPagesSpecifyCache",
        "an MDL has at most one mapping into the system's addresses",
        "when an MDL is mapped: its flags",
        "nf-wdm-mmmaplockedpagesspecifycache.md";
    MDL_PARTIAL_OUTSIDE = Host "IoBuildPartialMdl",
        "a partial MDL describes a part of its source's buffer and is large enough for it",
        "when a partial MDL is built: its range against the source's, and the size of the target",
        "nf-wdm-iobuildpartialmdl.md";
    LOOKASIDE_REINITIALIZED = Verifier "DRIVER_VERIFIER_DETECTED_VIOLATION 0xCA",
        "a lookaside list is initialized once",
        "when a lookaside list is initialized: the table of lists does not have it",
        "bug-check-0xc4--driver-verifier-detected-violation.md";
    LOOKASIDE_NOT_INITIALIZED = Verifier "DRIVER_VERIFIER_DETECTED_VIOLATION 0xCB",
        "only an initialized lookaside list is deleted",
        "when a lookaside list is deleted: the table of lists has it",
        "bug-check-0xc4--driver-verifier-detected-violation.md";
    INVALID_STRING = Host "Counted strings",
        "a UNICODE_STRING's length is even and at most its maximum, and its buffer exists",
        "when a counted string is passed to a function: Length, MaximumLength and Buffer",
        "ns-wdf-_unicode_string.md";
}
