//! Alarms that ring: `ndishost check` on each wrong driver of `tests/drivers/alarms` ends with exit code 1
//! and the report of its rule, and on its correct twin with exit code 0.
//!
//! A row is: the image, the lab file that it is checked in (`alarms/labs`), the rule, and what the report has to
//! say of the place, which is the call or the callback in which the rule has to be found. What follows are
//! more options of the command. A lab file serves all drivers of a kind. The script runs under a schedule, so
//! that what takes long takes no time.

use std::{collections::BTreeMap, env, fs, path::Path, process::Command};

use ndis_host::rules::{self, Rule};
use ndismux_tests::{alarm_image, alarm_sources, ndishost};
use serde_json::Value;

/// Declares the rows: `image: lab, RULE, "place in the report", "more options";`.
macro_rules! alarms {
    ($($name:ident: $lab:ident, $rule:ident, $at:literal $(, $option:literal)*;)*) => {
        $(mod $name {
            use super::{Alarm, rules};

            pub(super) const ALARM: Alarm = Alarm {
                name: stringify!($name),
                lab: stringify!($lab),
                rule: &rules::$rule,
                at: $at,
                options: &[$($option),*],
            };

            #[test]
            fn rings() {
                ALARM.rings();
            }

            #[test]
            fn twin_is_silent() {
                ALARM.twin_is_silent();
            }
        })*

        const ALARMS: &[Alarm] = &[$($name::ALARM),*];
    };
}

