//! Sleep, wake and surprise removal of stacks of built-in parts.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ndis_host::client::Client;
use ndis_host::lab::{Lab, NicPort};
use ndis_host::ndis::trace::Record;
use ndis_host::ndis::{AdapterState, BindingState};
use ndis_host::nic::NicConfig;
use ndis_sys::{NDIS_STATUS_FAILURE, NDIS_STATUS_SUCCESS};

const LONG: Duration = Duration::from_secs(10);
const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
const PEER: [u8; 6] = [2, 0, 0, 0, 0, 9];

fn lab() -> (MutexGuard<'static, ()>, Lab) {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    (turn, Lab::new())
}

fn stack(lab: &Lab, sleeps: bool) -> (NicPort, &'static Client) {
    let mut config = NicConfig::new("nic0", MAC);
    config.sleeps = sleeps;
    let nic = lab.add_nic(config);
    let client = lab.add_client("stack", "nic0").unwrap();
    lab.plug_nic("nic0").unwrap();
    (nic, client)
}

fn take_down(lab: &Lab) {
    lab.unplug_nic("nic0").unwrap();
    lab.remove_client("stack").unwrap();
}

fn assert_traffic(nic: &NicPort, client: &'static Client) {
    let frame = [&PEER[..], &MAC, &[8, 0], &[7; 50]].concat();
    let ticket = client.send(std::slice::from_ref(&frame));
    assert_eq!(ticket.wait(LONG), Some(vec![NDIS_STATUS_SUCCESS]));
    assert_eq!(nic.take_sent(LONG), Some(frame));
}

/// The records from `start` on whose text, `name object`, has one of `parts`, as those parts.
fn order_of(records: &[Record], start: u64, parts: &[&'static str]) -> Vec<&'static str> {
    let text = |record: &Record| format!("{} {}", record.name, record.object);
    records
        .iter()
        .filter(|record| record.sequence >= start)
        .filter_map(|record| parts.iter().find(|part| text(record).starts_with(**part)))
        .copied()
        .collect()
}

const SLEEP: &[&str] = &[
    "ProtocolNetPnPEvent NetEventQueryPower",
    "MiniportOidRequest query 0xfd010102",
    "ProtocolNetPnPEvent NetEventSetPower",
    "ProtocolNetPnPEvent NetEventPause",
    "MiniportPause",
    "MiniportOidRequest set 0xfd010101",
];

#[test]
fn an_adapter_sleeps_and_wakes_in_the_documented_order() {
    let (_turn, lab) = lab();
    let (nic, client) = stack(&lab, true);
    let start = lab.trace().now();
    assert_eq!(lab.sleep_adapter("nic0").unwrap(), Ok(()));
    assert_eq!(order_of(&lab.trace().records(), start, SLEEP), SLEEP);
    assert!(lab.is_asleep("nic0"));
    assert_eq!(lab.adapter_state("nic0"), AdapterState::Paused);
    assert_eq!(client.binding_state(), BindingState::Paused);

    let start = lab.trace().now();
    assert_eq!(lab.wake_adapter("nic0").unwrap(), Ok(()));
    let wake = [
        "MiniportOidRequest set 0xfd010101",
        "MiniportRestart",
        "ProtocolNetPnPEvent NetEventRestart",
        "ProtocolNetPnPEvent NetEventSetPower",
        "MiniportDevicePnPEventNotify PowerProfileChanged",
    ];
    assert_eq!(order_of(&lab.trace().records(), start, &wake), wake);
    assert!(!lab.is_asleep("nic0"));
    assert_traffic(&nic, client);
    take_down(&lab);
}

#[test]
fn an_adapter_that_cannot_sleep_is_halted_without_an_unbind() {
    let (_turn, lab) = lab();
    let (nic, client) = stack(&lab, false);
    for _round in 0..2 {
        let start = lab.trace().now();
        assert_eq!(lab.sleep_adapter("nic0").unwrap(), Ok(()));
        assert_eq!(lab.adapter_state("nic0"), AdapterState::Halted);
        assert_eq!(lab.wake_adapter("nic0").unwrap(), Ok(()));
        let order = [
            "ProtocolNetPnPEvent NetEventSetPower",
            "ProtocolNetPnPEvent NetEventPause",
            "MiniportPause",
            "MiniportHaltEx",
            "MiniportInitializeEx",
            "MiniportRestart",
            "ProtocolNetPnPEvent NetEventRestart",
            "ProtocolNetPnPEvent NetEventSetPower",
        ];
        let all = [
            &order[..],
            &["ProtocolUnbindAdapterEx", "ProtocolBindAdapterEx"],
        ]
        .concat();
        assert_eq!(order_of(&lab.trace().records(), start, &all), order);
        assert_traffic(&nic, client);
    }
    take_down(&lab);
}

#[test]
fn a_protocol_that_refuses_keeps_the_adapter_awake() {
    let (_turn, lab) = lab();
    let (nic, client) = stack(&lab, true);
    client.refuse_sleep(true);
    assert_eq!(lab.sleep_adapter("nic0").unwrap(), Err(NDIS_STATUS_FAILURE));
    assert!(!lab.is_asleep("nic0"));
    assert_traffic(&nic, client);
    take_down(&lab);
}

#[test]
fn a_client_that_comes_while_the_adapter_sleeps_is_bound_when_it_wakes() {
    let (_turn, lab) = lab();
    let (nic, _client) = stack(&lab, true);
    lab.sleep_adapter("nic0").unwrap().unwrap();
    let late = lab.add_client("late", "nic0").unwrap();
    assert_eq!(late.binding_state(), BindingState::Unbound);
    lab.wake_adapter("nic0").unwrap().unwrap();
    assert_traffic(&nic, late);
    lab.remove_client("late").unwrap();
    take_down(&lab);
}

#[test]
fn a_sleeping_adapter_wakes_before_it_is_taken_out() {
    let (_turn, lab) = lab();
    for sleeps in [true, false] {
        let (_nic, client) = stack(&lab, sleeps);
        lab.sleep_adapter("nic0").unwrap().unwrap();
        lab.unplug_nic("nic0").unwrap();
        assert_eq!(client.binding_state(), BindingState::Unbound);
        assert_eq!(lab.adapter_state("nic0"), AdapterState::Halted);
        lab.remove_client("stack").unwrap();
    }
}

#[test]
fn a_surprise_is_told_before_the_stack_is_paused() {
    let (_turn, lab) = lab();
    let (_nic, _client) = stack(&lab, true);
    let start = lab.trace().now();
    lab.pull_nic("nic0").unwrap();
    let order = [
        "MiniportDevicePnPEventNotify SurpriseRemoved",
        "MiniportPause",
        "ProtocolUnbindAdapterEx",
        "MiniportHaltEx",
    ];
    assert_eq!(order_of(&lab.trace().records(), start, &order), order);
    lab.remove_client("stack").unwrap();
}
