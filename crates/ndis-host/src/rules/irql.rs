//! The IRQL rules, and which of them a function falls under.

use super::Rule;

/// The rule that says at which IRQL `function` may be called.
#[must_use]
pub fn irql_rule(function: &str) -> &'static Rule {
    GROUPS
        .iter()
        .find(|(_, functions)| functions.contains(&function))
        .map(|(rule, _)| *rule)
        .unwrap_or_else(|| by_prefix(function))
}

/// Functions that no page of a rule lists fall under the rule of their family.
fn by_prefix(function: &str) -> &'static Rule {
    const FAMILIES: &[(&str, &Rule)] = &[
        ("NdisFReg", &IRQL_FILTER_DRIVER_FUNCTION),
        ("NdisIM", &IRQL_IM_FUNCTION),
        ("NdisIf", &IRQL_INTERFACES_FUNCTION),
        ("NdisM", &IRQL_MINIPORT_DRIVER_FUNCTION),
        ("Ndis", &IRQL_MISCELLANEOUS_FUNCTION),
        ("Zw", &IRQL_ZW_PASSIVE),
    ];
    FAMILIES
        .iter()
        .find(|(prefix, _)| function.starts_with(prefix))
        .map_or(&IRQL_NOT_LESS_OR_EQUAL, |(_, rule)| rule)
}