alarms! {
    // Devices without an edge to the network.
    bad_pool_caller_no_tag: device, BAD_POOL_CALLER, "ExAllocatePoolWithTag";
    bad_pool_caller_other_tag: device, BAD_POOL_CALLER, "ExFreePoolWithTag";
    delete_device: device, DELETE_DEVICE, "IoDeleteDevice";
    double_completion: device, DOUBLE_COMPLETION, "IofCompleteRequest";
    driver_bugcheck: device, DRIVER_BUGCHECK, "KeBugCheckEx";
    etw_event: device, ETW_EVENT, "EtwWrite";
    etw_invalid_handle: device, ETW_INVALID_HANDLE, "EtwUnregister";
    etw_left: device, ETW_LEFT, "is still there";
    etw_write: device, ETW_WRITE, "EtwWrite";
    exception_not_handled_breakpoint: device, EXCEPTION_NOT_HANDLED, "DbgBreakPoint";
    exception_not_handled_division: device, EXCEPTION_NOT_HANDLED, "an arithmetic exception";
    exception_not_handled_instruction: device, EXCEPTION_NOT_HANDLED, "an illegal instruction";
    exception_not_handled_misaligned: device, EXCEPTION_NOT_HANDLED, "STATUS_DATATYPE_MISALIGNMENT";
    exception_not_handled_semaphore: device, EXCEPTION_NOT_HANDLED, "KeReleaseSemaphore";
    exception_not_handled_stack: device, EXCEPTION_NOT_HANDLED, "the stack is exhausted";
    execute_of_noexecute_data: device, EXECUTE_OF_NOEXECUTE, "an instruction fetch";
    execute_of_noexecute_null: device, EXECUTE_OF_NOEXECUTE, "MajorFunction has NULL";
    execute_of_noexecute_pool: device, EXECUTE_OF_NOEXECUTE, "an instruction fetch";
    invalid_kernel_handle: device, INVALID_KERNEL_HANDLE, "ZwClose";
    invalid_string: device, INVALID_STRING, "RtlCompareUnicodeString";
    invalid_string_event_log: device, INVALID_STRING, "NdisWriteEventLogEntry";
    io_complete_with_spin_lock: device, IO_COMPLETE_WITH_SPIN_LOCK, "IofCompleteRequest";
    irp_cancel_timed_out: device, IRP_CANCEL_TIMED_OUT, "was cancelled and is not completed";
    irp_completed_above_dispatch: device, IRP_COMPLETED_ABOVE_DISPATCH, "IofCompleteRequest";
    irp_completed_as_pending: device, IRP_COMPLETED_AS_PENDING, "IofCompleteRequest";
    irp_completed_with_cancel_routine: device, IRP_COMPLETED_WITH_CANCEL_ROUTINE, "IofCompleteRequest";
    irp_information: device, IRP_INFORMATION, "IofCompleteRequest";
    irp_processing_complete: device, IRP_PROCESSING_COMPLETE, "DispatchDeviceControl returned";
    irp_status_inconsistent: device, IRP_STATUS_INCONSISTENT, "DispatchDeviceControl returned";
    leave_critical_region: device, LEAVE_CRITICAL_REGION, "KeLeaveCriticalRegion";
    lookaside_not_initialized: device, LOOKASIDE_NOT_INITIALIZED, "ExDeleteNPagedLookasideList";
    lookaside_not_initialized_flushed: device, LOOKASIDE_NOT_INITIALIZED, "ExFlushLookasideListEx";
    lookaside_reinitialized: device, LOOKASIDE_REINITIALIZED, "ExInitializeNPagedLookasideList";
    mark_irp_pending: device, MARK_IRP_PENDING, "DispatchDeviceControl returned";
    mark_irp_pending_2: device, MARK_IRP_PENDING_2, "DispatchDeviceControl returned";
    mdl_built_with_flags: device, MDL_BUILT_WITH_FLAGS, "MmBuildMdlForNonPagedPool";
    mdl_freed_while_mapped: device, MDL_FREED_WHILE_MAPPED, "IoFreeMdl";
    mdl_mapped_twice: device, MDL_MAPPED_TWICE, "MmMapLockedPagesSpecifyCache";
    mdl_not_locked: device, MDL_NOT_LOCKED, "MmMapLockedPagesSpecifyCache";
    mdl_not_mapped: device, MDL_NOT_MAPPED, "MmUnmapLockedPages";
    mdl_partial_outside: device, MDL_PARTIAL_OUTSIDE, "are no part of";
    mdl_partial_too_small: device, MDL_PARTIAL_OUTSIDE, "is too small";
    mdl_unlocked_not_locked: device, MDL_UNLOCKED_NOT_LOCKED, "MmUnlockPages";
    mutex_not_owned: device, MUTEX_NOT_OWNED, "KeReleaseMutex";
    mutex_released_by_other: device, MUTEX_RELEASED_BY_OTHER, "ExReleaseFastMutex";
    object_not_initialized_dpc: device, OBJECT_NOT_INITIALIZED, "KeInsertQueueDpc";
    object_not_initialized_dpc_routine: device, OBJECT_NOT_INITIALIZED, "has no routine";
    object_not_initialized_event: device, OBJECT_NOT_INITIALIZED, "KeSetEvent";
    object_not_initialized_moved: device, OBJECT_NOT_INITIALIZED, "KeWaitForSingleObject";
    object_not_initialized_timer: device, OBJECT_NOT_INITIALIZED, "KeSetTimer";
    page_fault_in_nonpaged_area: device, PAGE_FAULT_IN_NONPAGED_AREA, "where there is no memory";
    pended_completed_request: device, PENDED_COMPLETED_REQUEST, "DispatchDeviceControl returned";
    pool_contains_live_object: device, POOL_CONTAINS_LIVE_OBJECT, "ExFreePoolWithTag";
    pool_free_unknown: device, POOL_FREE_UNKNOWN, "it lies inside";
    pool_zero_size: device, POOL_ZERO_SIZE, "ExAllocatePool2";
    reference_by_pointer: device, REFERENCE_BY_POINTER, "ObfDereferenceObject";
    returned_holding_cancel_lock: device, RETURNED_HOLDING_CANCEL_LOCK, "Cancel returned";
    rundown_initialized_again: device, RUNDOWN, "ExReInitializeRundownProtection";
    rundown_released: device, RUNDOWN, "ExReleaseRundownProtection";
    security_check_failure_fast_fail: device, SECURITY_CHECK_FAILURE, "int 29h with code 3";
    security_check_failure_list: device, SECURITY_CHECK_FAILURE, "ExInterlockedInsertTailList";
    self_deadlock: device, SELF_DEADLOCK, "ExAcquireFastMutex";
    special_pool_written_after_free: device_red_zones, SPECIAL_POOL_CORRUPTION, "was written after";
    special_pool_written_before: device, SPECIAL_POOL_CORRUPTION, "8 before its start";
    special_pool_written_past_end: device, SPECIAL_POOL_CORRUPTION, "2 past its end";
    spin_lock_deadlock: device, SPIN_LOCK_DEADLOCK, "KeAcquireSpinLockAtDpcLevel";
    spin_lock_init_failure: device, SPIN_LOCK_INIT_FAILURE, "KeAcquireSpinLockRaiseToDpc";
    spin_lock_init_failure_overwritten: device, SPIN_LOCK_INIT_FAILURE, "KeReleaseSpinLock";
    spin_lock_init_failure_unaligned: device, SPIN_LOCK_INIT_FAILURE, "not an aligned address";
    spin_lock_not_owned: device, SPIN_LOCK_NOT_OWNED, "KeReleaseSpinLock";
    spin_lock_not_owned_exclusive: device, SPIN_LOCK_NOT_OWNED, "ExReleaseSpinLockExclusive";
    stack_buffer_overrun: device, STACK_BUFFER_OVERRUN, "int 29h with code 2";
    synthetic_watchdog_timeout: device, SYNTHETIC_WATCHDOG_TIMEOUT, "no thread can go on";
    unload_leaves_device: device, UNLOAD_LEAVES_DEVICE, "was unloaded and left";
    unload_leaves_device_link: device, UNLOAD_LEAVES_DEVICE, "the symbolic link";
    unloaded_with_pending_thread: device, UNLOADED_WITH_PENDING, "still runs";
    unloaded_with_pending_timer: device, UNLOADED_WITH_PENDING, "and the timer at";
    unloaded_with_pending_work_item: device, UNLOADED_WITH_PENDING, "which was unloaded";
    wait_at_dispatch: device, WAIT_AT_DISPATCH, "KeWaitForSingleObject";
    work_item_freed_twice: device, WORK_ITEM, "IoFreeWorkItem";
    work_item_queued_freed: device, WORK_ITEM, "IoQueueWorkItem";
    write_to_readonly: device, WRITE_TO_READONLY, "a write at";

    // Miniports.
    bugcheck_allocate_shared_mem_high_irql: miniport, NDIS_BUGCHECK_ALLOCATE_SHARED_MEM_HIGH_IRQL, "NdisMAllocateSharedMemory";
    bugcheck_driver_unload_unexpected: miniport, NDIS_BUGCHECK_DRIVER_UNLOAD_UNEXPECTED, "NdisMDeregisterMiniportDriver";
    bugcheck_free_invalid_shared_mem: miniport, NDIS_BUGCHECK_FREE_INVALID_SHARED_MEM, "NdisMFreeSharedMemory";
    bugcheck_halt_without_interrupt_deregister: miniport, NDIS_BUGCHECK_HALT_WITHOUT_INTERRUPT_DEREGISTER, "MiniportHaltEx";
    bugcheck_if_provider_deregister_unexpected: miniport, NDIS_BUGCHECK_IF_PROVIDER_DEREGISTER_UNEXPECTED, "NdisIfDeregisterProvider";
    bugcheck_if_stack_table_loop: miniport, NDIS_BUGCHECK_IF_STACK_TABLE_LOOP, "NdisIfAddIfStackEntry";
    bugcheck_illegal_miniport_state_transition: miniport, NDIS_BUGCHECK_ILLEGAL_MINIPORT_STATE_TRANSITION, "NdisMPauseComplete";
    bugcheck_illegal_net_pnp_event: miniport, NDIS_BUGCHECK_ILLEGAL_NET_PNP_EVENT, "only intermediate drivers";
    bugcheck_init_failed_without_interrupt_deregister: refused, NDIS_BUGCHECK_INIT_FAILED_WITHOUT_INTERRUPT_DEREGISTER, "MiniportInitializeEx";
    bugcheck_invalid_object_header: miniport, NDIS_BUGCHECK_INVALID_OBJECT_HEADER, "NdisMIndicateStatusEx";
    bugcheck_invalid_oid_completion: miniport, NDIS_BUGCHECK_INVALID_OID_COMPLETION, "NdisMOidRequestComplete";
    bugcheck_leaked_nbl: miniport, NDIS_BUGCHECK_LEAKED_NBL, "NdisFreeNetBufferListPool";
    bugcheck_miniport_failed_oid_which_must_succeed_query: miniport, NDIS_BUGCHECK_MINIPORT_FAILED_OID_WHICH_MUST_SUCCEED, "OID_PNP_QUERY_POWER";
    bugcheck_miniport_fatal_error: miniport, NDIS_BUGCHECK_MINIPORT_FATAL_ERROR, "OID_PNP_SET_POWER";
    bugcheck_oid_request_invalid_buffer: miniport, NDIS_BUGCHECK_OID_REQUEST_INVALID_BUFFER, "BytesRead is 5, the buffer has 4 bytes";
    bugcheck_pm_init_failed_no_int_deregister: refused_wake, NDIS_BUGCHECK_PM_INIT_FAILED_NO_INT_DEREGISTER, "MiniportInitializeEx";
    bugcheck_reset_complete_unexpected: miniport, NDIS_BUGCHECK_RESET_COMPLETE_UNEXPECTED, "NdisMResetComplete";
    bugcheck_reset_complete_unexpected_return: miniport, NDIS_BUGCHECK_RESET_COMPLETE_UNEXPECTED, "MiniportResetEx";
    bugcheck_shared_mem_corruption: miniport, NDIS_BUGCHECK_SHARED_MEM_CORRUPTION, "NdisMFreeSharedMemory";
    bugcheck_status_indication_invalid_buffer: miniport, NDIS_BUGCHECK_STATUS_INDICATION_INVALID_BUFFER, "NdisMIndicateStatusEx";
    bugcheck_stuck_nbl: leaving, NDIS_BUGCHECK_STUCK_NBL, "NetEventPause";
    bugcheck_wait_event_high_irql: miniport, NDIS_BUGCHECK_WAIT_EVENT_HIGH_IRQL, "NdisWaitEvent";
    bugcheck_watchdog_miniport_halt: miniport, NDIS_BUGCHECK_WATCHDOG_MINIPORT_HALT, "has not returned";
    bugcheck_watchdog_miniport_oid: asked, NDIS_BUGCHECK_WATCHDOG_MINIPORT_OID, "query 0x00020106 is pending";
    bugcheck_watchdog_miniport_pause: miniport, NDIS_BUGCHECK_WATCHDOG_MINIPORT_PAUSE, "MiniportPause";
    bugcheck_watchdog_miniport_pause_runs: miniport, NDIS_BUGCHECK_WATCHDOG_MINIPORT_PAUSE, "has not returned";
    cancel_timer_object: miniport, CANCEL_TIMER_OBJECT, "MiniportHaltEx";
    cancel_timer_object_freed_set: miniport, CANCEL_TIMER_OBJECT, "NdisFreeTimerObject";
    double_complete: miniport, DOUBLE_COMPLETE, "MiniportOidRequest";
    double_complete_work_item: miniport, DOUBLE_COMPLETE_WORK_ITEM, "NdisMOidRequestComplete";
    flags_irql: miniport, FLAGS_IRQL, "MiniportSendNetBufferLists";
    flags_irql_register: miniport, FLAGS_IRQL, "MiniportSendNetBufferLists";
    init_de_register_interrupt: miniport, INIT_DE_REGISTER_INTERRUPT, "NdisMDeregisterInterruptEx";
    init_ndis_allocate_io_work_item: miniport, INIT_NDIS_ALLOCATE_IO_WORK_ITEM, "MiniportHaltEx";
    init_register_interrupt: miniport, INIT_REGISTER_INTERRUPT, "NdisMRegisterInterruptEx";
    init_register_sg: miniport, INIT_REGISTER_SG, "MiniportHaltEx";
    init_register_sg_list_freed_twice: miniport, INIT_REGISTER_SG, "NdisMFreeNetBufferSGList";
    init_register_sg_list_kept: miniport, INIT_REGISTER_SG, "NdisMDeregisterScatterGatherDma";
    invalid_handle_freed_pool: miniport, INVALID_HANDLE, "NdisFreeNetBufferListPool";
    invalid_handle_interface: miniport, INVALID_HANDLE, "NdisIfDeregisterInterface";
    invalid_handle_of_other_kind: miniport, INVALID_HANDLE, "NdisFreeNetBufferListPool";
    irql_dispatch: miniport, IRQL_DISPATCH, "KeAcquireSpinLockAtDpcLevel";
    irql_ex_allocate_pool_device: miniport, IRQL_EX_ALLOCATE_POOL, "ExAllocatePool2";
    irql_ex_allocate_pool_paged: miniport, IRQL_EX_ALLOCATE_POOL, "paged pool";
    irql_ex_free_device: miniport, IRQL_EX_FREE, "ExFreePoolWithTag";
    irql_ex_free_paged: miniport, IRQL_EX_FREE, "ExFreePoolWithTag";
    irql_gather_dma_function: miniport, IRQL_GATHER_DMA_FUNCTION, "NdisMRegisterScatterGatherDma";
    irql_interrupt_function: miniport, IRQL_INTERRUPT_FUNCTION, "NdisMDeregisterInterruptEx";
    irql_io_apc_lte: miniport, IRQL_IO_APC_LTE, "IoDeleteDevice";
    irql_io_passive1: miniport, IRQL_IO_PASSIVE1, "IoCreateDevice";
    irql_io_passive4: miniport, IRQL_IO_PASSIVE4, "IoCreateSymbolicLink";
    irql_ke_apc_lte1: miniport, IRQL_KE_APC_LTE1, "KeDelayExecutionThread";
    irql_ke_apc_lte2: miniport, IRQL_KE_APC_LTE2, "KeEnterCriticalRegion";
    irql_ke_dispatch_lte: miniport, IRQL_KE_DISPATCH_LTE, "KeClearEvent";
    irql_ke_raise_lower_lower: miniport, IRQL_KE_RAISE_LOWER, "KeLowerIrql";
    irql_ke_raise_lower_raise: miniport, IRQL_KE_RAISE_LOWER, "KfRaiseIrql";
    irql_ke_release_spin_lock_level: miniport, IRQL_KE_RELEASE_SPIN_LOCK, "KeReleaseSpinLock";
    irql_ke_release_spin_lock_saved: miniport, IRQL_KE_RELEASE_SPIN_LOCK, "but was acquired at";
    irql_ke_set_event_device: miniport, IRQL_KE_SET_EVENT, "KeSetEvent";
    irql_ke_set_event_wait: miniport, IRQL_KE_SET_EVENT, "with Wait set";
    irql_ke_wait: miniport, IRQL_KE_WAIT, "KeWaitForSingleObject";
    irql_miniport_driver_function: miniport, IRQL_MINIPORT_DRIVER_FUNCTION, "NdisMSetMiniportAttributes";
    irql_miscellaneous_function: miniport, IRQL_MISCELLANEOUS_FUNCTION, "NdisCloseConfiguration";
    irql_net_buffer_function: miniport, IRQL_NET_BUFFER_FUNCTION, "NdisFreeNetBufferListPool";
    irql_not_less_or_equal: miniport, IRQL_NOT_LESS_OR_EQUAL, "KeFlushQueuedDpcs";
    irql_not_less_or_equal_print: miniport, IRQL_NOT_LESS_OR_EQUAL, "Unicode conversion";
    irql_oid_function: miniport, IRQL_OID_FUNCTION, "NdisMOidRequestComplete";
    irql_return: miniport, IRQL_RETURN, "MiniportSendNetBufferLists";
    irql_send_rcv_function: miniport, IRQL_SEND_RCV_FUNCTION, "NdisMSendNetBufferListsComplete";
    irql_send_rcv_function_flag: miniport, IRQL_SEND_RCV_FUNCTION, "NdisMSendNetBufferListsComplete";
    irql_status_indication_function: miniport, IRQL_STATUS_INDICATION_FUNCTION, "NdisMIndicateStatusEx";
    irql_synch_function: miniport, IRQL_SYNCH_FUNCTION, "NdisSetEvent";
    irql_synch_function_rw_lock: miniport, IRQL_SYNCH_FUNCTION, "NdisAcquireRWLockRead";
    irql_timer_function: miniport, IRQL_TIMER_FUNCTION, "NdisFreeTimerObject";
    irql_zw_passive: miniport, IRQL_ZW_PASSIVE, "ZwOpenKey";
    miniport_adapter_state_asleep_receive: miniport, MINIPORT_ADAPTER_STATE, "frames are indicated in a low-power state";
    miniport_adapter_state_asleep_status: miniport, MINIPORT_ADAPTER_STATE, "is indicated in a low-power state";
    miniport_adapter_state_attributes: miniport, MINIPORT_ADAPTER_STATE, "MiniportInitializeEx";
    miniport_adapter_state_attributes_late: miniport, MINIPORT_ADAPTER_STATE, "NdisMSetMiniportAttributes";
    miniport_adapter_state_attributes_missing: miniport, MINIPORT_ADAPTER_STATE, "without registration and general attributes";
    miniport_adapter_state_indicate_paused: miniport, MINIPORT_ADAPTER_STATE, "NdisMIndicateReceiveNetBufferLists";
    miniport_adapter_state_initialize_pending: refused, MINIPORT_ADAPTER_STATE, "MiniportInitializeEx returned NDIS_STATUS_PENDING";
    miniport_adapter_state_reset_status: miniport, MINIPORT_ADAPTER_STATE, "NdisMIndicateStatusEx";
    miniport_adapter_state_status_source: miniport, MINIPORT_ADAPTER_STATE, "NdisMIndicateStatusEx";
    miniport_pause_return: miniport, MINIPORT_PAUSE_RETURN, "MiniportPause";
    nbl_ownership_clone_kept: miniport, NBL_OWNERSHIP, "were made from it";
    nbl_ownership_completed_twice: miniport, NBL_OWNERSHIP, "NdisMSendNetBufferListsComplete";
    nbl_ownership_context_kept: miniport, NBL_OWNERSHIP, "context space is still allocated";
    nbl_ownership_freed_twice: miniport, NBL_OWNERSHIP, "NdisFreeNetBufferList";
    nbl_ownership_indicated_miscounted: miniport, NBL_OWNERSHIP, "NumberOfNetBufferLists is 2";
    nbl_ownership_retreat_kept: miniport, NBL_OWNERSHIP, "NdisMSendNetBufferListsComplete";
    nbl_ownership_status_not_set: miniport, NBL_OWNERSHIP, "its Status member was not set";
    ndis_allocate_generic_object: miniport, NDIS_ALLOCATE_GENERIC_OBJECT, "generic object";
    ndis_allocate_generic_object_freed_twice: miniport, NDIS_ALLOCATE_GENERIC_OBJECT, "NdisFreeGenericObject";
    ndis_allocate_mdl: miniport, NDIS_ALLOCATE_MDL, "NdisFreeMdl";
    ndis_allocate_memory_with_tag_priority: miniport, NDIS_ALLOCATE_MEMORY_WITH_TAG_PRIORITY, "NdisAllocateMemoryWithTagPriority";
    ndis_allocate_net_buffer: miniport, NDIS_ALLOCATE_NET_BUFFER, "NdisFreeNetBufferPool";
    ndis_allocate_net_buffer_of_list: miniport, NDIS_ALLOCATE_NET_BUFFER, "NdisFreeNetBuffer";
    ndis_m_deregister_interrupt_ex: miniport, NDIS_M_DEREGISTER_INTERRUPT_EX, "NdisMSynchronizeWithInterruptEx";
    ndis_m_free_shared_memory: shut_down, NDIS_M_FREE_SHARED_MEMORY, "MiniportShutdownEx";
    ndis_m_indicate_status_ex: miniport, NDIS_M_INDICATE_STATUS_EX, "NdisMIndicateStatusEx";
    ndis_m_map_io_space: miniport, NDIS_M_MAP_IO_SPACE, "NdisMMapIoSpace";
    ndis_m_map_io_space_unmapped_in_part: miniport, NDIS_M_MAP_IO_SPACE, "NdisMUnmapIoSpace";
    ndis_m_net_pn_p_event_in_oid_request: miniport, NDIS_M_NET_PN_P_EVENT_IN_OID_REQUEST, "NdisMNetPnPEvent";
    ndis_m_register_io_port_range: miniport, NDIS_M_REGISTER_IO_PORT_RANGE, "NdisMRegisterIoPortRange";
    ndis_oid_complete_pending: miniport, NDIS_OID_COMPLETE, "NdisMOidRequestComplete";
    ndis_oid_double_complete: miniport, NDIS_OID_DOUBLE_COMPLETE, "NdisMOidRequestComplete";
    ndis_open_configuration_ex: miniport, NDIS_OPEN_CONFIGURATION_EX, "MiniportHaltEx";
    ndis_register_device_ex: miniport, NDIS_REGISTER_DEVICE_EX, "NdisDeregisterDeviceEx";
    ndis_stall_execution_delay: miniport, NDIS_STALL_EXECUTION_DELAY, "KeStallExecutionProcessor";
    ndis_timed_data_hang: miniport, NDIS_TIMED_DATA_HANG, "completed no send for 22s";
    ndis_timed_data_send: miniport_slow, NDIS_TIMED_DATA_SEND, "kept for more than 8 s";
    ndis_timed_oid_complete: miniport, NDIS_TIMED_OID_COMPLETE, "is pending";
    null_check: miniport, NULL_CHECK, "MiniportSendNetBufferLists";
    periodic_timer: miniport, PERIODIC_TIMER, "NdisCancelTimerObject";
    pool_freed_twice: miniport, POOL_DOUBLE_FREE, "ExFreePoolWithTag";
    pool_leak: miniport, POOL_LEAK, "unloaded";
    resources_left_pool: miniport, RESOURCES_LEFT, "NET_BUFFER_LIST pool";
    resources_left_port: miniport, RESOURCES_LEFT, "MiniportHaltEx";
    resources_left_registration: miniport, RESOURCES_LEFT, "unloaded";
    special_pool_freed: miniport, PAGE_FAULT_IN_FREED_POOL, "MiniportSendNetBufferLists";
    special_pool_overrun: miniport, PAGE_FAULT_BEYOND_END, "MiniportSendNetBufferLists";
    spin_lock_acquired_twice: miniport, SPIN_LOCK, "NdisAcquireSpinLock";
    spin_lock_already_owned: miniport, SPIN_LOCK_ALREADY_OWNED, "KeAcquireSpinLockAtDpcLevel";
    spin_lock_balanced: miniport, SPIN_LOCK_BALANCED, "NdisReleaseSpinLock";
    spin_lock_dpr: miniport, SPIN_LOCK_DPR, "MiniportSendNetBufferLists";
    spin_lock_dpr_acquired_twice: miniport, SPIN_LOCK_DPR, "NdisDprAcquireSpinLock";
    spin_lock_dpr_release: miniport, SPIN_LOCK_DPR_RELEASE, "NdisDprAcquireSpinLock";
    spinlock_release: miniport, SPINLOCK_RELEASE, "NdisReleaseSpinLock";
    write_error_log: miniport, WRITE_ERROR_LOG, "MiniportInitializeEx", "--faults";

    // Protocols.
    bugcheck_invalid_open_in_bind_context: protocol, NDIS_BUGCHECK_INVALID_OPEN_IN_BIND_CONTEXT, "NdisOpenAdapterEx";
    bugcheck_watchdog_protocol_netpnpevent: protocol, NDIS_BUGCHECK_WATCHDOG_PROTOCOL_NETPNPEVENT, "NetEventSetPower";
    bugcheck_watchdog_protocol_netpnpevent_runs: protocol, NDIS_BUGCHECK_WATCHDOG_PROTOCOL_NETPNPEVENT, "has not returned";
    bugcheck_watchdog_protocol_pause: protocol, NDIS_BUGCHECK_WATCHDOG_PROTOCOL_PAUSE, "NetEventPause";
    bugcheck_watchdog_protocol_pause_runs: protocol, NDIS_BUGCHECK_WATCHDOG_PROTOCOL_PAUSE, "has not returned";
    bugcheck_watchdog_protocol_status_indication: protocol, NDIS_BUGCHECK_WATCHDOG_PROTOCOL_STATUS_INDICATION, "has not returned";
    bugcheck_watchdog_protocol_unbind: protocol, NDIS_BUGCHECK_WATCHDOG_PROTOCOL_UNBIND, "ProtocolUnbindAdapterEx";
    bugcheck_watchdog_protocol_unbind_bind: protocol, NDIS_BUGCHECK_WATCHDOG_PROTOCOL_UNBIND, "ProtocolBindAdapterEx";
    bugcheck_watchdog_protocol_unbind_runs: protocol, NDIS_BUGCHECK_WATCHDOG_PROTOCOL_UNBIND, "has not returned";
    invalid_handle_work_item_of_protocol: protocol, INVALID_HANDLE, "NdisAllocateIoWorkItem";
    irql_interfaces_function: protocol, IRQL_INTERFACES_FUNCTION, "NdisIfQueryBindingIfIndex";
    irql_protocol_driver_function: protocol, IRQL_PROTOCOL_DRIVER_FUNCTION, "NdisDeregisterProtocolDriver";
    nbl_ownership_lent_changed: protocol, NBL_OWNERSHIP, "ProtocolReceiveNetBufferLists";
    nbl_ownership_lent_returned: protocol, NBL_OWNERSHIP, "NdisReturnNetBufferLists";
    nbl_ownership_returned_twice: protocol, NBL_OWNERSHIP, "NdisReturnNetBufferLists";
    nbl_ownership_source: protocol, NBL_OWNERSHIP, "its SourceHandle is";
    ndis_oid_double_request: protocol, NDIS_OID_DOUBLE_REQUEST, "NdisOidRequest";
    ndis_query_bind_instance_name: protocol, NDIS_QUERY_BIND_INSTANCE_NAME, "unloaded";
    ndis_re_enumerate_protocol_bindings: protocol, NDIS_RE_ENUMERATE_PROTOCOL_BINDINGS, "NdisReEnumerateProtocolBindings";
    protocol_binding_state_closed_late: protocol, PROTOCOL_BINDING_STATE, "NdisCloseAdapterEx was not called";
    protocol_binding_state_not_opened: protocol, PROTOCOL_BINDING_STATE, "ProtocolBindAdapterEx succeeded";
    protocol_binding_state_opened_twice: protocol, PROTOCOL_BINDING_STATE, "NdisOpenAdapterEx";
    protocol_binding_state_pause: protocol, PROTOCOL_BINDING_STATE, "NetEventPause";

    // Intermediate drivers.
    bugcheck_miniport_failed_oid_which_must_succeed_set: intermediate, NDIS_BUGCHECK_MINIPORT_FAILED_OID_WHICH_MUST_SUCCEED, "OID_PNP_SET_POWER";
    im_virtual_miniport_state_associated_twice: intermediate, IM_VIRTUAL_MINIPORT_STATE, "NdisIMAssociateMiniport";
    im_virtual_miniport_state_attributes: intermediate, IM_VIRTUAL_MINIPORT_STATE, "NdisMSetMiniportAttributes";
    im_virtual_miniport_state_ended_early: intermediate, IM_VIRTUAL_MINIPORT_STATE, "NdisIMDeInitializeDeviceInstance";
    irql_im_function: intermediate, IRQL_IM_FUNCTION, "NdisIMInitializeDeviceInstanceEx";

    // Filters.
    bugcheck_illegal_net_pnp_event_filter: filter, NDIS_BUGCHECK_ILLEGAL_NET_PNP_EVENT, "NdisFNetPnPEvent";
    bugcheck_watchdog_filter_detach: filter, NDIS_BUGCHECK_WATCHDOG_FILTER_DETACH, "has not returned";
    bugcheck_watchdog_filter_netpnpevent: filter, NDIS_BUGCHECK_WATCHDOG_FILTER_NETPNPEVENT, "has not returned";
    bugcheck_watchdog_filter_oid: filter, NDIS_BUGCHECK_WATCHDOG_FILTER_OID, "is pending";
    bugcheck_watchdog_filter_pause: filter_slow, NDIS_BUGCHECK_WATCHDOG_FILTER_PAUSE, "FilterPause";
    bugcheck_watchdog_filter_pause_runs: filter_slow, NDIS_BUGCHECK_WATCHDOG_FILTER_PAUSE, "has not returned";
    bugcheck_watchdog_filter_status_indication: filter, NDIS_BUGCHECK_WATCHDOG_FILTER_STATUS_INDICATION, "has not returned";
    filter_bypass_oid: filter, FILTER_BYPASS, "NdisFOidRequest";
    filter_bypass_receive: filter, FILTER_BYPASS, "NdisFIndicateReceiveNetBufferLists";
    filter_bypass_send: filter, FILTER_BYPASS, "NdisFSendNetBufferLists";
    filter_module_state_attributes: filter, FILTER_MODULE_STATE, "FilterAttach";
    filter_module_state_attributes_late: filter, FILTER_MODULE_STATE, "NdisFSetAttributes in state";
    filter_module_state_event: filter, FILTER_MODULE_STATE, "only queries can fail";
    filter_module_state_event_in_oid: filter, FILTER_MODULE_STATE, "inside FilterOidRequest";
    filter_module_state_pause_kept: filter_paused, FILTER_MODULE_STATE, "of others that it keeps";
    filter_type: monitor, FILTER_TYPE, "is a monitoring filter";
    irql_filter_driver_function: filter, IRQL_FILTER_DRIVER_FUNCTION, "NdisFSetAttributes";
    nbl_ownership_filter_completed_twice: filter, NBL_OWNERSHIP, "NdisFSendNetBufferListsComplete";
    ndis_f_deregister_filter_driver: filter, NDIS_F_DEREGISTER_FILTER_DRIVER, "unloaded";
    ndis_f_deregister_filter_driver_detach: filter, NDIS_F_DEREGISTER_FILTER_DRIVER, "NdisFDeregisterFilterDriver";
    ndis_filter_timed_data_receive: filter, NDIS_FILTER_TIMED_DATA_RECEIVE, "kept for more than";
    ndis_filter_timed_data_send: filter, NDIS_FILTER_TIMED_DATA_SEND, "kept for more than";
    ndis_filter_timed_pause_complete: filter, NDIS_FILTER_TIMED_PAUSE_COMPLETE, "FilterPause";
    ndis_filter_timed_pause_complete_late: filter, NDIS_FILTER_TIMED_PAUSE_COMPLETE, "FilterPause";
    ndis_filter_timed_pause_complete_twice: filter, NDIS_FILTER_TIMED_PAUSE_COMPLETE, "succeeded too";
    ndis_oid_complete_filter: filter, NDIS_OID_COMPLETE, "NdisFOidRequestComplete";
    ndis_oid_double_request_filter: filter, NDIS_OID_DOUBLE_REQUEST, "a clone of it is";
}

