//! Alarms that ring: each wrong driver of `tests/drivers/alarms` ends the host with the report of its
//! rule, and its correct twin lives through the same without one.
//!
//! A row is: the image, its edge, the rule, and what the report has to say of the place, which is the
//! call or the callback in which the rule has to be found. A third part changes the lab before the
//! driver is loaded. All images of an edge go through the same life, in which everything that the
//! edge has is used at least once: see [`Edge`].

#[path = "alarms/lives.rs"]
mod lives;

use std::{collections::BTreeMap, env, fs, path::Path, time::Duration};

use lives::{Edge, SERVICE, hung, impatient, lent, no_shared_memory, red_zones, slow_oids, soon};
use ndis_host::{
    lab::Lab,
    nt::sched::{self, Seed},
    rules::{self, Rule},
};
use ndismux_tests::{alarm_image, alarm_sources, own_process};

/// Declares the rows: `image: Edge, RULE, "place in the report", prepare;`.
macro_rules! alarms {
    (@prepare) => { |_| {} };
    (@prepare $prepare:ident) => { super::$prepare };
    ($($name:ident: $edge:ident, $rule:ident, $at:literal $(, $prepare:ident)?;)*) => {
        $(mod $name {
            use super::{Alarm, Edge, rules};

            pub(super) const ALARM: Alarm = Alarm {
                name: stringify!($name),
                edge: Edge::$edge,
                rule: &rules::$rule,
                at: $at,
                prepare: alarms!(@prepare $($prepare)?),
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
    bad_pool_caller_no_tag: Device, BAD_POOL_CALLER, "ExAllocatePoolWithTag";
    bad_pool_caller_other_tag: Device, BAD_POOL_CALLER, "ExFreePoolWithTag";
    delete_device: Device, DELETE_DEVICE, "IoDeleteDevice";
    double_completion: Device, DOUBLE_COMPLETION, "IofCompleteRequest";
    driver_bugcheck: Device, DRIVER_BUGCHECK, "KeBugCheckEx";
    etw_event: Device, ETW_EVENT, "EtwWrite";
    etw_invalid_handle: Device, ETW_INVALID_HANDLE, "EtwUnregister";
    etw_left: Device, ETW_LEFT, "is still there";
    etw_write: Device, ETW_WRITE, "EtwWrite";
    exception_not_handled_breakpoint: Device, EXCEPTION_NOT_HANDLED, "DbgBreakPoint";
    exception_not_handled_division: Device, EXCEPTION_NOT_HANDLED, "an arithmetic exception";
    exception_not_handled_instruction: Device, EXCEPTION_NOT_HANDLED, "an illegal instruction";
    exception_not_handled_misaligned: Device, EXCEPTION_NOT_HANDLED, "STATUS_DATATYPE_MISALIGNMENT";
    exception_not_handled_semaphore: Device, EXCEPTION_NOT_HANDLED, "KeReleaseSemaphore";
    exception_not_handled_stack: Device, EXCEPTION_NOT_HANDLED, "the stack is exhausted";
    execute_of_noexecute_data: Device, EXECUTE_OF_NOEXECUTE, "an instruction fetch";
    execute_of_noexecute_null: Device, EXECUTE_OF_NOEXECUTE, "MajorFunction has NULL";
    execute_of_noexecute_pool: Device, EXECUTE_OF_NOEXECUTE, "an instruction fetch";
    invalid_kernel_handle: Device, INVALID_KERNEL_HANDLE, "ZwClose";
    invalid_string: Device, INVALID_STRING, "RtlCompareUnicodeString";
    invalid_string_event_log: Device, INVALID_STRING, "NdisWriteEventLogEntry";
    io_complete_with_spin_lock: Device, IO_COMPLETE_WITH_SPIN_LOCK, "IofCompleteRequest";
    irp_cancel_timed_out: SeededDevice, IRP_CANCEL_TIMED_OUT, "was cancelled and is not completed";
    irp_completed_above_dispatch: Device, IRP_COMPLETED_ABOVE_DISPATCH, "IofCompleteRequest";
    irp_completed_as_pending: Device, IRP_COMPLETED_AS_PENDING, "IofCompleteRequest";
    irp_completed_with_cancel_routine: Device, IRP_COMPLETED_WITH_CANCEL_ROUTINE, "IofCompleteRequest";
    irp_information: Device, IRP_INFORMATION, "IofCompleteRequest";
    irp_processing_complete: Device, IRP_PROCESSING_COMPLETE, "DispatchDeviceControl returned";
    irp_status_inconsistent: Device, IRP_STATUS_INCONSISTENT, "DispatchDeviceControl returned";
    leave_critical_region: Device, LEAVE_CRITICAL_REGION, "KeLeaveCriticalRegion";
    lookaside_not_initialized: Device, LOOKASIDE_NOT_INITIALIZED, "ExDeleteNPagedLookasideList";
    lookaside_not_initialized_flushed: Device, LOOKASIDE_NOT_INITIALIZED, "ExFlushLookasideListEx";
    lookaside_reinitialized: Device, LOOKASIDE_REINITIALIZED, "ExInitializeNPagedLookasideList";
    mark_irp_pending: Device, MARK_IRP_PENDING, "DispatchDeviceControl returned";
    mark_irp_pending_2: Device, MARK_IRP_PENDING_2, "DispatchDeviceControl returned";
    mdl_built_with_flags: Device, MDL_BUILT_WITH_FLAGS, "MmBuildMdlForNonPagedPool";
    mdl_freed_while_mapped: Device, MDL_FREED_WHILE_MAPPED, "IoFreeMdl";
    mdl_mapped_twice: Device, MDL_MAPPED_TWICE, "MmMapLockedPagesSpecifyCache";
    mdl_not_locked: Device, MDL_NOT_LOCKED, "MmMapLockedPagesSpecifyCache";
    mdl_not_mapped: Device, MDL_NOT_MAPPED, "MmUnmapLockedPages";
    mdl_partial_outside: Device, MDL_PARTIAL_OUTSIDE, "are no part of";
    mdl_partial_too_small: Device, MDL_PARTIAL_OUTSIDE, "is too small";
    mdl_unlocked_not_locked: Device, MDL_UNLOCKED_NOT_LOCKED, "MmUnlockPages";
    mutex_not_owned: Device, MUTEX_NOT_OWNED, "KeReleaseMutex";
    mutex_released_by_other: Device, MUTEX_RELEASED_BY_OTHER, "ExReleaseFastMutex";
    object_not_initialized_dpc: Device, OBJECT_NOT_INITIALIZED, "KeInsertQueueDpc";
    object_not_initialized_dpc_routine: Device, OBJECT_NOT_INITIALIZED, "has no routine";
    object_not_initialized_event: Device, OBJECT_NOT_INITIALIZED, "KeSetEvent";
    object_not_initialized_moved: Device, OBJECT_NOT_INITIALIZED, "KeWaitForSingleObject";
    object_not_initialized_timer: Device, OBJECT_NOT_INITIALIZED, "KeSetTimer";
    page_fault_in_nonpaged_area: Device, PAGE_FAULT_IN_NONPAGED_AREA, "where there is no memory";
    pended_completed_request: Device, PENDED_COMPLETED_REQUEST, "DispatchDeviceControl returned";
    pool_contains_live_object: Device, POOL_CONTAINS_LIVE_OBJECT, "ExFreePoolWithTag";
    pool_free_unknown: Device, POOL_FREE_UNKNOWN, "it lies inside";
    pool_zero_size: Device, POOL_ZERO_SIZE, "ExAllocatePool2";
    reference_by_pointer: Device, REFERENCE_BY_POINTER, "ObfDereferenceObject";
    returned_holding_cancel_lock: Device, RETURNED_HOLDING_CANCEL_LOCK, "Cancel returned";
    rundown_initialized_again: Device, RUNDOWN, "ExReInitializeRundownProtection";
    rundown_released: Device, RUNDOWN, "ExReleaseRundownProtection";
    security_check_failure_fast_fail: Device, SECURITY_CHECK_FAILURE, "int 29h with code 3";
    security_check_failure_list: Device, SECURITY_CHECK_FAILURE, "ExInterlockedInsertTailList";
    self_deadlock: Device, SELF_DEADLOCK, "ExAcquireFastMutex";
    special_pool_written_after_free: Device, SPECIAL_POOL_CORRUPTION, "was written after", red_zones;
    special_pool_written_before: Device, SPECIAL_POOL_CORRUPTION, "8 before its start";
    special_pool_written_past_end: Device, SPECIAL_POOL_CORRUPTION, "2 past its end";
    spin_lock_deadlock: SeededDevice, SPIN_LOCK_DEADLOCK, "KeAcquireSpinLockAtDpcLevel";
    spin_lock_init_failure: Device, SPIN_LOCK_INIT_FAILURE, "KeAcquireSpinLockRaiseToDpc";
    spin_lock_init_failure_overwritten: Device, SPIN_LOCK_INIT_FAILURE, "KeReleaseSpinLock";
    spin_lock_init_failure_unaligned: Device, SPIN_LOCK_INIT_FAILURE, "not an aligned address";
    spin_lock_not_owned: Device, SPIN_LOCK_NOT_OWNED, "KeReleaseSpinLock";
    spin_lock_not_owned_exclusive: Device, SPIN_LOCK_NOT_OWNED, "ExReleaseSpinLockExclusive";
    stack_buffer_overrun: Device, STACK_BUFFER_OVERRUN, "int 29h with code 2";
    synthetic_watchdog_timeout: SeededDevice, SYNTHETIC_WATCHDOG_TIMEOUT, "no thread can go on";
    unload_leaves_device: Device, UNLOAD_LEAVES_DEVICE, "was unloaded and left";
    unload_leaves_device_link: Device, UNLOAD_LEAVES_DEVICE, "the symbolic link";
    unloaded_with_pending_thread: Device, UNLOADED_WITH_PENDING, "still runs";
    unloaded_with_pending_timer: Device, UNLOADED_WITH_PENDING, "and the timer at";
    unloaded_with_pending_work_item: SeededDevice, UNLOADED_WITH_PENDING, "which was unloaded";
    wait_at_dispatch: Device, WAIT_AT_DISPATCH, "KeWaitForSingleObject";
    work_item_freed_twice: Device, WORK_ITEM, "IoFreeWorkItem";
    work_item_queued_freed: Device, WORK_ITEM, "IoQueueWorkItem";
    write_to_readonly: Device, WRITE_TO_READONLY, "a write at";

    // Miniports.
    bugcheck_allocate_shared_mem_high_irql: Miniport, NDIS_BUGCHECK_ALLOCATE_SHARED_MEM_HIGH_IRQL, "NdisMAllocateSharedMemory";
    bugcheck_driver_unload_unexpected: Miniport, NDIS_BUGCHECK_DRIVER_UNLOAD_UNEXPECTED, "NdisMDeregisterMiniportDriver";
    bugcheck_free_invalid_shared_mem: Miniport, NDIS_BUGCHECK_FREE_INVALID_SHARED_MEM, "NdisMFreeSharedMemory";
    bugcheck_halt_without_interrupt_deregister: Miniport, NDIS_BUGCHECK_HALT_WITHOUT_INTERRUPT_DEREGISTER, "MiniportHaltEx";
    bugcheck_if_provider_deregister_unexpected: Miniport, NDIS_BUGCHECK_IF_PROVIDER_DEREGISTER_UNEXPECTED, "NdisIfDeregisterProvider";
    bugcheck_if_stack_table_loop: Miniport, NDIS_BUGCHECK_IF_STACK_TABLE_LOOP, "NdisIfAddIfStackEntry";
    bugcheck_illegal_miniport_state_transition: Miniport, NDIS_BUGCHECK_ILLEGAL_MINIPORT_STATE_TRANSITION, "NdisMPauseComplete";
    bugcheck_illegal_net_pnp_event: Miniport, NDIS_BUGCHECK_ILLEGAL_NET_PNP_EVENT, "only intermediate drivers";
    bugcheck_init_failed_without_interrupt_deregister: Refused, NDIS_BUGCHECK_INIT_FAILED_WITHOUT_INTERRUPT_DEREGISTER, "MiniportInitializeEx";
    bugcheck_invalid_object_header: Miniport, NDIS_BUGCHECK_INVALID_OBJECT_HEADER, "NdisMIndicateStatusEx";
    bugcheck_invalid_oid_completion: Miniport, NDIS_BUGCHECK_INVALID_OID_COMPLETION, "NdisMOidRequestComplete";
    bugcheck_leaked_nbl: Miniport, NDIS_BUGCHECK_LEAKED_NBL, "NdisFreeNetBufferListPool";
    bugcheck_miniport_failed_oid_which_must_succeed_query: Sleeper, NDIS_BUGCHECK_MINIPORT_FAILED_OID_WHICH_MUST_SUCCEED, "OID_PNP_QUERY_POWER";
    bugcheck_miniport_fatal_error: Sleeper, NDIS_BUGCHECK_MINIPORT_FATAL_ERROR, "OID_PNP_SET_POWER";
    bugcheck_oid_request_invalid_buffer: Miniport, NDIS_BUGCHECK_OID_REQUEST_INVALID_BUFFER, "BytesRead is 5, the buffer has 4 bytes";
    bugcheck_pm_init_failed_no_int_deregister: Refused, NDIS_BUGCHECK_PM_INIT_FAILED_NO_INT_DEREGISTER, "MiniportInitializeEx";
    bugcheck_reset_complete_unexpected: Miniport, NDIS_BUGCHECK_RESET_COMPLETE_UNEXPECTED, "NdisMResetComplete";
    bugcheck_reset_complete_unexpected_return: Miniport, NDIS_BUGCHECK_RESET_COMPLETE_UNEXPECTED, "MiniportResetEx";
    bugcheck_shared_mem_corruption: Miniport, NDIS_BUGCHECK_SHARED_MEM_CORRUPTION, "NdisMFreeSharedMemory";
    bugcheck_status_indication_invalid_buffer: Miniport, NDIS_BUGCHECK_STATUS_INDICATION_INVALID_BUFFER, "NdisMIndicateStatusEx";
    bugcheck_stuck_nbl: Unwaited, NDIS_BUGCHECK_STUCK_NBL, "NetEventPause", impatient;
    bugcheck_wait_event_high_irql: Miniport, NDIS_BUGCHECK_WAIT_EVENT_HIGH_IRQL, "NdisWaitEvent";
    bugcheck_watchdog_miniport_halt: Miniport, NDIS_BUGCHECK_WATCHDOG_MINIPORT_HALT, "has not returned", soon;
    bugcheck_watchdog_miniport_oid: Asked, NDIS_BUGCHECK_WATCHDOG_MINIPORT_OID, "query 0x00020106 is pending", impatient;
    bugcheck_watchdog_miniport_pause: Miniport, NDIS_BUGCHECK_WATCHDOG_MINIPORT_PAUSE, "MiniportPause", soon;
    bugcheck_watchdog_miniport_pause_runs: Miniport, NDIS_BUGCHECK_WATCHDOG_MINIPORT_PAUSE, "has not returned", soon;
    cancel_timer_object: Miniport, CANCEL_TIMER_OBJECT, "MiniportHaltEx";
    cancel_timer_object_freed_set: Miniport, CANCEL_TIMER_OBJECT, "NdisFreeTimerObject";
    double_complete: Miniport, DOUBLE_COMPLETE, "MiniportOidRequest";
    double_complete_work_item: Miniport, DOUBLE_COMPLETE_WORK_ITEM, "NdisMOidRequestComplete";
    flags_irql: Miniport, FLAGS_IRQL, "MiniportSendNetBufferLists";
    flags_irql_register: Miniport, FLAGS_IRQL, "MiniportSendNetBufferLists";
    init_de_register_interrupt: Miniport, INIT_DE_REGISTER_INTERRUPT, "NdisMDeregisterInterruptEx";
    init_ndis_allocate_io_work_item: Miniport, INIT_NDIS_ALLOCATE_IO_WORK_ITEM, "MiniportHaltEx";
    init_register_interrupt: Miniport, INIT_REGISTER_INTERRUPT, "NdisMRegisterInterruptEx";
    init_register_sg: Miniport, INIT_REGISTER_SG, "MiniportHaltEx";
    init_register_sg_list_freed_twice: Miniport, INIT_REGISTER_SG, "NdisMFreeNetBufferSGList";
    init_register_sg_list_kept: Miniport, INIT_REGISTER_SG, "NdisMDeregisterScatterGatherDma";
    invalid_handle_freed_pool: Miniport, INVALID_HANDLE, "NdisFreeNetBufferListPool";
    invalid_handle_interface: Miniport, INVALID_HANDLE, "NdisIfDeregisterInterface";
    invalid_handle_of_other_kind: Miniport, INVALID_HANDLE, "NdisFreeNetBufferListPool";
    irql_dispatch: Miniport, IRQL_DISPATCH, "KeAcquireSpinLockAtDpcLevel";
    irql_ex_allocate_pool_device: Miniport, IRQL_EX_ALLOCATE_POOL, "ExAllocatePool2";
    irql_ex_allocate_pool_paged: Miniport, IRQL_EX_ALLOCATE_POOL, "paged pool";
    irql_ex_free_device: Miniport, IRQL_EX_FREE, "ExFreePoolWithTag";
    irql_ex_free_paged: Miniport, IRQL_EX_FREE, "ExFreePoolWithTag";
    irql_gather_dma_function: Miniport, IRQL_GATHER_DMA_FUNCTION, "NdisMRegisterScatterGatherDma";
    irql_interrupt_function: Miniport, IRQL_INTERRUPT_FUNCTION, "NdisMDeregisterInterruptEx";
    irql_io_apc_lte: Miniport, IRQL_IO_APC_LTE, "IoDeleteDevice";
    irql_io_passive1: Miniport, IRQL_IO_PASSIVE1, "IoCreateDevice";
    irql_io_passive4: Miniport, IRQL_IO_PASSIVE4, "IoCreateSymbolicLink";
    irql_ke_apc_lte1: Miniport, IRQL_KE_APC_LTE1, "KeDelayExecutionThread";
    irql_ke_apc_lte2: Miniport, IRQL_KE_APC_LTE2, "KeEnterCriticalRegion";
    irql_ke_dispatch_lte: Miniport, IRQL_KE_DISPATCH_LTE, "KeClearEvent";
    irql_ke_raise_lower_lower: Miniport, IRQL_KE_RAISE_LOWER, "KeLowerIrql";
    irql_ke_raise_lower_raise: Miniport, IRQL_KE_RAISE_LOWER, "KfRaiseIrql";
    irql_ke_release_spin_lock_level: Miniport, IRQL_KE_RELEASE_SPIN_LOCK, "KeReleaseSpinLock";
    irql_ke_release_spin_lock_saved: Miniport, IRQL_KE_RELEASE_SPIN_LOCK, "but was acquired at";
    irql_ke_set_event_device: Miniport, IRQL_KE_SET_EVENT, "KeSetEvent";
    irql_ke_set_event_wait: Miniport, IRQL_KE_SET_EVENT, "with Wait set";
    irql_ke_wait: Miniport, IRQL_KE_WAIT, "KeWaitForSingleObject";
    irql_miniport_driver_function: Miniport, IRQL_MINIPORT_DRIVER_FUNCTION, "NdisMSetMiniportAttributes";
    irql_miscellaneous_function: Miniport, IRQL_MISCELLANEOUS_FUNCTION, "NdisCloseConfiguration";
    irql_net_buffer_function: Miniport, IRQL_NET_BUFFER_FUNCTION, "NdisFreeNetBufferListPool";
    irql_not_less_or_equal: Miniport, IRQL_NOT_LESS_OR_EQUAL, "KeFlushQueuedDpcs";
    irql_not_less_or_equal_print: Miniport, IRQL_NOT_LESS_OR_EQUAL, "Unicode conversion";
    irql_oid_function: Miniport, IRQL_OID_FUNCTION, "NdisMOidRequestComplete";
    irql_return: Miniport, IRQL_RETURN, "MiniportSendNetBufferLists";
    irql_send_rcv_function: Miniport, IRQL_SEND_RCV_FUNCTION, "NdisMSendNetBufferListsComplete";
    irql_send_rcv_function_flag: Miniport, IRQL_SEND_RCV_FUNCTION, "NdisMSendNetBufferListsComplete";
    irql_status_indication_function: Miniport, IRQL_STATUS_INDICATION_FUNCTION, "NdisMIndicateStatusEx";
    irql_synch_function: Miniport, IRQL_SYNCH_FUNCTION, "NdisSetEvent";
    irql_synch_function_rw_lock: Miniport, IRQL_SYNCH_FUNCTION, "NdisAcquireRWLockRead";
    irql_timer_function: Miniport, IRQL_TIMER_FUNCTION, "NdisFreeTimerObject";
    irql_zw_passive: Miniport, IRQL_ZW_PASSIVE, "ZwOpenKey";
    miniport_adapter_state_asleep_receive: Sleeper, MINIPORT_ADAPTER_STATE, "frames are indicated in a low-power state";
    miniport_adapter_state_asleep_status: Sleeper, MINIPORT_ADAPTER_STATE, "is indicated in a low-power state";
    miniport_adapter_state_attributes: Miniport, MINIPORT_ADAPTER_STATE, "MiniportInitializeEx";
    miniport_adapter_state_attributes_late: Miniport, MINIPORT_ADAPTER_STATE, "NdisMSetMiniportAttributes";
    miniport_adapter_state_attributes_missing: Miniport, MINIPORT_ADAPTER_STATE, "without registration and general attributes";
    miniport_adapter_state_indicate_paused: Miniport, MINIPORT_ADAPTER_STATE, "NdisMIndicateReceiveNetBufferLists";
    miniport_adapter_state_initialize_pending: Refused, MINIPORT_ADAPTER_STATE, "MiniportInitializeEx returned NDIS_STATUS_PENDING";
    miniport_adapter_state_reset_status: Miniport, MINIPORT_ADAPTER_STATE, "NdisMIndicateStatusEx";
    miniport_adapter_state_status_source: Miniport, MINIPORT_ADAPTER_STATE, "NdisMIndicateStatusEx";
    miniport_pause_return: Miniport, MINIPORT_PAUSE_RETURN, "MiniportPause";
    nbl_ownership_clone_kept: Miniport, NBL_OWNERSHIP, "were made from it";
    nbl_ownership_completed_twice: Miniport, NBL_OWNERSHIP, "NdisMSendNetBufferListsComplete";
    nbl_ownership_context_kept: Miniport, NBL_OWNERSHIP, "context space is still allocated";
    nbl_ownership_freed_twice: Miniport, NBL_OWNERSHIP, "NdisFreeNetBufferList";
    nbl_ownership_indicated_miscounted: Miniport, NBL_OWNERSHIP, "NumberOfNetBufferLists is 2";
    nbl_ownership_retreat_kept: Miniport, NBL_OWNERSHIP, "NdisMSendNetBufferListsComplete";
    nbl_ownership_status_not_set: Miniport, NBL_OWNERSHIP, "its Status member was not set";
    ndis_allocate_generic_object: Miniport, NDIS_ALLOCATE_GENERIC_OBJECT, "generic object";
    ndis_allocate_generic_object_freed_twice: Miniport, NDIS_ALLOCATE_GENERIC_OBJECT, "NdisFreeGenericObject";
    ndis_allocate_mdl: Miniport, NDIS_ALLOCATE_MDL, "NdisFreeMdl";
    ndis_allocate_memory_with_tag_priority: Miniport, NDIS_ALLOCATE_MEMORY_WITH_TAG_PRIORITY, "NdisAllocateMemoryWithTagPriority";
    ndis_allocate_net_buffer: Miniport, NDIS_ALLOCATE_NET_BUFFER, "NdisFreeNetBufferPool";
    ndis_allocate_net_buffer_of_list: Miniport, NDIS_ALLOCATE_NET_BUFFER, "NdisFreeNetBuffer";
    ndis_m_deregister_interrupt_ex: Miniport, NDIS_M_DEREGISTER_INTERRUPT_EX, "NdisMSynchronizeWithInterruptEx";
    ndis_m_free_shared_memory: Shutdown, NDIS_M_FREE_SHARED_MEMORY, "MiniportShutdownEx";
    ndis_m_indicate_status_ex: Miniport, NDIS_M_INDICATE_STATUS_EX, "NdisMIndicateStatusEx";
    ndis_m_map_io_space: Miniport, NDIS_M_MAP_IO_SPACE, "NdisMMapIoSpace";
    ndis_m_map_io_space_unmapped_in_part: Miniport, NDIS_M_MAP_IO_SPACE, "NdisMUnmapIoSpace";
    ndis_m_net_pn_p_event_in_oid_request: Miniport, NDIS_M_NET_PN_P_EVENT_IN_OID_REQUEST, "NdisMNetPnPEvent";
    ndis_m_register_io_port_range: Miniport, NDIS_M_REGISTER_IO_PORT_RANGE, "NdisMRegisterIoPortRange";
    ndis_oid_complete_pending: Miniport, NDIS_OID_COMPLETE, "NdisMOidRequestComplete";
    ndis_oid_double_complete: Miniport, NDIS_OID_DOUBLE_COMPLETE, "NdisMOidRequestComplete";
    ndis_open_configuration_ex: Miniport, NDIS_OPEN_CONFIGURATION_EX, "MiniportHaltEx";
    ndis_register_device_ex: Miniport, NDIS_REGISTER_DEVICE_EX, "NdisDeregisterDeviceEx";
    ndis_stall_execution_delay: Miniport, NDIS_STALL_EXECUTION_DELAY, "KeStallExecutionProcessor";
    ndis_timed_data_hang: Miniport, NDIS_TIMED_DATA_HANG, "completed no send for 2s", hung;
    ndis_timed_data_send: Miniport, NDIS_TIMED_DATA_SEND, "kept for more than 2 s", soon;
    ndis_timed_oid_complete: Miniport, NDIS_TIMED_OID_COMPLETE, "is pending", soon;
    null_check: Miniport, NULL_CHECK, "MiniportSendNetBufferLists";
    periodic_timer: Miniport, PERIODIC_TIMER, "NdisCancelTimerObject";
    pool_freed_twice: Miniport, POOL_DOUBLE_FREE, "ExFreePoolWithTag";
    pool_leak: Miniport, POOL_LEAK, "unloaded";
    resources_left_pool: Miniport, RESOURCES_LEFT, "NET_BUFFER_LIST pool";
    resources_left_port: Miniport, RESOURCES_LEFT, "MiniportHaltEx";
    resources_left_registration: Miniport, RESOURCES_LEFT, "unloaded";
    special_pool_freed: Miniport, PAGE_FAULT_IN_FREED_POOL, "MiniportSendNetBufferLists";
    special_pool_overrun: Miniport, PAGE_FAULT_BEYOND_END, "MiniportSendNetBufferLists";
    spin_lock_acquired_twice: Miniport, SPIN_LOCK, "NdisAcquireSpinLock";
    spin_lock_already_owned: Miniport, SPIN_LOCK_ALREADY_OWNED, "KeAcquireSpinLockAtDpcLevel";
    spin_lock_balanced: Miniport, SPIN_LOCK_BALANCED, "NdisReleaseSpinLock";
    spin_lock_dpr: Miniport, SPIN_LOCK_DPR, "MiniportSendNetBufferLists";
    spin_lock_dpr_acquired_twice: Miniport, SPIN_LOCK_DPR, "NdisDprAcquireSpinLock";
    spin_lock_dpr_release: Miniport, SPIN_LOCK_DPR_RELEASE, "NdisDprAcquireSpinLock";
    spinlock_release: Miniport, SPINLOCK_RELEASE, "NdisReleaseSpinLock";
    write_error_log: Miniport, WRITE_ERROR_LOG, "MiniportInitializeEx", no_shared_memory;

    // Protocols.
    bugcheck_invalid_open_in_bind_context: Protocol, NDIS_BUGCHECK_INVALID_OPEN_IN_BIND_CONTEXT, "NdisOpenAdapterEx";
    bugcheck_watchdog_protocol_netpnpevent: SleepingProtocol, NDIS_BUGCHECK_WATCHDOG_PROTOCOL_NETPNPEVENT, "NetEventSetPower", soon;
    bugcheck_watchdog_protocol_netpnpevent_runs: SleepingProtocol, NDIS_BUGCHECK_WATCHDOG_PROTOCOL_NETPNPEVENT, "has not returned", soon;
    bugcheck_watchdog_protocol_pause: Protocol, NDIS_BUGCHECK_WATCHDOG_PROTOCOL_PAUSE, "NetEventPause", soon;
    bugcheck_watchdog_protocol_pause_runs: Protocol, NDIS_BUGCHECK_WATCHDOG_PROTOCOL_PAUSE, "has not returned", soon;
    bugcheck_watchdog_protocol_status_indication: Protocol, NDIS_BUGCHECK_WATCHDOG_PROTOCOL_STATUS_INDICATION, "has not returned", soon;
    bugcheck_watchdog_protocol_unbind: Protocol, NDIS_BUGCHECK_WATCHDOG_PROTOCOL_UNBIND, "ProtocolUnbindAdapterEx", soon;
    bugcheck_watchdog_protocol_unbind_bind: Protocol, NDIS_BUGCHECK_WATCHDOG_PROTOCOL_UNBIND, "ProtocolBindAdapterEx", soon;
    bugcheck_watchdog_protocol_unbind_runs: Protocol, NDIS_BUGCHECK_WATCHDOG_PROTOCOL_UNBIND, "has not returned", soon;
    invalid_handle_work_item_of_protocol: Protocol, INVALID_HANDLE, "NdisAllocateIoWorkItem";
    irql_interfaces_function: Protocol, IRQL_INTERFACES_FUNCTION, "NdisIfQueryBindingIfIndex";
    irql_protocol_driver_function: Protocol, IRQL_PROTOCOL_DRIVER_FUNCTION, "NdisDeregisterProtocolDriver";
    nbl_ownership_lent_changed: Protocol, NBL_OWNERSHIP, "ProtocolReceiveNetBufferLists", lent;
    nbl_ownership_lent_returned: Protocol, NBL_OWNERSHIP, "NdisReturnNetBufferLists", lent;
    nbl_ownership_returned_twice: Protocol, NBL_OWNERSHIP, "NdisReturnNetBufferLists";
    nbl_ownership_source: Protocol, NBL_OWNERSHIP, "its SourceHandle is";
    ndis_oid_double_request: Protocol, NDIS_OID_DOUBLE_REQUEST, "NdisOidRequest", slow_oids;
    ndis_query_bind_instance_name: Protocol, NDIS_QUERY_BIND_INSTANCE_NAME, "unloaded";
    ndis_re_enumerate_protocol_bindings: Protocol, NDIS_RE_ENUMERATE_PROTOCOL_BINDINGS, "NdisReEnumerateProtocolBindings";
    protocol_binding_state_closed_late: Protocol, PROTOCOL_BINDING_STATE, "NdisCloseAdapterEx was not called";
    protocol_binding_state_not_opened: Protocol, PROTOCOL_BINDING_STATE, "ProtocolBindAdapterEx succeeded";
    protocol_binding_state_opened_twice: Protocol, PROTOCOL_BINDING_STATE, "NdisOpenAdapterEx";
    protocol_binding_state_pause: ProtocolHeld, PROTOCOL_BINDING_STATE, "NetEventPause";

    // Intermediate drivers.
    bugcheck_miniport_failed_oid_which_must_succeed_set: SleepingIntermediate, NDIS_BUGCHECK_MINIPORT_FAILED_OID_WHICH_MUST_SUCCEED, "OID_PNP_SET_POWER";
    im_virtual_miniport_state_associated_twice: Intermediate, IM_VIRTUAL_MINIPORT_STATE, "NdisIMAssociateMiniport";
    im_virtual_miniport_state_attributes: Intermediate, IM_VIRTUAL_MINIPORT_STATE, "NdisMSetMiniportAttributes";
    im_virtual_miniport_state_ended_early: Intermediate, IM_VIRTUAL_MINIPORT_STATE, "NdisIMDeInitializeDeviceInstance";
    irql_im_function: Intermediate, IRQL_IM_FUNCTION, "NdisIMInitializeDeviceInstanceEx";

    // Filters.
    bugcheck_illegal_net_pnp_event_filter: Filter, NDIS_BUGCHECK_ILLEGAL_NET_PNP_EVENT, "NdisFNetPnPEvent";
    bugcheck_watchdog_filter_detach: Filter, NDIS_BUGCHECK_WATCHDOG_FILTER_DETACH, "has not returned", soon;
    bugcheck_watchdog_filter_netpnpevent: Filter, NDIS_BUGCHECK_WATCHDOG_FILTER_NETPNPEVENT, "has not returned", soon;
    bugcheck_watchdog_filter_oid: Filter, NDIS_BUGCHECK_WATCHDOG_FILTER_OID, "is pending", soon;
    bugcheck_watchdog_filter_pause: Filter, NDIS_BUGCHECK_WATCHDOG_FILTER_PAUSE, "FilterPause", soon;
    bugcheck_watchdog_filter_pause_runs: Filter, NDIS_BUGCHECK_WATCHDOG_FILTER_PAUSE, "has not returned", soon;
    bugcheck_watchdog_filter_status_indication: Filter, NDIS_BUGCHECK_WATCHDOG_FILTER_STATUS_INDICATION, "has not returned", soon;
    filter_bypass_oid: Filter, FILTER_BYPASS, "NdisFOidRequest";
    filter_bypass_receive: Filter, FILTER_BYPASS, "NdisFIndicateReceiveNetBufferLists";
    filter_bypass_send: Filter, FILTER_BYPASS, "NdisFSendNetBufferLists";
    filter_module_state_attributes: Filter, FILTER_MODULE_STATE, "FilterAttach";
    filter_module_state_attributes_late: Filter, FILTER_MODULE_STATE, "NdisFSetAttributes in state";
    filter_module_state_event: Filter, FILTER_MODULE_STATE, "only queries can fail";
    filter_module_state_event_in_oid: Filter, FILTER_MODULE_STATE, "inside FilterOidRequest";
    filter_module_state_pause_kept: Filter, FILTER_MODULE_STATE, "of others that it keeps";
    filter_type: Monitor, FILTER_TYPE, "is a monitoring filter";
    irql_filter_driver_function: Filter, IRQL_FILTER_DRIVER_FUNCTION, "NdisFSetAttributes";
    nbl_ownership_filter_completed_twice: Filter, NBL_OWNERSHIP, "NdisFSendNetBufferListsComplete";
    ndis_f_deregister_filter_driver: Filter, NDIS_F_DEREGISTER_FILTER_DRIVER, "unloaded";
    ndis_f_deregister_filter_driver_detach: Filter, NDIS_F_DEREGISTER_FILTER_DRIVER, "NdisFDeregisterFilterDriver";
    ndis_filter_timed_data_receive: Filter, NDIS_FILTER_TIMED_DATA_RECEIVE, "kept for more than", soon;
    ndis_filter_timed_data_send: Filter, NDIS_FILTER_TIMED_DATA_SEND, "kept for more than", soon;
    ndis_filter_timed_pause_complete: Filter, NDIS_FILTER_TIMED_PAUSE_COMPLETE, "FilterPause";
    ndis_filter_timed_pause_complete_late: Filter, NDIS_FILTER_TIMED_PAUSE_COMPLETE, "FilterPause";
    ndis_filter_timed_pause_complete_twice: Filter, NDIS_FILTER_TIMED_PAUSE_COMPLETE, "succeeded too";
    ndis_oid_complete_filter: Filter, NDIS_OID_COMPLETE, "NdisFOidRequestComplete";
    ndis_oid_double_request_filter: Filter, NDIS_OID_DOUBLE_REQUEST, "a clone of it is";
}

/// A row.
struct Alarm {
    name: &'static str,
    edge: Edge,
    rule: &'static Rule,
    /// What the report says before the list of the last calls.
    at: &'static str,
    prepare: fn(&Lab),
}

impl Alarm {
    fn rings(&self) {
        let image = alarm_image(self.name, false);
        let Some(output) = own_process(&format!("alarms::{}::rings", self.name), || {
            self.live(&image);
            eprintln!("no rule was broken");
            std::process::exit(SURVIVED);
        }) else {
            return;
        };
        let (name, text) = (self.name, &output.text);
        assert_eq!(
            output.status.code(),
            Some(1),
            "{name}: {}\n{text}",
            output.status
        );
        let headline = format!("RULE BROKEN: {}\n", self.rule.name);
        let report = text.split_once(&headline);
        let (_, report) = report.unwrap_or_else(|| panic!("{name}: no {headline:?} in:\n{text}"));
        let place = report.split("Last calls").next().unwrap_or_default();
        assert!(
            place.contains(self.at),
            "{name}: no {:?} in:\n{text}",
            self.at
        );
        assert_eq!(text.matches("RULE BROKEN").count(), 1, "{name}:\n{text}");
    }

    fn twin_is_silent(&self) {
        let image = alarm_image(self.name, true);
        let name = format!("alarms::{}::twin_is_silent", self.name);
        if let Some(output) = own_process(&name, || self.live(&image)) {
            let (status, text) = (output.status, output.text);
            assert!(status.success(), "{}: {status}\n{text}", self.name);
        }
    }

    /// Lets the image live, from load to unload.
    fn live(&self, image: &Path) {
        if self.edge == Edge::SeededDevice {
            sched::start_seeded(Seed::nth(1, 0, 1));
        }
        let lab = Lab::new();
        lab.add_image(SERVICE, image);
        (self.prepare)(&lab);
        self.edge.live(&lab);
        if self.edge == Edge::Shutdown {
            // Nothing is undone any more.
            return;
        }
        lab.unload(SERVICE).expect("the driver was loaded");
        if self.edge == Edge::SeededDevice {
            // For what calls into a driver that is gone.
            sched::sleep(Duration::from_secs(10));
        }
        let left = lab.outstanding();
        assert!(left.is_nothing(), "{left}");
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

/// The exit code of a wrong driver that nobody found out.
const SURVIVED: i32 = 77;
