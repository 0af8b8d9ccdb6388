//! Alarms that ring: each wrong driver of `tests/drivers/alarms` ends the host with the report of its
//! rule, and its correct twin lives through the same without one.
//!
//! A row is: the image, its edge, the rule, and what the report has to say of the place, which is the
//! call or the callback in which the rule has to be found. A third part changes the lab before the
//! driver is loaded. All images of an edge go through the same life, in which everything that the
//! edge has is used at least once: see [`Edge`].

use std::{collections::BTreeMap, env, fs, path::Path, thread, time::Duration};

use ndis_host::{
    lab::{Lab, Token},
    ndis::{AdapterState, BindingState, policy::Resources},
    nic::NicConfig,
    nt::{
        pool,
        sched::{self, Seed},
    },
    rules::{self, Rule},
};
use ndis_sys::{
    CTL_CODE, FILE_ANY_ACCESS, FILE_DEVICE_NETWORK, METHOD_BUFFERED, OID_GEN_CURRENT_PACKET_FILTER,
    OID_GEN_STATISTICS,
};
use ndismux_tests::{
    Frame, MAC_BELOW, MAC_PEER, NEVER, SOON, alarm_image, alarm_sources, own_process, wait_until,
};

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
    etw_invalid_handle: Device, ETW_INVALID_HANDLE, "EtwUnregister";
    etw_left: Device, ETW_LEFT, "is still there";
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
    bugcheck_illegal_miniport_state_transition: Miniport, NDIS_BUGCHECK_ILLEGAL_MINIPORT_STATE_TRANSITION, "NdisMPauseComplete";
    bugcheck_leaked_nbl: Miniport, NDIS_BUGCHECK_LEAKED_NBL, "NdisFreeNetBufferListPool";
    bugcheck_oid_request_invalid_buffer: Miniport, NDIS_BUGCHECK_OID_REQUEST_INVALID_BUFFER, "BytesRead is 5, the buffer has 4 bytes";
    bugcheck_wait_event_high_irql: Miniport, NDIS_BUGCHECK_WAIT_EVENT_HIGH_IRQL, "NdisWaitEvent";
    bugcheck_watchdog_miniport_pause: Miniport, NDIS_BUGCHECK_WATCHDOG_MINIPORT_PAUSE, "MiniportPause", soon;
    cancel_timer_object: Miniport, CANCEL_TIMER_OBJECT, "MiniportHaltEx";
    init_ndis_allocate_io_work_item: Miniport, INIT_NDIS_ALLOCATE_IO_WORK_ITEM, "MiniportHaltEx";
    invalid_handle_freed_pool: Miniport, INVALID_HANDLE, "NdisFreeNetBufferListPool";
    irql_dispatch: Miniport, IRQL_DISPATCH, "KeAcquireSpinLockAtDpcLevel";
    irql_ex_allocate_pool_device: Miniport, IRQL_EX_ALLOCATE_POOL, "ExAllocatePool2";
    irql_ex_allocate_pool_paged: Miniport, IRQL_EX_ALLOCATE_POOL, "paged pool";
    irql_ex_free_device: Miniport, IRQL_EX_FREE, "ExFreePoolWithTag";
    irql_ex_free_paged: Miniport, IRQL_EX_FREE, "ExFreePoolWithTag";
    irql_gather_dma_function: Miniport, IRQL_GATHER_DMA_FUNCTION, "NdisMRegisterScatterGatherDma";
    irql_interrupt_function: Miniport, IRQL_INTERRUPT_FUNCTION, "NdisMDeregisterInterruptEx";
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
    irql_oid_function: Miniport, IRQL_OID_FUNCTION, "NdisMOidRequestComplete";
    irql_return: Miniport, IRQL_RETURN, "MiniportSendNetBufferLists";
    irql_send_rcv_function: Miniport, IRQL_SEND_RCV_FUNCTION, "NdisMSendNetBufferListsComplete";
    irql_send_rcv_function_flag: Miniport, IRQL_SEND_RCV_FUNCTION, "NdisMSendNetBufferListsComplete";
    irql_status_indication_function: Miniport, IRQL_STATUS_INDICATION_FUNCTION, "NdisMIndicateStatusEx";
    irql_synch_function: Miniport, IRQL_SYNCH_FUNCTION, "NdisSetEvent";
    irql_synch_function_rw_lock: Miniport, IRQL_SYNCH_FUNCTION, "NdisAcquireRWLockRead";
    irql_timer_function: Miniport, IRQL_TIMER_FUNCTION, "NdisFreeTimerObject";
    miniport_adapter_state_attributes: Miniport, MINIPORT_ADAPTER_STATE, "MiniportInitializeEx";
    miniport_adapter_state_indicate_paused: Miniport, MINIPORT_ADAPTER_STATE, "NdisMIndicateReceiveNetBufferLists";
    miniport_pause_return: Miniport, MINIPORT_PAUSE_RETURN, "MiniportPause";
    nbl_ownership_completed_twice: Miniport, NBL_OWNERSHIP, "NdisMSendNetBufferListsComplete";
    nbl_ownership_retreat_kept: Miniport, NBL_OWNERSHIP, "NdisMSendNetBufferListsComplete";
    ndis_allocate_mdl: Miniport, NDIS_ALLOCATE_MDL, "NdisFreeMdl";
    ndis_oid_complete_pending: Miniport, NDIS_OID_COMPLETE, "NdisMOidRequestComplete";
    ndis_oid_double_complete: Miniport, NDIS_OID_DOUBLE_COMPLETE, "NdisMOidRequestComplete";
    ndis_open_configuration_ex: Miniport, NDIS_OPEN_CONFIGURATION_EX, "MiniportHaltEx";
    ndis_register_device_ex: Miniport, NDIS_REGISTER_DEVICE_EX, "NdisDeregisterDeviceEx";
    ndis_timed_data_send: Miniport, NDIS_TIMED_DATA_SEND, "kept for more than 2 s", soon;
    ndis_timed_oid_complete: Miniport, NDIS_TIMED_OID_COMPLETE, "is pending", soon;
    pool_freed_twice: Miniport, POOL_DOUBLE_FREE, "ExFreePoolWithTag";
    pool_leak: Miniport, POOL_LEAK, "unloaded";
    resources_left_registration: Miniport, RESOURCES_LEFT, "unloaded";
    special_pool_freed: Miniport, PAGE_FAULT_IN_FREED_POOL, "MiniportSendNetBufferLists";
    special_pool_overrun: Miniport, PAGE_FAULT_BEYOND_END, "MiniportSendNetBufferLists";
    spin_lock_already_owned: Miniport, SPIN_LOCK_ALREADY_OWNED, "KeAcquireSpinLockAtDpcLevel";
    spin_lock_dpr: Miniport, SPIN_LOCK_DPR, "MiniportSendNetBufferLists";

    // Protocols.
    bugcheck_invalid_open_in_bind_context: Protocol, NDIS_BUGCHECK_INVALID_OPEN_IN_BIND_CONTEXT, "NdisOpenAdapterEx";
    irql_interfaces_function: Protocol, IRQL_INTERFACES_FUNCTION, "NdisIfQueryBindingIfIndex";
    irql_protocol_driver_function: Protocol, IRQL_PROTOCOL_DRIVER_FUNCTION, "NdisDeregisterProtocolDriver";
    invalid_handle_work_item_of_protocol: Protocol, INVALID_HANDLE, "NdisAllocateIoWorkItem";
    nbl_ownership_lent_returned: Protocol, NBL_OWNERSHIP, "NdisReturnNetBufferLists", lent;
    nbl_ownership_returned_twice: Protocol, NBL_OWNERSHIP, "NdisReturnNetBufferLists";
    ndis_re_enumerate_protocol_bindings: Protocol, NDIS_RE_ENUMERATE_PROTOCOL_BINDINGS, "NdisReEnumerateProtocolBindings";
    protocol_binding_state_closed_late: Protocol, PROTOCOL_BINDING_STATE, "NdisCloseAdapterEx was not called";
    protocol_binding_state_pause: ProtocolHeld, PROTOCOL_BINDING_STATE, "NetEventPause";

    // Filters.
    bugcheck_watchdog_filter_pause: Filter, NDIS_BUGCHECK_WATCHDOG_FILTER_PAUSE, "FilterPause", soon;
    filter_module_state_attributes: Filter, FILTER_MODULE_STATE, "FilterAttach";
    nbl_ownership_filter_completed_twice: Filter, NBL_OWNERSHIP, "NdisFSendNetBufferListsComplete";
    ndis_f_deregister_filter_driver: Filter, NDIS_F_DEREGISTER_FILTER_DRIVER, "unloaded";
    ndis_filter_timed_pause_complete: Filter, NDIS_FILTER_TIMED_PAUSE_COMPLETE, "FilterPause";
    ndis_oid_complete_filter: Filter, NDIS_OID_COMPLETE, "NdisFOidRequestComplete";

    // Intermediate drivers.
    im_virtual_miniport_state_associated_twice: Intermediate, IM_VIRTUAL_MINIPORT_STATE, "NdisIMAssociateMiniport";
    im_virtual_miniport_state_attributes: Intermediate, IM_VIRTUAL_MINIPORT_STATE, "NdisMSetMiniportAttributes";
    irql_im_function: Intermediate, IRQL_IM_FUNCTION, "NdisIMInitializeDeviceInstanceEx";
}