/// A row.
struct Alarm {
    name: &'static str,
    lab: &'static str,
    rule: &'static Rule,
    /// What the report says before the list of the last calls.
    at: &'static str,
    options: &'static [&'static str],
}

impl Alarm {
    fn rings(&self) {
        let (code, summary) = self.check(false);
        let name = self.name;
        assert_eq!(code, Some(1), "{name}: {summary:#}");
        let bad = summary["bad"].as_array().expect("a list");
        assert!(!bad.is_empty(), "{name}: {summary:#}");
        for run in bad {
            let what = &run["what"];
            assert_eq!(what["rule"], self.rule.name, "{name}: {run:#}");
            let report = what["report"].as_str().expect("a text");
            let place = report.split("Last calls").next().unwrap_or_default();
            assert!(
                place.contains(self.at),
                "{name}: no {:?} in:\n{report}",
                self.at
            );
            let broken = report.matches("RULE BROKEN").count();
            assert_eq!(broken, 1, "{name}:\n{report}");
        }
    }

    fn twin_is_silent(&self) {
        let (code, summary) = self.check(true);
        assert_eq!(code, Some(0), "{}: {summary:#}", self.name);
        let skipped = summary["skipped"].as_array().expect("a list");
        assert!(skipped.is_empty(), "{}: {summary:#}", self.name);
    }

