//! The rules of Driver Verifier and Static Driver Verifier for network drivers.
//!
//! Those about the IRQL are in `rules::irql`, the bug checks of ndis.sys in `rules::bug_checks`.

super::rules! {
    INIT_DE_REGISTER_INTERRUPT = Verifier "Init_DeRegisterInterrupt",
        "interrupt registered in initialise must be deregistered in halt",
        "when an interrupt is deregistered: its adapter is in MiniportInitializeEx or MiniportHaltEx; what a halt leaves is a bug check of ndis.sys",
        "ndis-init-deregisterinterrupt.md";
    INIT_NDIS_ALLOCATE_IO_WORK_ITEM = Verifier "Init_NdisAllocateIoWorkItem",
        "work item allocated in MiniportInitializeEx must be freed in MiniportHaltEx, or inside initialise if that fails",
        "when MiniportHaltEx has returned, or MiniportInitializeEx with an error: no work item of the adapter is left; and when one is queued or freed: it is not queued",
        "ndis-init-ndisallocateioworkitem.md";
    INIT_REGISTER_INTERRUPT = Verifier "Init_RegisterInterrupt",
        "interrupt registration undone when initialise fails or at halt",
        "when an interrupt is registered: its adapter is in MiniportInitializeEx, and its functions are there; what a failed initialize leaves is a bug check of ndis.sys",
        "ndis-init-registerinterrupt.md";
    INIT_REGISTER_SG = Verifier "Init_RegisterSG",
        "scatter/gather DMA registration undone when initialise fails or at halt",
        "when MiniportHaltEx has returned, or MiniportInitializeEx with an error: no DMA channel of the adapter is registered; and when one or a list of it ends: its lists were freed, once",
        "ndis-init-registersg.md";
    NDIS_M_MAP_IO_SPACE = Verifier "NdisMMapIoSpace",
        "only inside MiniportInitializeEx",
        "when device registers are mapped: the adapter is in MiniportInitializeEx; and when they are unmapped: they are mapped",
        "ndis-ndismmapiospace.md";
    NDIS_M_REGISTER_IO_PORT_RANGE = Verifier "NdisMRegisterIoPortRange",
        "only inside MiniportInitializeEx or MiniportAddDevice, after NdisMSetMiniportAttributes",
        "when I/O ports are registered: the adapter is in MiniportInitializeEx, with its registration attributes set",
        "ndis-ndismregisterioportrange.md";
    WRITE_ERROR_LOG = Verifier "WriteErrorLog",
        "failed NdisMAllocateSharedMemory in initialise should be logged",
        "when MiniportInitializeEx has returned: a failed allocation was followed by NdisWriteErrorLogEntry",
        "ndis-writeerrorlog.md";
    NDIS_F_DEREGISTER_FILTER_DRIVER = Verifier "NdisFDeregisterFilterDriver",
        "filter driver deregisters in its unload routine",
        "when DriverUnload has returned: no filter driver of the image is registered",
        "ndis-ndisfderegisterfilterdriver.md";
    NDIS_M_DEREGISTER_INTERRUPT_EX = Verifier "NdisMDeregisterInterruptEx",
        "no NdisMSynchronizeWithInterruptEx after interrupt deregistration returned",
        "when NdisMSynchronizeWithInterruptEx is called: the interrupt is registered",
        "ndis-ndismderegisterinterruptex.md";
    SPIN_LOCK = Verifier "SpinLock",
        "acquire only when unlocked; released before the miniport handler exits",
        "when a miniport, protocol or filter function returns: the thread holds no lock that it did not hold at the call; and when a read-write lock is released: this thread holds it",
        "ndis-spinlock.md";
    SPIN_LOCK_BALANCED = Verifier "SpinLockBalanced",
        "number of acquires equals number of releases of the same lock",
        "when an NDIS spin lock or older read-write lock is released: the call belongs to the one that acquired it, of the two forms; and when a DPC, timer, work item, dispatch or thread routine returns: the thread holds no lock more than at the call",
        "ndis-spinlockbalanced.md";
    SPIN_LOCK_DPR = Verifier "SpinLockDpr",
        "dpr acquire only when unlocked; released before handler exits",
        "when NdisDprAcquireSpinLock is called: this thread does not hold the lock by that call; and when a miniport, protocol or filter function returns: the thread holds no lock that was acquired at DISPATCH_LEVEL inside",
        "ndis-spinlockdpr.md";
    SPIN_LOCK_DPR_RELEASE = Verifier "SpinLockDprRelease",
        "either acquire form only when unlocked; released before handler exits",
        "when an NDIS spin lock is acquired: this thread does not hold it by the other form",
        "ndis-spinlockdprrelease.md";
    SPINLOCK_RELEASE = Verifier "SpinlockRelease",
        "release only a lock that was acquired",
        "when a spin lock is released: the word of the lock is not 0",
        "ndis-spinlockrelease.md";
    NDIS_ALLOCATE_GENERIC_OBJECT = Verifier "NdisAllocateGenericObject",
        "generic object allocate/free alternate; all freed at end of MiniportHaltEx",
        "when DriverUnload has returned: no generic object of the image is left; and when one is freed: it was not freed before",
        "ndis-ndisallocategenericobject.md";
    NDIS_ALLOCATE_MDL = Verifier "NdisAllocateMdl",
        "MDL allocate/free alternate; all freed at end of MiniportHaltEx",
        "when NdisFreeMdl is called: the MDL is one that NdisAllocateMdl gave out, with its byte count",
        "ndis-ndisallocatemdl.md";
    NDIS_ALLOCATE_MEMORY_WITH_TAG_PRIORITY = Verifier "NdisAllocateMemoryWithTagPriority",
        "allocation must carry a tag",
        "when memory is allocated: the tag is not 0",
        "ndis-ndisallocatememorywithtagpriority.md";
    NDIS_ALLOCATE_NET_BUFFER = Verifier "NdisAllocateNetBuffer",
        "NB allocate/free alternate; all freed at end of MiniportHaltEx",
        "when a NET_BUFFER or its pool is freed: the table of NET_BUFFERs has it as one of its own, and the pool is empty",
        "ndis-ndisallocatenetbuffer.md";
    NDIS_M_FREE_SHARED_MEMORY = Verifier "NdisMFreeSharedMemory",
        "not from MiniportShutdownEx",
        "when NdisMFreeSharedMemory is called: the thread is in no MiniportShutdownEx",
        "ndis-ndismfreesharedmemory.md";
    NDIS_M_INDICATE_STATUS_EX = Verifier "NdisMIndicateStatusEx",
        "no status indication after MiniportHaltEx returned",
        "when NdisMIndicateStatusEx is called: the handle is not that of an adapter whose halt has returned",
        "ndis-ndismindicatestatusex.md";
    CANCEL_TIMER_OBJECT = Verifier "CancelTimerObject",
        "set and cancel alternate; no timer still set when MiniportHaltEx ends",
        "when a timer object is freed: it is not set and its function does not run; when its adapter ends: it was freed",
        "ndis-canceltimerobject.md";
    MINIPORT_PAUSE_RETURN = Verifier "MiniportPauseReturn",
        "miniportPause returns only SUCCESS or PENDING",
        "when MiniportPause returns: the status",
        "ndis-miniportpause-return.md";
    NDIS_OPEN_CONFIGURATION_EX = Verifier "NdisOpenConfigurationEx",
        "open/close alternate; handle closed when MiniportHaltEx ends",
        "when the handle that a configuration was opened with ends: it was closed",
        "ndis-ndisopenconfigurationex.md";
    NDIS_QUERY_BIND_INSTANCE_NAME = Verifier "NdisQueryBindInstanceName",
        "returned name must be freed with NdisFreeMemory",
        "when DriverUnload has returned: no name that the driver was given is left",
        "ndis-ndisquerybindinstancename.md";
    NDIS_RE_ENUMERATE_PROTOCOL_BINDINGS = Verifier "NdisReEnumerateProtocolBindings",
        "not from bind/unbind handlers nor from ProtocolNetPnPEvent with non-NULL binding context",
        "when NdisReEnumerateProtocolBindings is called: the thread is in no bind or unbind handler and in no event of a binding",
        "ndis-ndisreenumerateprotocolbindings.md";
    PERIODIC_TIMER = Verifier "PeriodicTimer",
        "cancelling a periodic timer only at PASSIVE; one-shot up to DISPATCH",
        "when a timer object is cancelled: the IRQL, if it has a period",
        "ndis-periodictimer.md";
    DOUBLE_COMPLETE = Verifier "DoubleComplete",
        "request returned SUCCESS must not also be completed; pended request completed once",
        "when MiniportOidRequest returns: a request that was completed inside is answered with NDIS_STATUS_PENDING",
        "ndis-doublecomplete.md";
    DOUBLE_COMPLETE_WORK_ITEM = Verifier "DoubleCompleteWorkItem",
        "no second completion of a request finished in a work item",
        "when NdisMOidRequestComplete is called in a work item: the request is not the one that was completed before",
        "ndis-doublecompleteworkitem.md";
    NDIS_STALL_EXECUTION_DELAY = Verifier "NdisStallExecution_Delay",
        "stall at most 50 microseconds",
        "when KeStallExecutionProcessor is called, which NdisStallExecution is: the time",
        "ndis-ndisstallexecution-delay.md";
    NULL_CHECK = Verifier "NullCheck",
        "no dereference of a value that is NULL or may be NULL",
        "when the processor faults: the address lies in the first 64 KiB, where nothing is mapped",
        "nullcheckn.md";
    NDIS_M_NET_PN_P_EVENT_IN_OID_REQUEST = Verifier "NdisMNetPnPEventInOIDRequest",
        "NdisMNetPnPEvent not in the context of an OID request (handler or pending)",
        "when NdisMNetPnPEvent is called: the thread is not in MiniportOidRequest, and the adapter has left no OID request pending",
        "ndis-ndismnetpnpeventinoidrequest.md";
    NDIS_OID_COMPLETE = Verifier "NdisOidComplete",
        "OID completed with allowed status: never PENDING through NdisMOidRequestComplete; OID_PNP_SET_POWER only NOT_ACCEPTED/SUCCESS (or PENDING as return); free/remove/clear OIDs (receive filter clear, free queue, IPsec delete SA, free VF, delete switch, delete multicast address, remove WoL pattern/protocol offload, tunnel release) only NOT_ACCEPTED/REQUEST_ABORTED/SUCCESS (or PENDING as return)",
        "when an OID request is answered, by return or by completion: the status against what its OID allows",
        "ndis-ndisoidcomplete.md";
    NDIS_OID_DOUBLE_COMPLETE = Verifier "NdisOidDoubleComplete",
        "same OID request not completed twice",
        "when NdisMOidRequestComplete is called: the request is not the one that was completed before",
        "ndis-ndisoiddoublecomplete.md";
    NDIS_OID_DOUBLE_REQUEST = Verifier "NdisOidDoubleRequest",
        "pending OID request must be completed (no second one taken while pending)",
        "when an OID request is made: the same NDIS_OID_REQUEST is not on its way",
        "ndis-ndisoiddoublerequest.md";
    NDIS_TIMED_OID_COMPLETE = Verifier "NdisTimedOidComplete",
        "OID request completed within 12 s",
        "each second: how long the request at each adapter is there",
        "ndis-ndistimedoidcomplete.md";
    NDIS_TIMED_DATA_SEND = Verifier "NdisTimedDataSend",
        "every send completed within 30 s",
        "each second: how long each sent NBL is out",
        "ndis-ndistimeddatasend.md";
    NDIS_TIMED_DATA_HANG = Verifier "NdisTimedDataHang",
        "with sends pending at least one completes every 22 s",
        "each second: the oldest send at each adapter, and when the adapter last completed one",
        "ndis-ndistimeddatahang.md";
    NDIS_FILTER_TIMED_PAUSE_COMPLETE = Verifier "NdisFilterTimedPauseComplete",
        "filterPause completes within 10 s, does not fail, completes once",
        "when FilterPause is called: it ends with success, in time, and once",
        "ndisfiltertimedpausecomplete-.md";
    NDIS_FILTER_TIMED_DATA_SEND = Verifier "NdisFilterTimedDataSend",
        "filter finishes sends in time",
        "each second: how long a filter has each sent NBL",
        "ndisfiltertimeddatasend.md";
    NDIS_FILTER_TIMED_DATA_RECEIVE = Verifier "NdisFilterTimedDataReceive",
        "filter finishes receives in time",
        "each second: how long a filter has each indicated NBL",
        "ndisfiltertimeddatareceive.md";
}