/// Which edge of a driver an image shows, and with it what happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edge {
    /// Loaded and plugged, with a client above: asked, sent to, received from, paused, restarted,
    /// unplugged, unloaded.
    Miniport,
    /// Loaded above a NIC: bound, received by, sent from, paused, restarted, unbound, unloaded.
    Protocol,
    /// The same above a NIC that keeps what is sent for a while when the binding is paused.
    ProtocolHeld,
    /// Loaded between a NIC and a client: attached, asked, sent and received through, paused, restarted,
    /// detached, unloaded.
    Filter,
    /// Loaded above a NIC with one virtual miniport, and a client above that.
    Intermediate,
    /// Loaded; its device opened and asked twice, closed with a request on its way; unloaded.
    Device,
    /// The same under a seed, where what takes long takes no time.
    SeededDevice,
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
        match self.edge {
            Edge::Miniport => miniport(&lab),
            Edge::Protocol | Edge::ProtocolHeld => protocol(&lab, self.edge),
            Edge::Filter => filter(&lab),
            Edge::Intermediate => intermediate(&lab),
            Edge::Device | Edge::SeededDevice => device(&lab),
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

fn miniport(lab: &Lab) {
    lab.add_adapter(ADAPTER, r"\Device\adapter", SERVICE, &[]);
    lab.load_driver(SERVICE).expect("the driver loads");
    lab.plug_adapter(ADAPTER).expect("the adapter comes up");
    use_adapter(lab, ADAPTER);
    lab.unplug_adapter(ADAPTER)
        .expect("the adapter was plugged");
}

fn protocol(lab: &Lab, edge: Edge) {
    let nic = lab.add_nic(NicConfig::new(NIC, MAC_BELOW));
    lab.bind(SERVICE, NIC, &[]).expect("the NIC is there");
    lab.load_driver(SERVICE).expect("the driver loads");
    lab.plug_nic(NIC).expect("the NIC comes up");
    let running = || {
        wait_until("the binding runs", || {
            lab.binding_state(SERVICE, NIC) == BindingState::Running
        });
    };
    running();
    for seed in 0..2 {
        nic.inject(&Frame::new(MAC_PEER, MAC_BELOW, seed).bytes());
    }
    wait_until("the frames are back", || {
        nic.statistics().received_frames == 2 && nic.is_quiet()
    });
    // Another protocol comes and goes: the binding is paused for it, and restarted, twice.
    thread::scope(|scope| {
        if edge == Edge::ProtocolHeld {
            nic.hold_sends(true);
            scope.spawn(|| {
                thread::sleep(NEVER);
                nic.hold_sends(false);
            });
        }
        lab.add_client("other", NIC).expect("the NIC is there");
    });
    lab.remove_client("other").expect("the client was there");
    running();
    lab.unplug_nic(NIC).expect("the NIC was plugged");
}

fn filter(lab: &Lab) {
    let nic = lab.add_nic(NicConfig::new(NIC, MAC_BELOW));
    lab.stack_filter(SERVICE, NIC).expect("the NIC is there");
    lab.load_driver(SERVICE).expect("the driver loads");
    lab.plug_nic(NIC).expect("the NIC comes up");
    nic.inject(&Frame::new(MAC_PEER, MAC_BELOW, 0).bytes());
    use_adapter(lab, NIC);
    lab.unplug_nic(NIC).expect("the NIC was plugged");
}

fn intermediate(lab: &Lab) {
    lab.add_nic(NicConfig::new(NIC, MAC_BELOW));
    lab.add_virtual_miniport(UPPER, r"\Device\upper", &[]);
    lab.stack(SERVICE, NIC, &[UPPER]).expect("both are there");
    lab.load_driver(SERVICE).expect("the driver loads");
    lab.plug_nic(NIC).expect("the NIC comes up");
    assert!(lab.wait_adapter(UPPER, AdapterState::Running, SOON));
    use_adapter(lab, UPPER);
    lab.unplug_nic(NIC).expect("the NIC was plugged");
}

fn device(lab: &Lab) {
    lab.load_driver(SERVICE).expect("the driver loads");
    let device = lab.open_device(r"\\.\alarm", &Token::administrator());
    let device = device.expect("the driver has a device");
    for _ in 0..2 {
        let answer = device.ioctl(ASK, &[1; 8], 8);
        assert_eq!(answer.expect("the driver answers").len(), 8);
    }
    let waits = device.ioctl_start(WAIT, &[], Vec::new());
    assert!(waits.expect("all may ask").wait(Duration::ZERO).is_none());
}

/// What every miniport goes through while it is initialized.
fn use_adapter(lab: &Lab, adapter: &str) {
    let client = lab.add_client("client", adapter).expect("a device");
    assert!(client.wait_state(BindingState::Running, SOON));
    let statistics = lab.query(adapter, OID_GEN_STATISTICS, 256);
    assert_eq!(statistics.expect("an adapter").status, 0);
    let filter = lab.set(adapter, OID_GEN_CURRENT_PACKET_FILTER, &[5, 0, 0, 0]);
    assert_eq!(filter.expect("an adapter").status, 0);
    for seed in 0..2 {
        let frame = Frame::new(MAC_BELOW, MAC_PEER, seed).bytes();
        let ends = client.send(&[frame]).wait(SOON);
        assert_eq!(ends, Some(vec![0]), "the send completes");
    }
    // Another protocol comes and goes: the adapter is paused for it, and restarted, twice.
    lab.add_client("other", adapter).expect("a device");
    lab.remove_client("other").expect("the client was there");
    lab.remove_client("client").expect("the client was there");
}

/// Limits that a test can wait for.
fn soon(lab: &Lab) {
    lab.policy(|policy| {
        policy.watchdog = Duration::from_secs(2);
        policy.send_limit = Duration::from_secs(2);
        policy.oid_limit = Duration::from_secs(2);
    });
}

/// Blocks of pool side by side.
fn red_zones(_lab: &Lab) {
    pool::set_mode(pool::Mode::RedZones);
}

/// What is received is only lent.
fn lent(lab: &Lab) {
    lab.policy(|policy| policy.receive_resources = Resources::Always);
}

/// The service of each image, by which its protocol is known.
const SERVICE: &str = "alarm";
const NIC: &str = "nic";
const ADAPTER: &str = "adapter";
const UPPER: &str = "upper";

/// The codes of what the devices answer at once, and of what waits to be cancelled.
const ASK: u32 = CTL_CODE(FILE_DEVICE_NETWORK, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS);
const WAIT: u32 = CTL_CODE(FILE_DEVICE_NETWORK, 0x801, METHOD_BUFFERED, FILE_ANY_ACCESS);

/// The exit code of a wrong driver that nobody found out.
const SURVIVED: i32 = 77;