super::rules! {
    FLAGS_IRQL = "FlagsIrql", "callbacks that receive a dispatch-level flag must not query the current IRQL", "ndis-flags-irql.md";
    IRQL_CALL_MANAGER_FUNCTION = "Irql_CallManager_Function", "CoNDIS call manager functions at allowed IRQL", "ndis-irql-callmanager-function.md";
    IRQL_CONNECTION_FUNCTION = "Irql_Connection_Function", "CoNDIS connection functions at allowed IRQL", "ndis-irql-connection-function.md";
    IRQL_FILTER_DRIVER_FUNCTION = "Irql_Filter_Driver_Function", "NdisF functions at allowed IRQL", "ndis-irql-filter-driver-function.md";
    IRQL_GATHER_DMA_FUNCTION = "Irql_Gather_DMA_Function", "scatter/gather DMA functions at allowed IRQL", "ndis-irql-gather-dma-function.md";
    IRQL_IM_FUNCTION = "Irql_IM_Function", "the five NdisIM functions at allowed IRQL", "ndis-irql-im-function.md";
    IRQL_INTERFACES_FUNCTION = "Irql_Interfaces_Function", "NdisIf functions at allowed IRQL", "ndis-irql-interfaces-function.md";
    IRQL_INTERRUPT_FUNCTION = "Irql_Interrupt_Function", "interrupt (de)registration at allowed IRQL", "ndis-irql-interrupt-function.md";
    IRQL_IRQL_SETTING_FUNCTION = "Irql_IrqlSetting_Function", "NDIS raise/lower IRQL macros at allowed IRQL", "ndis-irql-irqlsetting-function.md";
    IRQL_MCM_FUNCTION = "Irql_MCM_Function", "NdisMCm functions at allowed IRQL", "ndis-irql-mcm-function.md";
    IRQL_MCO_FUNCTION = "Irql_MCO_Function", "NdisMCo functions at allowed IRQL", "ndis-irql-mco-function.md";
    IRQL_MINIPORT_DRIVER_FUNCTION = "Irql_Miniport_Driver_Function", "NdisM registration/attribute/pause/restart/port/log functions at allowed IRQL", "ndis-irql-miniport-driver-function.md";
    IRQL_MISCELLANEOUS_FUNCTION = "Irql_Miscellaneous_Function", "configuration, memory, work item, string, device, file functions at allowed IRQL", "ndis-irql-miscellaneous-function.md";
    IRQL_NET_BUFFER_FUNCTION = "Irql_NetBuffer_Function", "NBL/NB/MDL functions at allowed IRQL", "ndis-irql-netbuffer-function.md";
    IRQL_OID_FUNCTION = "Irql_OID_Function", "OID request, clone, cancel and complete functions at allowed IRQL", "ndis-irql-oid-function.md";
    IRQL_PROTOCOL_DRIVER_FUNCTION = "Irql_Protocol_Driver_Function", "register, open, close, bind/unbind complete, PnP event functions at allowed IRQL", "ndis-irql-protocol-driver-function.md";
    IRQL_SEND_RCV_FUNCTION = "Irql_SendRcv_Function", "send, complete, indicate, return, cancel functions at allowed IRQL", "ndis-irql-sendrcv-function.md";
    IRQL_STATUS_INDICATION_FUNCTION = "Irql_StatusIndication_Function", "status indication functions at allowed IRQL", "ndis-irql-statusindication-function.md";
    IRQL_SYNCH_FUNCTION = "Irql_Synch_Function", "spin lock, event, mutex functions at allowed IRQL", "ndis-irql-synch-function.md";
    IRQL_TIMER_FUNCTION = "Irql_Timer_Function", "timer functions at allowed IRQL", "ndis-irql-timer-function.md";

    IRQL_NOT_LESS_OR_EQUAL = "IRQL_NOT_LESS_OR_EQUAL", "a kernel function is called at no IRQL but those that its page allows", "bug-check-0xa--irql-not-less-or-equal.md";
    IRQL_RETURN = "IrqlReturn", "a driver's function returns at the IRQL at which it was called", "wdm-irqlreturn.md";
    IRQL_DISPATCH = "IrqlDispatch", "functions for DISPATCH_LEVEL are called at exactly DISPATCH_LEVEL", "wdm-irqldispatch.md";
    IRQL_EX_ALLOCATE_POOL = "IrqlExAllocatePool", "pool is allocated at or below DISPATCH_LEVEL, paged pool at or below APC_LEVEL", "wdm-irqlexallocatepool.md";
    IRQL_EX_FREE = "IrqlExFree1", "pool is freed at or below DISPATCH_LEVEL, paged pool at or below APC_LEVEL", "wdm-irqlexfree1.md";
    IRQL_IO_APC_LTE = "IrqlIoApcLte", "these I/O manager functions are called at or below APC_LEVEL", "wdm-irqlioapclte.md";
    IRQL_IO_PASSIVE1 = "IrqlIoPassive1", "these I/O manager functions are called at PASSIVE_LEVEL", "wdm-irqliopassive1.md";
    IRQL_IO_PASSIVE4 = "IrqlIoPassive4", "these I/O manager functions are called at PASSIVE_LEVEL", "wdm-irqliopassive4.md";
    IRQL_KE_APC_LTE1 = "IrqlKeApcLte1", "these kernel functions are called at or below APC_LEVEL", "wdm-irqlkeapclte1.md";
    IRQL_KE_APC_LTE2 = "IrqlKeApcLte2", "these kernel functions are called at or below APC_LEVEL", "wdm-irqlkeapclte2.md";
    IRQL_KE_DISPATCH_LTE = "IrqlKeDispatchLte", "these kernel functions are called at or below DISPATCH_LEVEL", "wdm-irqlkedispatchlte.md";
    IRQL_KE_RAISE_LOWER = "IrqlKeRaiseLower", "KeRaiseIrql goes to no lower and KeLowerIrql to no higher IRQL than the current one", "wdm-irqlkeraiselower.md";
    IRQL_KE_RELEASE_SPIN_LOCK = "IrqlKeReleaseSpinLock", "KeReleaseSpinLock is called at DISPATCH_LEVEL, with the IRQL that acquiring saved", "wdm-irqlkereleasespinlock.md";
    IRQL_KE_SET_EVENT = "IrqlKeSetEvent", "KeSetEvent is called at or below DISPATCH_LEVEL, with Wait set only at or below APC_LEVEL", "wdm-irqlkesetevent.md";
    IRQL_KE_WAIT = "IrqlKeWaitForMutexObject", "a wait with a time-out other than zero happens at or below APC_LEVEL", "wdm-irqlkewaitformutexobject.md";
    IRQL_ZW_PASSIVE = "IrqlZwPassive", "Zw functions are called at PASSIVE_LEVEL", "wdm-irqlzwpassive.md";
}

