//! The rules of ntoskrnl: pool, locks, memory, objects. Driver Verifier's checks are named by the
//! first parameter of its bug check 0xC4.

super::rules! {
    // Pool.
    BAD_POOL_CALLER = "BAD_POOL_CALLER", "pool is allocated and freed with valid arguments: a known block, once, with its tag", "bug-check-0xc2--bad-pool-caller.md";
    POOL_FREE_UNKNOWN = "DRIVER_VERIFIER_DETECTED_VIOLATION 0x10", "only what an allocation returned is freed", "bug-check-0xc4--driver-verifier-detected-violation.md";
    POOL_DOUBLE_FREE = "DRIVER_VERIFIER_DETECTED_VIOLATION 0x13", "a pool block is freed once", "bug-check-0xc4--driver-verifier-detected-violation.md";
    POOL_ZERO_SIZE = "DRIVER_VERIFIER_DETECTED_VIOLATION 0x00", "no allocation of zero bytes", "bug-check-0xc4--driver-verifier-detected-violation.md";
    POOL_LEAK = "DRIVER_VERIFIER_DETECTED_VIOLATION 0x62", "a driver frees all its pool before it is unloaded", "bug-check-0xc4--driver-verifier-detected-violation.md";
    POOL_CONTAINS_LIVE_OBJECT = "DRIVER_VERIFIER_DETECTED_VIOLATION 0x15", "freed pool holds no timer, lock or list that is in use", "bug-check-0xc4--driver-verifier-detected-violation.md";
    SPECIAL_POOL_CORRUPTION = "SPECIAL_POOL_DETECTED_MEMORY_CORRUPTION", "nothing is written outside of a pool block, nor into it once it is freed", "bug-check-0xc1--special-pool-detected-memory-corruption.md";
    PAGE_FAULT_IN_FREED_POOL = "DRIVER_PAGE_FAULT_IN_FREED_SPECIAL_POOL", "memory is not touched once it is freed", "bug-check-0xd5--driver-page-fault-in-freed-special-pool.md";
    PAGE_FAULT_BEYOND_END = "DRIVER_PAGE_FAULT_BEYOND_END_OF_ALLOCATION", "memory is not touched outside of its allocation", "bug-check-0xd6--driver-page-fault-beyond-end-of-allocation.md";

    // Spin locks.
    SPIN_LOCK_ALREADY_OWNED = "SPIN_LOCK_ALREADY_OWNED", "a spin lock is not acquired again by its holder", "bug-check-0xf--spin-lock-already-owned.md";
    SPIN_LOCK_NOT_OWNED = "SPIN_LOCK_NOT_OWNED", "only the holder of a spin lock releases it", "bug-check-0x10--spin-lock-not-owned.md";
    SPIN_LOCK_INIT_FAILURE = "SPIN_LOCK_INIT_FAILURE", "a spin lock is initialized before its first use, and its word is the kernel's", "bug-check-0x81--spin-lock-init-failure.md";
    SPIN_LOCK_DEADLOCK = "DRIVER_VERIFIER_DETECTED_VIOLATION 0x1001", "locks are acquired in one order, so that no two threads wait for each other", "bug-check-0xc4--driver-verifier-detected-violation.md";

    // Faults.
    PAGE_FAULT_IN_NONPAGED_AREA = "PAGE_FAULT_IN_NONPAGED_AREA", "a driver touches only memory that exists", "bug-check-0x50--page-fault-in-nonpaged-area.md";
    WRITE_TO_READONLY = "ATTEMPTED_WRITE_TO_READONLY_MEMORY", "a driver writes to no read-only memory, its own code and constants included", "bug-check-0xbe--attempted-write-to-readonly-memory.md";
    EXECUTE_OF_NOEXECUTE = "ATTEMPTED_EXECUTE_OF_NOEXECUTE_MEMORY", "a driver executes code only", "bug-check-0xfc---attempted-execute-of-noexecute-memory.md";
    UNLOADED_WITH_PENDING = "DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS", "nothing calls into a driver that was unloaded", "bug-check-0xce--driver-unloaded-without-cancelling-pending-operations.md";
    EXCEPTION_NOT_HANDLED = "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED", "a driver's code raises no exception that it does not handle", "bug-check-0x7e--system-thread-exception-not-handled.md";
    DRIVER_BUGCHECK = "KeBugCheckEx", "a driver does not have to stop the system", "nf-wdm-kebugcheckex.md";
    STACK_BUFFER_OVERRUN = "DRIVER_OVERRAN_STACK_BUFFER", "a function leaves the stack around its variables alone", "bug-check-0xf7--driver-overran-stack-buffer.md";
    SECURITY_CHECK_FAILURE = "KERNEL_SECURITY_CHECK_FAILURE", "lists and other checked structures are whole", "bug-check-0x139--kernel-security-check-failure.md";

    // Waiting, objects, MDLs.
    WAIT_AT_DISPATCH = "DRIVER_VERIFIER_DETECTED_VIOLATION 0x3B", "no wait at DISPATCH_LEVEL or above", "bug-check-0xc4--driver-verifier-detected-violation.md";
    LEAVE_CRITICAL_REGION = "DRIVER_VERIFIER_DETECTED_VIOLATION 0x3E", "KeLeaveCriticalRegion follows KeEnterCriticalRegion", "bug-check-0xc4--driver-verifier-detected-violation.md";
    MUTEX_NOT_OWNED = "STATUS_MUTANT_NOT_OWNED", "a mutex is released by the thread that holds it", "nf-wdm-kereleasemutex.md";
    OBJECT_NOT_INITIALIZED = "Dispatcher objects", "an event, mutex, semaphore, timer or DPC is initialized before its first use", "introduction-to-kernel-dispatcher-objects.md";
    MDL_NOT_LOCKED = "DRIVER_VERIFIER_DETECTED_VIOLATION 0xB3", "an MDL is mapped only when its pages are locked or nonpaged", "bug-check-0xc4--driver-verifier-detected-violation.md";
    MDL_FREED_WHILE_MAPPED = "DRIVER_VERIFIER_DETECTED_VIOLATION 0xB8", "an MDL's mapping is given back before the MDL", "bug-check-0xc4--driver-verifier-detected-violation.md";
    MDL_BUILT_WITH_FLAGS = "DRIVER_VERIFIER_DETECTED_VIOLATION 0x7F", "MmBuildMdlForNonPagedPool gets an MDL that is not built, locked or mapped", "bug-check-0xc4--driver-verifier-detected-violation.md";
    MDL_UNLOCKED_NOT_LOCKED = "DRIVER_VERIFIER_DETECTED_VIOLATION 0x7C", "only pages that were locked are unlocked", "bug-check-0xc4--driver-verifier-detected-violation.md";
    MDL_NOT_MAPPED = "DRIVER_VERIFIER_DETECTED_VIOLATION 0xB6", "only an MDL that is mapped is unmapped", "bug-check-0xc4--driver-verifier-detected-violation.md";
    MDL_MAPPED_TWICE = "MmMapLockedPagesSpecifyCache", "an MDL has at most one mapping into the system's addresses", "nf-wdm-mmmaplockedpagesspecifycache.md";
    MDL_PARTIAL_OUTSIDE = "IoBuildPartialMdl", "a partial MDL describes a part of its source's buffer and is large enough for it", "nf-wdm-iobuildpartialmdl.md";
    LOOKASIDE_REINITIALIZED = "DRIVER_VERIFIER_DETECTED_VIOLATION 0xCA", "a lookaside list is initialized once", "bug-check-0xc4--driver-verifier-detected-violation.md";
    LOOKASIDE_NOT_INITIALIZED = "DRIVER_VERIFIER_DETECTED_VIOLATION 0xCB", "only an initialized lookaside list is deleted", "bug-check-0xc4--driver-verifier-detected-violation.md";
    INVALID_STRING = "Counted strings", "a UNICODE_STRING's length is even and at most its maximum, and its buffer exists", "ns-wdf-_unicode_string.md";
}
