//! The rules of NDIS: Driver Verifier's and Static Driver Verifier's rules for network drivers, the
//! bug checks of ndis.sys, and the state machines and orders of the network stack.
//!
//! The IRQL rules are in `rules::irql`, those of ntoskrnl in `rules::nt`.

super::rules! {
    // Rules of Driver Verifier and Static Driver Verifier.
    INIT_DE_REGISTER_INTERRUPT = "Init_DeRegisterInterrupt", "interrupt registered in initialise must be deregistered in halt", "ndis-init-deregisterinterrupt.md";
    INIT_NDIS_ALLOCATE_IO_WORK_ITEM = "Init_NdisAllocateIoWorkItem", "work item allocated in MiniportInitializeEx must be freed in MiniportHaltEx, or inside initialise if that fails", "ndis-init-ndisallocateioworkitem.md";
    INIT_REGISTER_INTERRUPT = "Init_RegisterInterrupt", "interrupt registration undone when initialise fails or at halt", "ndis-init-registerinterrupt.md";
    NDIS_F_DEREGISTER_FILTER_DRIVER = "NdisFDeregisterFilterDriver", "filter driver deregisters in its unload routine", "ndis-ndisfderegisterfilterdriver.md";
    NDIS_M_DEREGISTER_INTERRUPT_EX = "NdisMDeregisterInterruptEx", "no NdisMSynchronizeWithInterruptEx after interrupt deregistration returned", "ndis-ndismderegisterinterruptex.md";
    SPIN_LOCK = "SpinLock", "acquire only when unlocked; released before the miniport handler exits", "ndis-spinlock.md";
    SPIN_LOCK_BALANCED = "SpinLockBalanced", "number of acquires equals number of releases of the same lock", "ndis-spinlockbalanced.md";
    SPIN_LOCK_DPR = "SpinLockDpr", "dpr acquire only when unlocked; released before handler exits", "ndis-spinlockdpr.md";
    SPIN_LOCK_DPR_RELEASE = "SpinLockDprRelease", "either acquire form only when unlocked; released before handler exits", "ndis-spinlockdprrelease.md";
    SPINLOCK_RELEASE = "SpinlockRelease", "release only a lock that was acquired", "ndis-spinlockrelease.md";
    NDIS_ALLOCATE_GENERIC_OBJECT = "NdisAllocateGenericObject", "generic object allocate/free alternate; all freed at end of MiniportHaltEx", "ndis-ndisallocategenericobject.md";
    NDIS_ALLOCATE_MDL = "NdisAllocateMdl", "MDL allocate/free alternate; all freed at end of MiniportHaltEx", "ndis-ndisallocatemdl.md";
    NDIS_ALLOCATE_MEMORY_WITH_TAG_PRIORITY = "NdisAllocateMemoryWithTagPriority", "allocation must carry a tag", "ndis-ndisallocatememorywithtagpriority.md";
    NDIS_ALLOCATE_NET_BUFFER = "NdisAllocateNetBuffer", "NB allocate/free alternate; all freed at end of MiniportHaltEx", "ndis-ndisallocatenetbuffer.md";
    NDIS_M_FREE_SHARED_MEMORY = "NdisMFreeSharedMemory", "not from MiniportShutdownEx", "ndis-ndismfreesharedmemory.md";
    NDIS_M_INDICATE_STATUS_EX = "NdisMIndicateStatusEx", "no status indication after MiniportHaltEx returned", "ndis-ndismindicatestatusex.md";
    CANCEL_TIMER_OBJECT = "CancelTimerObject", "set and cancel alternate; no timer still set when MiniportHaltEx ends", "ndis-canceltimerobject.md";
    MINIPORT_PAUSE_RETURN = "MiniportPauseReturn", "miniportPause returns only SUCCESS or PENDING", "ndis-miniportpause-return.md";
    NDIS_OPEN_CONFIGURATION_EX = "NdisOpenConfigurationEx", "open/close alternate; handle closed when MiniportHaltEx ends", "ndis-ndisopenconfigurationex.md";
    NDIS_QUERY_BIND_INSTANCE_NAME = "NdisQueryBindInstanceName", "returned name must be freed with NdisFreeMemory", "ndis-ndisquerybindinstancename.md";
    NDIS_RE_ENUMERATE_PROTOCOL_BINDINGS = "NdisReEnumerateProtocolBindings", "not from bind/unbind handlers nor from ProtocolNetPnPEvent with non-NULL binding context", "ndis-ndisreenumerateprotocolbindings.md";
    PERIODIC_TIMER = "PeriodicTimer", "cancelling a periodic timer only at PASSIVE; one-shot up to DISPATCH", "ndis-periodictimer.md";
    DOUBLE_COMPLETE = "DoubleComplete", "request returned SUCCESS must not also be completed; pended request completed once", "ndis-doublecomplete.md";
    DOUBLE_COMPLETE_WORK_ITEM = "DoubleCompleteWorkItem", "no second completion of a request finished in a work item", "ndis-doublecompleteworkitem.md";
    NDIS_M_NET_PN_P_EVENT_IN_OID_REQUEST = "NdisMNetPnPEventInOIDRequest", "NdisMNetPnPEvent not in the context of an OID request (handler or pending)", "ndis-ndismnetpnpeventinoidrequest.md";
    NDIS_STALL_EXECUTION_DELAY = "NdisStallExecution_Delay", "stall at most 50 microseconds", "ndis-ndisstallexecution-delay.md";
    NDIS_OID_COMPLETE = "NdisOidComplete", "OID completed with allowed status: never PENDING through NdisMOidRequestComplete; OID_PNP_SET_POWER only NOT_ACCEPTED/SUCCESS (or PENDING as return); free/remove/clear OIDs (receive filter clear, free queue, IPsec delete SA, free VF, delete switch, delete multicast address, remove WoL pattern/protocol offload, tunnel release) only NOT_ACCEPTED/REQUEST_ABORTED/SUCCESS (or PENDING as return)", "ndis-ndisoidcomplete.md";
    NDIS_OID_DOUBLE_COMPLETE = "NdisOidDoubleComplete", "same OID request not completed twice", "ndis-ndisoiddoublecomplete.md";
    NDIS_OID_DOUBLE_REQUEST = "NdisOidDoubleRequest", "pending OID request must be completed (no second one taken while pending)", "ndis-ndisoiddoublerequest.md";
    NDIS_TIMED_OID_COMPLETE = "NdisTimedOidComplete", "OID request completed within 12 s", "ndis-ndistimedoidcomplete.md";
    NDIS_TIMED_DATA_SEND = "NdisTimedDataSend", "every send completed within 30 s", "ndis-ndistimeddatasend.md";
    NDIS_TIMED_DATA_HANG = "NdisTimedDataHang", "with sends pending at least one completes every 22 s", "ndis-ndistimeddatahang.md";
    NDIS_FILTER_TIMED_PAUSE_COMPLETE = "NdisFilterTimedPauseComplete", "filterPause completes within 10 s, does not fail, completes once", "ndisfiltertimedpausecomplete-.md";
    NDIS_FILTER_TIMED_DATA_SEND = "NdisFilterTimedDataSend", "filter finishes sends in time", "ndisfiltertimeddatasend.md";
    NDIS_FILTER_TIMED_DATA_RECEIVE = "NdisFilterTimedDataReceive", "filter finishes receives in time", "ndisfiltertimeddatareceive.md";

    // The states of the reference pages, each one a machine that the host runs.
    MINIPORT_ADAPTER_STATE = "Miniport adapter states", "an adapter's functions are called, and it calls NDIS, only in the states that allow it", "miniport-adapter-states-and-operations.md";
    PROTOCOL_BINDING_STATE = "Protocol binding states", "a binding is used only in the states that allow it", "protocol-binding-states-and-operations.md";
    IM_VIRTUAL_MINIPORT_STATE = "Virtual miniport states", "a virtual miniport is initialized, cancelled and deinitialized in the order of the reference pages", "initializing-virtual-miniports.md";
    NBL_OWNERSHIP = "NET_BUFFER_LIST ownership", "who holds a NET_BUFFER_LIST completes or returns it once, as it was handed over", "net-buffer-architecture.md";
    INVALID_HANDLE = "NDIS handles", "a handle is used for what it was given out for, and not after it was given back", "ndis-object-handles.md";
    RESOURCES_LEFT = "Driver resources", "a driver gives back all that it acquired before it is unloaded", "unloading-an-intermediate-driver.md";

    // The bug checks 0x7C BUGCODE_NDIS_DRIVER and 0x15E BUGCODE_NDIS_DRIVER_LIVE_DUMP, by subcode.
    NDIS_BUGCHECK_ALLOCATE_SHARED_MEM_HIGH_IRQL = "NDIS_BUGCHECK_ALLOCATE_SHARED_MEM_HIGH_IRQL", "NdisMAllocateSharedMemory at raised IRQL", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_SHARED_MEM_CORRUPTION = "NDIS_BUGCHECK_SHARED_MEM_CORRUPTION", "shared memory page corrupted", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_FREE_INVALID_SHARED_MEM = "NDIS_BUGCHECK_FREE_INVALID_SHARED_MEM", "shared memory freed twice/invalid", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_UNLOAD_DRIVER_INVALID_PARAMETER = "NDIS_BUGCHECK_UNLOAD_DRIVER_INVALID_PARAMETER", "addDevice for a driver not registered with NDIS (instrumented NDIS only)", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_RECVD_PACKET_IN_USE = "NDIS_BUGCHECK_RECVD_PACKET_IN_USE", "NDIS 5 packet indicated while still in use", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_HALT_WITHOUT_INTERRUPT_DEREGISTER = "NDIS_BUGCHECK_HALT_WITHOUT_INTERRUPT_DEREGISTER", "halt left the interrupt registered", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_HALT_WITHOUT_CANCEL_TIMER = "NDIS_BUGCHECK_HALT_WITHOUT_CANCEL_TIMER", "halt with timers not cancelled", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_DRIVER_UNLOAD_UNEXPECTED = "NDIS_BUGCHECK_DRIVER_UNLOAD_UNEXPECTED", "miniport driver unloading while still referenced", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_INIT_FAILED_WITHOUT_INTERRUPT_DEREGISTER = "NDIS_BUGCHECK_INIT_FAILED_WITHOUT_INTERRUPT_DEREGISTER", "initialise failed leaving interrupt", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_INIT_FAILED_WITHOUT_CANCEL_TIMER = "NDIS_BUGCHECK_INIT_FAILED_WITHOUT_CANCEL_TIMER", "initialise failed leaving timers", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_HALT_INIT_WITHOUT_INTERRUPT_DEREGISTER = "NDIS_BUGCHECK_HALT_INIT_WITHOUT_INTERRUPT_DEREGISTER", "halt called from initialise path left interrupt", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_HALT_INIT_WITHOUT_CANCEL_TIMER = "NDIS_BUGCHECK_HALT_INIT_WITHOUT_CANCEL_TIMER", "halt called from initialise path left timers", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_RESET_COMPLETE_UNEXPECTED = "NDIS_BUGCHECK_RESET_COMPLETE_UNEXPECTED", "NdisMResetComplete without pending reset", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_PM_INIT_FAILED_NO_INT_DEREGISTER = "NDIS_BUGCHECK_PM_INIT_FAILED_NO_INT_DEREGISTER", "initialise after low power failed leaving interrupt", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_PM_INIT_FAILED_NO_CANCEL_TIMER = "NDIS_BUGCHECK_PM_INIT_FAILED_NO_CANCEL_TIMER", "initialise after low power failed leaving timers", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_WAIT_EVENT_HIGH_IRQL = "NDIS_BUGCHECK_WAIT_EVENT_HIGH_IRQL", "NdisWaitEvent above PASSIVE", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_INVALID_NDIS5_CALL = "NDIS_BUGCHECK_INVALID_NDIS5_CALL", "NDIS 6 miniport called an older API", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_INVALID_OPEN_IN_BIND_CONTEXT = "NDIS_BUGCHECK_INVALID_OPEN_IN_BIND_CONTEXT", "adapter opened with wrong/absent bind context", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_IF_PROVIDER_DEREGISTER_UNEXPECTED = "NDIS_BUGCHECK_IF_PROVIDER_DEREGISTER_UNEXPECTED", "interface provider deregistered with interfaces left", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_IF_STACK_TABLE_LOOP = "NDIS_BUGCHECK_IF_STACK_TABLE_LOOP", "cycle in ifStackTable", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_MINIPORT_FAILED_OID_WHICH_MUST_SUCCEED = "NDIS_BUGCHECK_MINIPORT_FAILED_OID_WHICH_MUST_SUCCEED", "must-succeed OID failed", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_OID_REQUEST_INVALID_BUFFER = "NDIS_BUGCHECK_OID_REQUEST_INVALID_BUFFER", "OID completed with inconsistent lengths (BytesWritten > buffer)", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_REFCOUNT_IMBALANCE = "NDIS_BUGCHECK_REFCOUNT_IMBALANCE", "internal reference underflow or tag mismatch", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_ILLEGAL_MINIPORT_STATE_TRANSITION = "NDIS_BUGCHECK_ILLEGAL_MINIPORT_STATE_TRANSITION", "NdisMPauseComplete or NdisMRestartComplete without a pending operation", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_STATUS_INDICATION_INVALID_BUFFER = "NDIS_BUGCHECK_STATUS_INDICATION_INVALID_BUFFER", "illegal NDIS_STATUS_INDICATION payload", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_INVALID_OBJECT_HEADER = "NDIS_BUGCHECK_INVALID_OBJECT_HEADER", "malformed NDIS_OBJECT_HEADER passed to an API", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_ILLEGAL_NET_PNP_EVENT = "NDIS_BUGCHECK_ILLEGAL_NET_PNP_EVENT", "illegal NET_PNP_EVENT_NOTIFICATION indicated", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_PD_ERROR = "NDIS_BUGCHECK_PD_ERROR", "packet Direct misuse", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_UNEXPECTED_FAILURE = "NDIS_BUGCHECK_UNEXPECTED_FAILURE", "internal NDIS failure", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_INVALID_OID_COMPLETION = "NDIS_BUGCHECK_INVALID_OID_COMPLETION", "completion of a request not pending on that miniport (e.g. twice)", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_LEAKED_NBL = "NDIS_BUGCHECK_LEAKED_NBL", "driver unbinds or deregisters while NBLs are still outstanding", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_WATCHDOG_PROTOCOL_PAUSE = "NDIS_BUGCHECK_WATCHDOG_PROTOCOL_PAUSE", "pausing a protocol took too long", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_WATCHDOG_PROTOCOL_NETPNPEVENT = "NDIS_BUGCHECK_WATCHDOG_PROTOCOL_NETPNPEVENT", "pnP event in a protocol took too long", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_WATCHDOG_PROTOCOL_STATUS_INDICATION = "NDIS_BUGCHECK_WATCHDOG_PROTOCOL_STATUS_INDICATION", "status indication in a protocol took too long", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_WATCHDOG_PROTOCOL_UNBIND = "NDIS_BUGCHECK_WATCHDOG_PROTOCOL_UNBIND", "unbind took too long", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_WATCHDOG_FILTER_PAUSE = "NDIS_BUGCHECK_WATCHDOG_FILTER_PAUSE", "filter pause", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_WATCHDOG_FILTER_NETPNPEVENT = "NDIS_BUGCHECK_WATCHDOG_FILTER_NETPNPEVENT", "filter PnP event", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_WATCHDOG_FILTER_STATUS_INDICATION = "NDIS_BUGCHECK_WATCHDOG_FILTER_STATUS_INDICATION", "filter status", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_WATCHDOG_FILTER_DETACH = "NDIS_BUGCHECK_WATCHDOG_FILTER_DETACH", "filter detach", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_WATCHDOG_MINIPORT_PAUSE = "NDIS_BUGCHECK_WATCHDOG_MINIPORT_PAUSE", "miniport pause took too long (often lost NBLs)", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_WATCHDOG_MINIPORT_HALT = "NDIS_BUGCHECK_WATCHDOG_MINIPORT_HALT", "halt took too long", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_WATCHDOG_MINIPORT_OID = "NDIS_BUGCHECK_WATCHDOG_MINIPORT_OID", "OID in a miniport took too long", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_WATCHDOG_FILTER_OID = "NDIS_BUGCHECK_WATCHDOG_FILTER_OID", "OID in a filter", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_WATCHDOG_MINIPORT_IDLE = "NDIS_BUGCHECK_WATCHDOG_MINIPORT_IDLE", "idling took too long", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_WATCHDOG_CANCEL_IDLE = "NDIS_BUGCHECK_WATCHDOG_CANCEL_IDLE", "cancel idle took too long", "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_MINIPORT_FATAL_ERROR = "NDIS_BUGCHECK_MINIPORT_FATAL_ERROR", "fatal miniport error: user mode request", "bug-check-0x15e-bugcode-ndis-driver-live-dump.md";
    NDIS_BUGCHECK_STUCK_NBL = "NDIS_BUGCHECK_STUCK_NBL", "miniport keeps an NBL too long", "bug-check-0x15e-bugcode-ndis-driver-live-dump.md";
}
