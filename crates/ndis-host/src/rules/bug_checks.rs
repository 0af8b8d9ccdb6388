//! The bug checks of ndis.sys: 0x7C BUGCODE_NDIS_DRIVER and 0x15E BUGCODE_NDIS_DRIVER_LIVE_DUMP, by the
//! name of their first parameter.

super::rules! {
    NDIS_BUGCHECK_ALLOCATE_SHARED_MEM_HIGH_IRQL = BugCheck "NDIS_BUGCHECK_ALLOCATE_SHARED_MEM_HIGH_IRQL",
        "NdisMAllocateSharedMemory at raised IRQL",
        "when NdisMAllocateSharedMemory is called: the IRQL",
        "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_SHARED_MEM_CORRUPTION = BugCheck "NDIS_BUGCHECK_SHARED_MEM_CORRUPTION",
        "shared memory page corrupted",
        "when shared memory is freed: the filling around it is whole",
        "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_FREE_INVALID_SHARED_MEM = BugCheck "NDIS_BUGCHECK_FREE_INVALID_SHARED_MEM",
        "shared memory freed twice/invalid",
        "when shared memory is freed: the table of shared memory has it, with its length",
        "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_HALT_WITHOUT_INTERRUPT_DEREGISTER = BugCheck "NDIS_BUGCHECK_HALT_WITHOUT_INTERRUPT_DEREGISTER",
        "halt left the interrupt registered",
        "when MiniportHaltEx has returned: no interrupt of the adapter is registered",
        "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_DRIVER_UNLOAD_UNEXPECTED = BugCheck "NDIS_BUGCHECK_DRIVER_UNLOAD_UNEXPECTED",
        "miniport driver unloading while still referenced",
        "when a driver deregisters or is unloaded: it has no adapter that is not halted",
        "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_INIT_FAILED_WITHOUT_INTERRUPT_DEREGISTER = BugCheck "NDIS_BUGCHECK_INIT_FAILED_WITHOUT_INTERRUPT_DEREGISTER",
        "initialise failed leaving interrupt",
        "when MiniportInitializeEx has failed: no interrupt of the adapter is registered",
        "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_PM_INIT_FAILED_NO_INT_DEREGISTER = BugCheck "NDIS_BUGCHECK_PM_INIT_FAILED_NO_INT_DEREGISTER",
        "initialise after low power failed leaving interrupt",
        "when MiniportInitializeEx has failed for an adapter that wakes: no interrupt of it is registered",
        "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_RESET_COMPLETE_UNEXPECTED = BugCheck "NDIS_BUGCHECK_RESET_COMPLETE_UNEXPECTED",
        "NdisMResetComplete without pending reset",
        "when NdisMResetComplete is called: a reset is pending",
        "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_WAIT_EVENT_HIGH_IRQL = BugCheck "NDIS_BUGCHECK_WAIT_EVENT_HIGH_IRQL",
        "NdisWaitEvent above PASSIVE",
        "when NdisWaitEvent is called: the IRQL",
        "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_INVALID_OPEN_IN_BIND_CONTEXT = BugCheck "NDIS_BUGCHECK_INVALID_OPEN_IN_BIND_CONTEXT",
        "adapter opened with wrong/absent bind context",
        "when NdisOpenAdapterEx is called: BindContext is that of a bind that is under way",
        "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_IF_PROVIDER_DEREGISTER_UNEXPECTED = BugCheck "NDIS_BUGCHECK_IF_PROVIDER_DEREGISTER_UNEXPECTED",
        "interface provider deregistered with interfaces left",
        "when NdisIfDeregisterProvider is called: the provider has no interface",
        "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_IF_STACK_TABLE_LOOP = BugCheck "NDIS_BUGCHECK_IF_STACK_TABLE_LOOP",
        "cycle in ifStackTable",
        "when NdisIfAddIfStackEntry is called: the stack table has no cycle",
        "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_MINIPORT_FAILED_OID_WHICH_MUST_SUCCEED = BugCheck "NDIS_BUGCHECK_MINIPORT_FAILED_OID_WHICH_MUST_SUCCEED",
        "must-succeed OID failed",
        "when OID_PNP_QUERY_POWER is answered, and OID_PNP_SET_POWER by an intermediate driver: with success",
        "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_OID_REQUEST_INVALID_BUFFER = BugCheck "NDIS_BUGCHECK_OID_REQUEST_INVALID_BUFFER",
        "OID completed with inconsistent lengths (BytesWritten > buffer)",
        "when an OID request is answered with success: the bytes written or read against the buffer's length",
        "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_ILLEGAL_MINIPORT_STATE_TRANSITION = BugCheck "NDIS_BUGCHECK_ILLEGAL_MINIPORT_STATE_TRANSITION",
        "NdisMPauseComplete or NdisMRestartComplete without a pending operation",
        "when NdisMPauseComplete or NdisMRestartComplete is called: that operation is pending",
        "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_STATUS_INDICATION_INVALID_BUFFER = BugCheck "NDIS_BUGCHECK_STATUS_INDICATION_INVALID_BUFFER",
        "illegal NDIS_STATUS_INDICATION payload",
        "when a status is indicated: the buffer against what the status code requires",
        "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_INVALID_OBJECT_HEADER = BugCheck "NDIS_BUGCHECK_INVALID_OBJECT_HEADER",
        "malformed NDIS_OBJECT_HEADER passed to an API",
        "when a structure with a header is passed to a function: type, revision and size",
        "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_ILLEGAL_NET_PNP_EVENT = BugCheck "NDIS_BUGCHECK_ILLEGAL_NET_PNP_EVENT",
        "illegal NET_PNP_EVENT_NOTIFICATION indicated",
        "when an event is propagated: its code is one that may be",
        "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_INVALID_OID_COMPLETION = BugCheck "NDIS_BUGCHECK_INVALID_OID_COMPLETION",
        "completion of a request not pending on that miniport (e.g. twice)",
        "when NdisMOidRequestComplete is called: the request is at this adapter",
        "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_LEAKED_NBL = BugCheck "NDIS_BUGCHECK_LEAKED_NBL",
        "driver unbinds or deregisters while NBLs are still outstanding",
        "when an NBL pool is freed, and when an unbind ends: no NBL is out",
        "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_WATCHDOG_PROTOCOL_PAUSE = BugCheck "NDIS_BUGCHECK_WATCHDOG_PROTOCOL_PAUSE",
        "pausing a protocol took too long",
        "while NetEventPause runs or is pending at a protocol: the time limit",
        "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_WATCHDOG_PROTOCOL_NETPNPEVENT = BugCheck "NDIS_BUGCHECK_WATCHDOG_PROTOCOL_NETPNPEVENT",
        "pnP event in a protocol took too long",
        "while another network event runs or is pending at a protocol: the time limit",
        "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_WATCHDOG_PROTOCOL_STATUS_INDICATION = BugCheck "NDIS_BUGCHECK_WATCHDOG_PROTOCOL_STATUS_INDICATION",
        "status indication in a protocol took too long",
        "while ProtocolStatusEx runs: the time limit",
        "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_WATCHDOG_PROTOCOL_UNBIND = BugCheck "NDIS_BUGCHECK_WATCHDOG_PROTOCOL_UNBIND",
        "unbind took too long",
        "while a bind or unbind runs or is pending at a protocol: the time limit",
        "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_WATCHDOG_FILTER_PAUSE = BugCheck "NDIS_BUGCHECK_WATCHDOG_FILTER_PAUSE",
        "filter pause",
        "while FilterPause is pending: the time limit",
        "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_WATCHDOG_FILTER_NETPNPEVENT = BugCheck "NDIS_BUGCHECK_WATCHDOG_FILTER_NETPNPEVENT",
        "filter PnP event",
        "while FilterNetPnPEvent runs: the time limit",
        "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_WATCHDOG_FILTER_STATUS_INDICATION = BugCheck "NDIS_BUGCHECK_WATCHDOG_FILTER_STATUS_INDICATION",
        "filter status",
        "while FilterStatus runs: the time limit",
        "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_WATCHDOG_FILTER_DETACH = BugCheck "NDIS_BUGCHECK_WATCHDOG_FILTER_DETACH",
        "filter detach",
        "while FilterDetach runs: the time limit",
        "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_WATCHDOG_MINIPORT_PAUSE = BugCheck "NDIS_BUGCHECK_WATCHDOG_MINIPORT_PAUSE",
        "miniport pause took too long (often lost NBLs)",
        "while MiniportPause runs or is pending: the time limit",
        "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_WATCHDOG_MINIPORT_HALT = BugCheck "NDIS_BUGCHECK_WATCHDOG_MINIPORT_HALT",
        "halt took too long",
        "while MiniportHaltEx runs: the time limit",
        "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_STUCK_NBL = BugCheck "NDIS_BUGCHECK_STUCK_NBL",
        "miniport keeps an NBL too long",
        "when a pending NetEventPause exceeds the time limit: none of the sends that it waits for is at the miniport",
        "bug-check-0x15e-bugcode-ndis-driver-live-dump.md";
    NDIS_BUGCHECK_WATCHDOG_MINIPORT_OID = BugCheck "NDIS_BUGCHECK_WATCHDOG_MINIPORT_OID",
        "OID in a miniport took too long",
        "when an adapter halts: the OID request at it ends within the time limit",
        "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_WATCHDOG_FILTER_OID = BugCheck "NDIS_BUGCHECK_WATCHDOG_FILTER_OID",
        "OID in a filter",
        "while an OID request is at a filter: the time limit",
        "bug-check-0x7c--bugcode-ndis-driver.md";
    NDIS_BUGCHECK_MINIPORT_FATAL_ERROR = BugCheck "NDIS_BUGCHECK_MINIPORT_FATAL_ERROR",
        "a miniport does not fail for good",
        "when a miniport answers OID_PNP_SET_POWER: with success",
        "bug-check-0x15e-bugcode-ndis-driver-live-dump.md";
}