/// The functions that the page of each rule lists, as far as drivers of this kind call them.
const GROUPS: &[(&Rule, &[&str])] = &[
    (
        &IRQL_FILTER_DRIVER_FUNCTION,
        &[
            "NdisEnumerateFilterModules",
            "NdisFCancelSendNetBufferLists",
            "NdisFDeregisterFilterDriver",
            "NdisFDevicePnPEventNotify",
            "NdisFIndicateReceiveNetBufferLists",
            "NdisFNetPnPEvent",
            "NdisFPauseComplete",
            "NdisFRegisterFilterDriver",
            "NdisFRestartComplete",
            "NdisFRestartFilter",
            "NdisFReturnNetBufferLists",
            "NdisFSendNetBufferLists",
            "NdisFSendNetBufferListsComplete",
            "NdisFSetAttributes",
        ],
    ),
    (
        &IRQL_GATHER_DMA_FUNCTION,
        &[
            "NdisMAllocateNetBufferSGList",
            "NdisMAllocateSharedMemoryAsyncEx",
            "NdisMDeregisterScatterGatherDma",
            "NdisMFreeNetBufferSGList",
            "NdisMRegisterScatterGatherDma",
        ],
    ),
    (
        &IRQL_INTERFACES_FUNCTION,
        &[
            "NdisIfAddIfStackEntry",
            "NdisIfAllocateNetLuidIndex",
            "NdisIfDeleteIfStackEntry",
            "NdisIfDeregisterInterface",
            "NdisIfDeregisterProvider",
            "NdisIfFreeNetLuidIndex",
            "NdisIfGetInterfaceIndexFromNetLuid",
            "NdisIfGetNetLuidFromInterfaceIndex",
            "NdisIfQueryBindingIfIndex",
            "NdisIfRegisterInterface",
            "NdisIfRegisterProvider",
        ],
    ),
    (
        &IRQL_INTERRUPT_FUNCTION,
        &["NdisMDeregisterInterruptEx", "NdisMRegisterInterruptEx"],
    ),
    (
        &IRQL_MINIPORT_DRIVER_FUNCTION,
        &[
            "NdisMCreateLog",
            "NdisMDeregisterDmaChannel",
            "NdisMDeregisterIoPortRange",
            "NdisMDeregisterMiniportDriver",
            "NdisMFlushLog",
            "NdisMFreePort",
            "NdisMFreeSharedMemory",
            "NdisMGetDeviceProperty",
            "NdisMGetDmaAlignment",
            "NdisMMapIoSpace",
            "NdisMPauseComplete",
            "NdisMQueryAdapterInstanceName",
            "NdisMReadDmaCounter",
            "NdisMRegisterDmaChannel",
            "NdisMRegisterIoPortRange",
            "NdisMRegisterMiniportDriver",
            "NdisMRemoveMiniport",
            "NdisMResetComplete",
            "NdisMRestartComplete",
            "NdisMSetMiniportAttributes",
            "NdisMSetupDmaTransfer",
            "NdisMSleep",
            "NdisMUnmapIoSpace",
            "NdisMWriteLogData",
        ],
    ),
    (
        &IRQL_MISCELLANEOUS_FUNCTION,
        &[
            "NdisAllocateFromNPagedLookasideList",
            "NdisAllocateGenericObject",
            "NdisAllocateIoWorkItem",
            "NdisAllocateMemoryWithTagPriority",
            "NdisAnsiStringToUnicodeString",
            "NdisDeleteNPagedLookasideList",
            "NdisDeregisterDeviceEx",
            "NdisEqualMemory",
            "NdisEqualString",
            "NdisEqualUnicodeString",
            "NdisFreeGenericObject",
            "NdisFreeIoWorkItem",
            "NdisFreeMemory",
            "NdisFreeString",
            "NdisFreeToNPagedLookasideList",
            "NdisGeneratePartialCancelId",
            "NdisGetCurrentProcessorCounts",
            "NdisGetRoutineAddress",
            "NdisGetSharedDataAlignment",
            "NdisGetVersion",
            "NdisInitAnsiString",
            "NdisInitUnicodeString",
            "NdisInitializeNPagedLookasideList",
            "NdisInitializeString",
            "NdisMapFile",
            "NdisOpenConfigurationEx",
            "NdisOpenConfigurationKeyByIndex",
            "NdisOpenConfigurationKeyByName",
            "NdisOpenFile",
            "NdisQueryAdapterInstanceName",
            "NdisQueryDepthSList",
            "NdisQueueIoWorkItem",
            "NdisReEnumerateProtocolBindings",
            "NdisReadConfiguration",
            "NdisReadNetworkAddress",
            "NdisRegisterDeviceEx",
            "NdisSetOptionalHandlers",
            "NdisSystemProcessorCount",
            "NdisUnicodeStringToAnsiString",
            "NdisUnmapFile",
            "NdisUpcaseUnicodeString",
            "NdisWaitEvent",
            "NdisWriteConfiguration",
            "NdisWriteErrorLogEntry",
            "NdisWriteEventLogEntry",
        ],
    ),
    (
        &IRQL_NET_BUFFER_FUNCTION,
        &[
            "NdisAdvanceNetBufferDataStart",
            "NdisAdvanceNetBufferListDataStart",
            "NdisAllocateCloneNetBufferList",
            "NdisAllocateFragmentNetBufferList",
            "NdisAllocateMdl",
            "NdisAllocateNetBuffer",
            "NdisAllocateNetBufferAndNetBufferList",
            "NdisAllocateNetBufferList",
            "NdisAllocateNetBufferListContext",
            "NdisAllocateNetBufferListPool",
            "NdisAllocateNetBufferMdlAndData",
            "NdisAllocateNetBufferPool",
            "NdisAllocateReassembledNetBufferList",
            "NdisCopyFromNetBufferToNetBuffer",
            "NdisCopyReceiveNetBufferListInfo",
            "NdisCopySendNetBufferListInfo",
            "NdisFreeCloneNetBufferList",
            "NdisFreeFragmentNetBufferList",
            "NdisFreeMdl",
            "NdisFreeNetBuffer",
            "NdisFreeNetBufferList",
            "NdisFreeNetBufferListContext",
            "NdisFreeNetBufferListPool",
            "NdisFreeNetBufferPool",
            "NdisFreeReassembledNetBufferList",
            "NdisGetDataBuffer",
            "NdisGetPoolFromNetBuffer",
            "NdisGetPoolFromNetBufferList",
            "NdisQueryNetBufferPhysicalCount",
            "NdisRetreatNetBufferDataStart",
            "NdisRetreatNetBufferListDataStart",
        ],
    ),
    (
        &IRQL_OID_FUNCTION,
        &[
            "NdisAllocateCloneOidRequest",
            "NdisCancelOidRequest",
            "NdisFCancelOidRequest",
            "NdisFOidRequest",
            "NdisFOidRequestComplete",
            "NdisFreeCloneOidRequest",
            "NdisMOidRequestComplete",
            "NdisOidRequest",
        ],
    ),
    (
        &IRQL_PROTOCOL_DRIVER_FUNCTION,
        &[
            "NdisCompleteBindAdapterEx",
            "NdisCompleteNetPnPEvent",
            "NdisCompleteUnbindAdapterEx",
            "NdisDeregisterProtocolDriver",
            "NdisMNetPnPEvent",
            "NdisOpenAdapterEx",
            "NdisRegisterProtocolDriver",
            "NdisUnbindAdapter",
        ],
    ),
    (
        &IRQL_SEND_RCV_FUNCTION,
        &[
            "NdisCancelSendNetBufferLists",
            "NdisMIndicateReceiveNetBufferLists",
            "NdisMSendNetBufferListsComplete",
            "NdisReturnNetBufferLists",
            "NdisSendNetBufferLists",
        ],
    ),
    (
        &IRQL_STATUS_INDICATION_FUNCTION,
        &["NdisFIndicateStatus", "NdisMIndicateStatusEx"],
    ),
    (
        &IRQL_SYNCH_FUNCTION,
        &[
            "NdisAcquireSpinLock",
            "NdisDprAcquireSpinLock",
            "NdisDprReleaseSpinLock",
            "NdisReleaseSpinLock",
            "NdisResetEvent",
            "NdisSetEvent",
        ],
    ),
    (
        &IRQL_TIMER_FUNCTION,
        &[
            "NdisAllocateTimerObject",
            "NdisCancelTimerObject",
            "NdisFreeTimerObject",
            "NdisSetTimerObject",
        ],
    ),
    (
        &IRQL_DISPATCH,
        &[
            "KeAcquireSpinLockAtDpcLevel",
            "KeReleaseSpinLockFromDpcLevel",
            "KeTryToAcquireSpinLockAtDpcLevel",
        ],
    ),
    (
        &IRQL_EX_ALLOCATE_POOL,
        &[
            "ExAllocatePool2",
            "ExAllocatePool3",
            "ExAllocatePool",
            "ExAllocatePoolWithTag",
            "ExAllocatePoolWithTagPriority",
        ],
    ),
    (&IRQL_EX_FREE, &["ExFreePool", "ExFreePoolWithTag"]),
    (&IRQL_IO_APC_LTE, &["IoDeleteDevice"]),
    (&IRQL_IO_PASSIVE1, &["IoCreateDevice"]),
    (
        &IRQL_IO_PASSIVE4,
        &["IoCreateSymbolicLink", "IoDeleteSymbolicLink"],
    ),
    (&IRQL_KE_APC_LTE1, &["KeDelayExecutionThread"]),
    (
        &IRQL_KE_APC_LTE2,
        &["KeEnterCriticalRegion", "KeLeaveCriticalRegion"],
    ),
    (
        &IRQL_KE_DISPATCH_LTE,
        &[
            "KeAcquireSpinLockRaiseToDpc",
            "KeCancelTimer",
            "KeClearEvent",
            "KeReadStateEvent",
            "KeReleaseMutex",
            "KeResetEvent",
            "KeSetTimer",
            "KeSetTimerEx",
            "KeInitializeTimer",
            "KeInitializeTimerEx",
        ],
    ),
    (
        &IRQL_KE_RAISE_LOWER,
        &["KfRaiseIrql", "KeRaiseIrqlToDpcLevel", "KeLowerIrql"],
    ),
    (&IRQL_KE_RELEASE_SPIN_LOCK, &["KeReleaseSpinLock"]),
    (&IRQL_KE_SET_EVENT, &["KeSetEvent"]),
    (
        &IRQL_KE_WAIT,
        &["KeWaitForSingleObject", "KeWaitForMultipleObjects"],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_fall_under_the_rule_whose_page_lists_them() {
        assert_eq!(
            irql_rule("NdisSendNetBufferLists").name,
            "Irql_SendRcv_Function"
        );
        assert_eq!(
            irql_rule("NdisMIndicateStatusEx").name,
            "Irql_StatusIndication_Function"
        );
        assert_eq!(irql_rule("KeReleaseSpinLock").name, "IrqlKeReleaseSpinLock");
        assert_eq!(
            irql_rule("NdisMGetSomethingNew").name,
            "Irql_Miniport_Driver_Function"
        );
        assert_eq!(
            irql_rule("RtlInitUnicodeString").name,
            "IRQL_NOT_LESS_OR_EQUAL"
        );
    }
}