    /// Runs the command: its exit code and its summary.
    fn check(&self, twin: bool) -> (Option<i32>, Value) {
        let image = alarm_image(self.name, twin);
        let labs = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/alarms/labs"));
        let lab = labs.join(self.lab).with_extension("toml");
        let options = match self.options {
            [] => &["--schedules", "1", "--race", "script"],
            options => options,
        };
        let output = Command::new(ndishost())
            .args(["check", "--json", "--jobs", "1", "--lab"])
            .arg(lab)
            .args(["--image", &format!("alarm={}", image.display())])
            .args(options)
            .output()
            .expect("the command starts");
        let summary = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            let told = String::from_utf8_lossy(&output.stderr);
            panic!("{}: {error}: {told}", self.name);
        });
        (output.status.code(), summary)
    }
}

#[test]
fn every_wrong_driver_has_a_row_and_every_row_a_driver() {
    let mut rows: Vec<_> = ALARMS.iter().map(|alarm| alarm.name).collect();
    rows.sort_unstable();
    assert_eq!(alarm_sources(), rows);
}

/// With `UPDATE_DOCS=1` in the environment the file is written anew; `docs/host.md` has it as well.
#[test]
fn the_registry_names_the_first_alarm_of_each_rule() {
    let mut first = BTreeMap::new();
    for alarm in ALARMS {
        let name = first.entry(alarm.rule.name).or_insert(alarm.name);
        *name = alarm.name.min(*name);
    }
    let lines = first
        .iter()
        .map(|(rule, name)| format!("{rule},alarms::{name}\n"));
    let fresh = format!("rule,test\n{}", lines.collect::<String>());
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../crates/ndis-host/src/rules/alarms.csv"
    );
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(file, &fresh).expect("it can be written");
    }
    let found = fs::read_to_string(file).expect("it is there");
    assert_eq!(found, fresh, "refresh it: UPDATE_DOCS=1");
}
