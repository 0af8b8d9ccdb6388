//! Which IRQL rule a function falls under.

use super::irql::*;
use super::{
    NDIS_BUGCHECK_ALLOCATE_SHARED_MEM_HIGH_IRQL, NDIS_BUGCHECK_WAIT_EVENT_HIGH_IRQL, Rule,
};

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
    static FAMILIES: [(&str, &Rule); 6] = [
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

/// The functions that the page of each rule lists, as far as drivers of this kind call them.
/// Where ndis.sys has a bug check for the very call, that is the rule.
static GROUPS: &[(&Rule, &[&str])] = &[
    (
        &NDIS_BUGCHECK_ALLOCATE_SHARED_MEM_HIGH_IRQL,
        &["NdisMAllocateSharedMemory"],
    ),
    (&NDIS_BUGCHECK_WAIT_EVENT_HIGH_IRQL, &["NdisWaitEvent"]),
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
            "NdisAcquireReadWriteLock",
            "NdisAcquireSpinLock",
            "NdisDprAcquireReadWriteLock",
            "NdisDprAcquireSpinLock",
            "NdisDprReleaseReadWriteLock",
            "NdisDprReleaseSpinLock",
            "NdisReleaseReadWriteLock",
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
        &super::IRP_COMPLETED_ABOVE_DISPATCH,
        &["IofCompleteRequest"],
    ),
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
