//! Alarms that ring: each wrong driver of `tests/drivers/alarms` ends the host with the report of its
//! rule, and its correct twin lives through the same without one.
//!
//! A row is: the image, its edge, the rule, and what the report has to say of the place, which is the
//! call or the callback in which the rule has to be found. A third part changes the lab before the
//! driver is loaded. All images of an edge go through the same life, in which everything that the
//! edge has is used at least once: see [`Edge`].

use std::{path::Path, time::Duration};

use ndis_host::{
    lab::Lab,
    ndis::{AdapterState, BindingState, policy::Resources},
    nic::NicConfig,
    rules::{self, Rule},
};
use ndis_sys::{OID_GEN_CURRENT_PACKET_FILTER, OID_GEN_STATISTICS};
use ndismux_tests::{
    Frame, MAC_BELOW, MAC_PEER, SOON, alarm_image, alarm_sources, own_process, wait_until,
};

/// Declares the rows: `image: Edge, RULE, "place in the report", prepare;`.
macro_rules! alarms {
    (@prepare) => { |_| {} };
    (@prepare $prepare:ident) => { super::$prepare };
    ($($name:ident: $edge:ident, $rule:ident, $at:literal $(, $prepare:ident)?;)*) => {
        $(mod $name {
            use super::{Alarm, Edge, rules};

            const ALARM: Alarm = Alarm {
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

        const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

alarms! {
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
    ndis_timed_data_send: Miniport, NDIS_TIMED_DATA_SEND, "a send is not complete", soon;
    ndis_timed_oid_complete: Miniport, NDIS_TIMED_OID_COMPLETE, "is pending", soon;
    pool_freed_twice: Miniport, POOL_DOUBLE_FREE, "ExFreePoolWithTag";
    pool_leak: Miniport, RESOURCES_LEFT, "unloaded";
    resources_left_registration: Miniport, RESOURCES_LEFT, "unloaded";
    special_pool_freed: Miniport, PAGE_FAULT_IN_FREED_POOL, "MiniportSendNetBufferLists";
    special_pool_overrun: Miniport, PAGE_FAULT_BEYOND_END, "MiniportSendNetBufferLists";
    spin_lock_already_owned: Miniport, SPIN_LOCK_ALREADY_OWNED, "KeAcquireSpinLockAtDpcLevel";
    spin_lock_kept: Miniport, SPIN_LOCK, "MiniportSendNetBufferLists";

    // Protocols.
    bugcheck_invalid_open_in_bind_context: Protocol, NDIS_BUGCHECK_INVALID_OPEN_IN_BIND_CONTEXT, "NdisOpenAdapterEx";
    irql_interfaces_function: Protocol, IRQL_INTERFACES_FUNCTION, "NdisIfQueryBindingIfIndex";
    irql_protocol_driver_function: Protocol, IRQL_PROTOCOL_DRIVER_FUNCTION, "NdisDeregisterProtocolDriver";
    nbl_ownership_lent_returned: Protocol, NBL_OWNERSHIP, "NdisReturnNetBufferLists", lent;
    nbl_ownership_returned_twice: Protocol, NBL_OWNERSHIP, "NdisReturnNetBufferLists";
    ndis_re_enumerate_protocol_bindings: Protocol, NDIS_RE_ENUMERATE_PROTOCOL_BINDINGS, "NdisReEnumerateProtocolBindings";
    protocol_binding_state_closed_late: Protocol, PROTOCOL_BINDING_STATE, "NdisCloseAdapterEx was not called";
    protocol_binding_state_pause: Protocol, PROTOCOL_BINDING_STATE, "NetEventPause";

    // Intermediate drivers.
    im_virtual_miniport_state_associated_twice: Intermediate, IM_VIRTUAL_MINIPORT_STATE, "NdisIMAssociateMiniport";
    im_virtual_miniport_state_attributes: Intermediate, IM_VIRTUAL_MINIPORT_STATE, "NdisMSetMiniportAttributes";
    irql_im_function: Intermediate, IRQL_IM_FUNCTION, "NdisIMInitializeDeviceInstanceEx";
}

/// Which edge of a driver an image shows, and with it what happens to it.
#[derive(Clone, Copy, Debug)]
enum Edge {
    /// Loaded and plugged, with a client above: asked, sent to, received from, paused, restarted,
    /// unplugged, unloaded.
    Miniport,
    /// Loaded above a NIC: bound, received by, sent from, paused, restarted, unbound, unloaded.
    Protocol,
    /// Loaded above a NIC with one virtual miniport, and a client above that.
    Intermediate,
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
        let lab = Lab::new();
        lab.add_image(SERVICE, image);
        (self.prepare)(&lab);
        match self.edge {
            Edge::Miniport => miniport(&lab),
            Edge::Protocol => protocol(&lab),
            Edge::Intermediate => intermediate(&lab),
        }
        lab.unload(SERVICE).expect("the driver was loaded");
        let left = lab.outstanding();
        assert!(left.is_nothing(), "{left}");
    }
}

#[test]
fn every_wrong_driver_has_a_row_and_every_row_a_driver() {
    let mut rows = NAMES.to_vec();
    rows.sort_unstable();
    assert_eq!(alarm_sources(), rows);
}

fn miniport(lab: &Lab) {
    lab.add_adapter(ADAPTER, r"\Device\adapter", SERVICE, &[]);
    lab.load_driver(SERVICE).expect("the driver loads");
    lab.plug_adapter(ADAPTER).expect("the adapter comes up");
    use_adapter(lab, ADAPTER);
    lab.unplug_adapter(ADAPTER)
        .expect("the adapter was plugged");
}

fn protocol(lab: &Lab) {
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
    lab.add_client("other", NIC).expect("the NIC is there");
    lab.remove_client("other").expect("the client was there");
    running();
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

/// What is received is only lent.
fn lent(lab: &Lab) {
    lab.policy(|policy| policy.receive_resources = Resources::Always);
}

/// The service of each image, by which its protocol is known.
const SERVICE: &str = "alarm";
const NIC: &str = "nic";
const ADAPTER: &str = "adapter";
const UPPER: &str = "upper";

/// The exit code of a wrong driver that nobody found out.
const SURVIVED: i32 = 77;
