//! The IRQL rules. Which of them a function falls under is in `rules::groups`.

super::rules! {
    FLAGS_IRQL = Verifier "FlagsIrql",
        "callbacks that receive a dispatch-level flag must not query the current IRQL",
        "when a driver asks for the IRQL, by KeGetCurrentIrql or by reading CR8: the function of the driver that the thread is in",
        "ndis-flags-irql.md";
    IRQL_FILTER_DRIVER_FUNCTION = Verifier "Irql_Filter_Driver_Function",
        "NdisF functions at allowed IRQL",
        "when a function that the page lists is called: the thread's IRQL against the range of the function's own page",
        "ndis-irql-filter-driver-function.md";
    IRQL_GATHER_DMA_FUNCTION = Verifier "Irql_Gather_DMA_Function",
        "scatter/gather DMA functions at allowed IRQL",
        "when a function that the page lists is called: the thread's IRQL against the range of the function's own page",
        "ndis-irql-gather-dma-function.md";
    IRQL_IM_FUNCTION = Verifier "Irql_IM_Function",
        "the five NdisIM functions at allowed IRQL",
        "when a function that the page lists is called: the thread's IRQL against the range of the function's own page",
        "ndis-irql-im-function.md";
    IRQL_INTERFACES_FUNCTION = Verifier "Irql_Interfaces_Function",
        "NdisIf functions at allowed IRQL",
        "when a function that the page lists is called: the thread's IRQL against the range of the function's own page",
        "ndis-irql-interfaces-function.md";
    IRQL_INTERRUPT_FUNCTION = Verifier "Irql_Interrupt_Function",
        "interrupt (de)registration at allowed IRQL",
        "when a function that the page lists is called: the thread's IRQL against the range of the function's own page",
        "ndis-irql-interrupt-function.md";
    IRQL_MINIPORT_DRIVER_FUNCTION = Verifier "Irql_Miniport_Driver_Function",
        "NdisM registration/attribute/pause/restart/port/log functions at allowed IRQL",
        "when a function that the page lists is called: the thread's IRQL against the range of the function's own page",
        "ndis-irql-miniport-driver-function.md";
    IRQL_MISCELLANEOUS_FUNCTION = Verifier "Irql_Miscellaneous_Function",
        "configuration, memory, work item, string, device, file functions at allowed IRQL",
        "when a function that the page lists is called: the thread's IRQL against the range of the function's own page",
        "ndis-irql-miscellaneous-function.md";
    IRQL_NET_BUFFER_FUNCTION = Verifier "Irql_NetBuffer_Function",
        "NBL/NB/MDL functions at allowed IRQL",
        "when a function that the page lists is called: the thread's IRQL against the range of the function's own page",
        "ndis-irql-netbuffer-function.md";
    IRQL_OID_FUNCTION = Verifier "Irql_OID_Function",
        "OID request, clone, cancel and complete functions at allowed IRQL",
        "when a function that the page lists is called: the thread's IRQL against the range of the function's own page",
        "ndis-irql-oid-function.md";
    IRQL_PROTOCOL_DRIVER_FUNCTION = Verifier "Irql_Protocol_Driver_Function",
        "register, open, close, bind/unbind complete, PnP event functions at allowed IRQL",
        "when a function that the page lists is called: the thread's IRQL against the range of the function's own page",
        "ndis-irql-protocol-driver-function.md";
    IRQL_SEND_RCV_FUNCTION = Verifier "Irql_SendRcv_Function",
        "send, complete, indicate, return, cancel functions at allowed IRQL",
        "when a function that the page lists is called: the thread's IRQL against the range of the function's own page",
        "ndis-irql-sendrcv-function.md";
    IRQL_STATUS_INDICATION_FUNCTION = Verifier "Irql_StatusIndication_Function",
        "status indication functions at allowed IRQL",
        "when a function that the page lists is called: the thread's IRQL against the range of the function's own page",
        "ndis-irql-statusindication-function.md";
    IRQL_SYNCH_FUNCTION = Verifier "Irql_Synch_Function",
        "spin lock, event, mutex functions at allowed IRQL",
        "when a function that the page lists is called: the thread's IRQL against the range of the function's own page",
        "ndis-irql-synch-function.md";
    IRQL_TIMER_FUNCTION = Verifier "Irql_Timer_Function",
        "timer functions at allowed IRQL",
        "when a function that the page lists is called: the thread's IRQL against the range of the function's own page",
        "ndis-irql-timer-function.md";

    IRQL_NOT_LESS_OR_EQUAL = BugCheck "IRQL_NOT_LESS_OR_EQUAL",
        "a kernel function is called at no IRQL but those that its page allows",
        "when a function that no page of a rule lists is called: the thread's IRQL against the range of its own page",
        "bug-check-0xa--irql-not-less-or-equal.md";
    IRQL_RETURN = Verifier "IrqlReturn",
        "a driver's function returns at the IRQL at which it was called",
        "when a driver's function returns: the thread's IRQL against the one at the call",
        "wdm-irqlreturn.md";
    IRQL_DISPATCH = Verifier "IrqlDispatch",
        "functions for DISPATCH_LEVEL are called at exactly DISPATCH_LEVEL",
        "when a function that the page lists is called: the thread's IRQL against the range of the function's own page",
        "wdm-irqldispatch.md";
    IRQL_EX_ALLOCATE_POOL = Verifier "IrqlExAllocatePool",
        "pool is allocated at or below DISPATCH_LEVEL, paged pool at or below APC_LEVEL",
        "when pool is allocated: the IRQL against the kind of pool",
        "wdm-irqlexallocatepool.md";
    IRQL_EX_FREE = Verifier "IrqlExFree1",
        "pool is freed at or below DISPATCH_LEVEL, paged pool at or below APC_LEVEL",
        "when pool is freed: the IRQL against the kind of pool of the block",
        "wdm-irqlexfree1.md";
    IRQL_IO_APC_LTE = Verifier "IrqlIoApcLte",
        "these I/O manager functions are called at or below APC_LEVEL",
        "when a function that the page lists is called: the thread's IRQL against the range of the function's own page",
        "wdm-irqlioapclte.md";
    IRQL_IO_PASSIVE1 = Verifier "IrqlIoPassive1",
        "these I/O manager functions are called at PASSIVE_LEVEL",
        "when a function that the page lists is called: the thread's IRQL against the range of the function's own page",
        "wdm-irqliopassive1.md";
    IRQL_IO_PASSIVE4 = Verifier "IrqlIoPassive4",
        "these I/O manager functions are called at PASSIVE_LEVEL",
        "when a function that the page lists is called: the thread's IRQL against the range of the function's own page",
        "wdm-irqliopassive4.md";
    IRQL_KE_APC_LTE1 = Verifier "IrqlKeApcLte1",
        "these kernel functions are called at or below APC_LEVEL",
        "when a function that the page lists is called: the thread's IRQL against the range of the function's own page",
        "wdm-irqlkeapclte1.md";
    IRQL_KE_APC_LTE2 = Verifier "IrqlKeApcLte2",
        "these kernel functions are called at or below APC_LEVEL",
        "when a function that the page lists is called: the thread's IRQL against the range of the function's own page",
        "wdm-irqlkeapclte2.md";
    IRQL_KE_DISPATCH_LTE = Verifier "IrqlKeDispatchLte",
        "these kernel functions are called at or below DISPATCH_LEVEL",
        "when a function that the page lists is called: the thread's IRQL against the range of the function's own page",
        "wdm-irqlkedispatchlte.md";
    IRQL_KE_RAISE_LOWER = Verifier "IrqlKeRaiseLower",
        "KeRaiseIrql goes to no lower and KeLowerIrql to no higher IRQL than the current one",
        "when a driver calls a function that raises or lowers the IRQL: the new level against the current one; a write to CR8 may go either way",
        "wdm-irqlkeraiselower.md";
    IRQL_KE_RELEASE_SPIN_LOCK = Verifier "IrqlKeReleaseSpinLock",
        "KeReleaseSpinLock is called at DISPATCH_LEVEL, with the IRQL that acquiring saved",
        "when a spin lock is released: the IRQL now, and the one to go back to against the one that acquiring saved",
        "wdm-irqlkereleasespinlock.md";
    IRQL_KE_SET_EVENT = Verifier "IrqlKeSetEvent",
        "KeSetEvent is called at or below DISPATCH_LEVEL, with Wait set only at or below APC_LEVEL",
        "when KeSetEvent is called: the IRQL, and that Wait is FALSE above APC_LEVEL",
        "wdm-irqlkesetevent.md";
    IRQL_KE_WAIT = Verifier "IrqlKeWaitForMutexObject",
        "a wait with a time-out other than zero happens at or below APC_LEVEL",
        "when a function that the page lists is called: the thread's IRQL against the range of the function's own page",
        "wdm-irqlkewaitformutexobject.md";
    IRQL_ZW_PASSIVE = Verifier "IrqlZwPassive",
        "Zw functions are called at PASSIVE_LEVEL",
        "when a function that the page lists is called: the thread's IRQL against the range of the function's own page",
        "wdm-irqlzwpassive.md";
}
