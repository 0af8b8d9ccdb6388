//! Filters between a NIC and a client, all of them built in: what NDIS does between them.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ndis_host::filter::{Fault, Filter, FilterConfig, FilterCounters};
use ndis_host::lab::Lab;
use ndis_host::ndis::device::{FilterKind, FilterRun};
use ndis_host::ndis::policy::{Policy, Resources};
use ndis_host::ndis::{AdapterState, BindingState, FilterState};
use ndis_host::nic::{NicConfig, Shape};
use ndis_sys::{
    NDIS_PACKET_TYPE_DIRECTED, NDIS_STATUS_REQUEST_ABORTED, NDIS_STATUS_SEND_ABORTED,
    NDIS_STATUS_SUCCESS, OID_GEN_BYTES_XMIT, OID_GEN_CURRENT_PACKET_FILTER,
    OID_GEN_MAXIMUM_FRAME_SIZE, OID_GEN_VENDOR_DESCRIPTION,
};

const LONG: Duration = Duration::from_secs(10);
const SHORT: Duration = Duration::from_millis(100);
const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
const PEER: [u8; 6] = [2, 0, 0, 0, 0, 9];

/// A lab for this test alone: there is one in a process. Dropped before the turn is.
fn lab() -> (MutexGuard<'static, ()>, Lab) {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    (turn, Lab::new())
}

/// Two filters that handle all, one above the other, on the NIC `nic0`.
fn two_filters(lab: &Lab) -> (&'static Filter, &'static Filter) {
    lab.stack_filter("lower", "nic0").unwrap();
    lab.stack_filter("upper", "nic0").unwrap();
    let lower = lab.add_filter("lower", FilterConfig::ALL);
    let upper = lab.add_filter("upper", FilterConfig::ALL);
    (lower, upper)
}

fn frame(destination: [u8; 6], source: [u8; 6], length: usize) -> Vec<u8> {
    let mut frame = [destination, source].concat();
    frame.extend([0x08, 0x00]);
    frame.extend((0..length - 14).map(|index| index as u8));
    frame
}

/// Asserts that these calls, each on an object that contains the text, began in this order, all of them
/// after `from`.
fn assert_order(lab: &Lab, from: u64, calls: &[(&str, &str)]) {
    let records = lab.trace().records();
    let mut rest = records.iter().filter(|record| record.sequence >= from);
    for (name, about) in calls {
        let found = rest.any(|record| record.name == *name && record.object.contains(about));
        assert!(found, "{name} {about} in order in {records:#?}");
    }
}

#[test]
fn a_stack_starts_from_the_bottom_and_stops_from_the_top() {
    let (_turn, lab) = lab();
    lab.add_nic(NicConfig::new("nic0", MAC));
    lab.stack_filter("lower", "nic0").unwrap();
    lab.stack_filter("upper", "nic0").unwrap();
    let upper = lab.add_filter("upper", FilterConfig::ALL);
    let lower = lab.add_filter("lower", FilterConfig::ALL);
    let client = lab.add_client("stack", "nic0").unwrap();
    for pend in [false, true] {
        lower.pend(pend, pend);
        upper.pend(pend, pend);
        let start = lab.trace().now();
        lab.plug_nic("nic0").unwrap();
        assert_eq!(client.binding_state(), BindingState::Running);
        assert_eq!(lab.filter_state("lower", "nic0"), FilterState::Running);
        assert_eq!(lab.filter_state("upper", "nic0"), FilterState::Running);
        assert_order(
            &lab,
            start,
            &[
                ("MiniportInitializeEx", "nic0"),
                ("FilterAttach", "lower"),
                ("FilterAttach", "upper"),
                ("ProtocolBindAdapterEx", "stack"),
                ("MiniportRestart", "nic0"),
                ("FilterRestart", "lower"),
                ("FilterRestart", "upper"),
                ("ProtocolNetPnPEvent", "NetEventRestart"),
            ],
        );
        let stop = lab.trace().now();
        lab.unplug_nic("nic0").unwrap();
        assert_eq!(lab.filter_state("lower", "nic0"), FilterState::Detached);
        assert_order(
            &lab,
            stop,
            &[
                ("ProtocolNetPnPEvent", "NetEventPause"),
                ("FilterPause", "upper"),
                ("FilterPause", "lower"),
                ("MiniportPause", "nic0"),
                ("ProtocolUnbindAdapterEx", "stack"),
                ("FilterDetach", "upper"),
                ("FilterDetach", "lower"),
                ("MiniportHaltEx", "nic0"),
            ],
        );
    }
    lab.remove_client("stack").unwrap();
    lab.remove_filter(upper);
    lab.remove_filter(lower);
}

#[test]
fn frames_pass_both_ways_in_every_shape_and_policy() {
    let (_turn, lab) = lab();
    let mut config = NicConfig::new("nic0", MAC);
    config.shapes = Shape::awkward();
    let nic = lab.add_nic(config);
    let (lower, upper) = two_filters(&lab);
    let client = lab.add_client("stack", "nic0").unwrap();
    let mut rounds = 0;
    for policy in [Policy::STRICT, Policy::INLINE] {
        for resources in [Resources::Never, Resources::Always, Resources::Alternate] {
            lab.policy(|current| {
                *current = policy;
                current.receive_resources = resources;
            });
            lab.plug_nic("nic0").unwrap();
            for length in 60..70 {
                let down = frame(PEER, MAC, length);
                let ticket = client.send(std::slice::from_ref(&down));
                assert_eq!(ticket.wait(LONG), Some(vec![NDIS_STATUS_SUCCESS]));
                assert_eq!(nic.take_sent(LONG), Some(down));
                let up = frame(MAC, PEER, length);
                nic.inject(&up);
                assert_eq!(client.recv(LONG).map(|received| received.frame), Some(up));
                rounds += 1;
            }
            lab.unplug_nic("nic0").unwrap();
        }
    }
    for filter in [lower, upper] {
        let FilterCounters {
            sends,
            sends_completed,
            receives,
            receives_returned,
            ..
        } = filter.counters();
        assert_eq!((sends, sends_completed, receives), (rounds, rounds, rounds));
        // Those with RESOURCES are not returned: of the six rounds, two and half of two.
        assert_eq!(receives_returned, rounds / 2);
    }
    lab.remove_client("stack").unwrap();
    lab.remove_filter(upper);
    lab.remove_filter(lower);
}

#[test]
fn requests_pass_both_filters_and_the_union_too() {
    let (_turn, lab) = lab();
    let nic = lab.add_nic(NicConfig::new("nic0", MAC));
    let (lower, upper) = two_filters(&lab);
    let client = lab.add_client("stack", "nic0").unwrap();
    for policy in [Policy::STRICT, Policy::INLINE] {
        lab.policy(|current| *current = policy);
        lab.plug_nic("nic0").unwrap();
        let before = (lower.counters().requests, upper.counters().requests);
        let (status, name) = client.query(OID_GEN_VENDOR_DESCRIPTION, 64);
        assert_eq!(status, NDIS_STATUS_SUCCESS);
        assert!(!name.is_empty());
        assert_eq!(lower.counters().requests, before.0 + 1);
        assert_eq!(upper.counters().requests, before.1 + 1);

        client.set_packet_filter(NDIS_PACKET_TYPE_DIRECTED);
        assert_eq!(nic.filter().packet_types, NDIS_PACKET_TYPE_DIRECTED);
        assert_eq!(upper.counters().requests, before.1 + 2);
        // NDIS answers this one itself: no filter sees it.
        assert_eq!(
            client.query(OID_GEN_CURRENT_PACKET_FILTER, 4).0,
            NDIS_STATUS_SUCCESS
        );
        assert_eq!(upper.counters().requests, before.1 + 2);

        // A filter's own requests pass those below it only, and NDIS answers it as it does others.
        let before = (lower.counters().requests, upper.counters().requests);
        assert_eq!(
            upper.query(OID_GEN_VENDOR_DESCRIPTION, 64),
            (NDIS_STATUS_SUCCESS, name)
        );
        assert_eq!(lower.counters().requests, before.0 + 1);
        assert_eq!(upper.counters().requests, before.1);
        assert_eq!(
            upper.query(OID_GEN_MAXIMUM_FRAME_SIZE, 4),
            (NDIS_STATUS_SUCCESS, 1500_u32.to_le_bytes().to_vec())
        );
        assert_eq!(upper.query(OID_GEN_BYTES_XMIT, 8).0, NDIS_STATUS_SUCCESS);
        lab.unplug_nic("nic0").unwrap();
    }
    lab.remove_client("stack").unwrap();
    lab.remove_filter(upper);
    lab.remove_filter(lower);
}

#[test]
fn direct_requests_pass_both_filters_and_can_be_cancelled() {
    let (_turn, lab) = lab();
    let nic = lab.add_nic(NicConfig::new("nic0", MAC));
    let (lower, upper) = two_filters(&lab);
    let client = lab.add_client("stack", "nic0").unwrap();
    let counts = || {
        let count = |filter: &Filter| filter.counters().direct_requests;
        (count(lower), count(upper))
    };
    for policy in [Policy::STRICT, Policy::INLINE] {
        lab.policy(|current| *current = policy);
        lab.plug_nic("nic0").unwrap();
        let before = counts();
        let (status, name) = client.query_direct(OID_GEN_VENDOR_DESCRIPTION, 64, 1);
        assert_eq!(status, NDIS_STATUS_SUCCESS);
        assert!(!name.is_empty());
        assert_eq!(counts(), (before.0 + 1, before.1 + 1));
        // A filter's own passes those below it only.
        let own = upper.query_direct(OID_GEN_VENDOR_DESCRIPTION, 64);
        assert_eq!(own, (NDIS_STATUS_SUCCESS, name));
        assert_eq!(counts(), (before.0 + 2, before.1 + 1));

        // Two that pend beside each other and beside a regular one; one of them is cancelled.
        nic.hold_requests(true);
        std::thread::scope(|scope| {
            let regular = scope.spawn(|| client.query(OID_GEN_VENDOR_DESCRIPTION, 64).0);
            let direct =
                |id| scope.spawn(move || client.query_direct(OID_GEN_VENDOR_DESCRIPTION, 64, id).0);
            let (first, second) = (direct(7), direct(8));
            while nic.direct_requests_outstanding() < 2 || nic.requests_outstanding() == 0 {
                std::thread::yield_now();
            }
            client.cancel_direct_requests(9);
            assert_eq!(nic.direct_requests_outstanding(), 2);
            client.cancel_direct_requests(7);
            assert_eq!(first.join().unwrap(), NDIS_STATUS_REQUEST_ABORTED);
            assert_eq!(nic.direct_requests_outstanding(), 1);
            nic.hold_requests(false);
            assert_eq!(second.join().unwrap(), NDIS_STATUS_SUCCESS);
            assert_eq!(regular.join().unwrap(), NDIS_STATUS_SUCCESS);
        });
        lab.unplug_nic("nic0").unwrap();
    }
    lab.remove_client("stack").unwrap();
    lab.remove_filter(upper);
    lab.remove_filter(lower);
}

#[test]
fn direct_requests_pass_a_filter_by_that_handles_none() {
    let (_turn, lab) = lab();
    let nic = lab.add_nic(NicConfig::new("nic0", MAC));
    lab.stack_filter("lower", "nic0").unwrap();
    let config = FilterConfig {
        requests: false,
        ..FilterConfig::ALL
    };
    let lower = lab.add_filter("lower", config);
    let client = lab.add_client("stack", "nic0").unwrap();
    lab.plug_nic("nic0").unwrap();
    nic.hold_requests(true);
    std::thread::scope(|scope| {
        let query = scope.spawn(|| client.query_direct(OID_GEN_VENDOR_DESCRIPTION, 64, 7).0);
        while nic.direct_requests_outstanding() == 0 {
            std::thread::yield_now();
        }
        client.cancel_direct_requests(7);
        assert_eq!(query.join().unwrap(), NDIS_STATUS_REQUEST_ABORTED);
    });
    nic.hold_requests(false);
    assert_eq!(lower.counters().direct_requests, 0);
    lab.unplug_nic("nic0").unwrap();
    lab.remove_client("stack").unwrap();
    lab.remove_filter(lower);
}

#[test]
fn a_filter_that_comes_late_pauses_the_stack_and_goes_again() {
    let (_turn, lab) = lab();
    let nic = lab.add_nic(NicConfig::new("nic0", MAC));
    let client = lab.add_client("stack", "nic0").unwrap();
    lab.stack_filter("lower", "nic0").unwrap();
    lab.stack_filter("upper", "nic0").unwrap();
    let upper = lab.add_filter("upper", FilterConfig::ALL);
    lab.plug_nic("nic0").unwrap();
    let (_, below) = upper.restarted_with().unwrap();

    let from = lab.trace().now();
    let lower = lab.add_filter("lower", FilterConfig::ALL);
    assert_order(
        &lab,
        from,
        &[
            ("ProtocolNetPnPEvent", "NetEventPause"),
            ("FilterPause", "upper"),
            ("MiniportPause", "nic0"),
            ("FilterAttach", "lower"),
            ("MiniportRestart", "nic0"),
            ("FilterRestart", "lower"),
            ("FilterRestart", "upper"),
            ("ProtocolNetPnPEvent", "NetEventRestart"),
        ],
    );
    // It went in below the one that was there.
    let (mtu, now_below) = upper.restarted_with().unwrap();
    assert_eq!(mtu, 1500);
    assert_ne!(now_below, below);
    assert_eq!(lower.restarted_with().map(|(_, index)| index), Some(below));
    client
        .send(&[frame(PEER, MAC, 60)])
        .wait(LONG)
        .expect("the send completes");
    assert_eq!(lower.counters().sends, 1);

    let from = lab.trace().now();
    lab.remove_filter(lower);
    assert_order(
        &lab,
        from,
        &[
            ("NdisFDeregisterFilterDriver", "lower"),
            ("FilterPause", "upper"),
            ("FilterPause", "lower"),
            ("FilterDetach", "lower"),
            ("FilterRestart", "upper"),
        ],
    );
    nic.inject(&frame(MAC, PEER, 60));
    assert!(client.recv(LONG).is_some());
    lab.unplug_nic("nic0").unwrap();
    lab.remove_client("stack").unwrap();
    lab.remove_filter(upper);
}

#[test]
fn what_a_filter_does_not_handle_passes_it_by() {
    let (_turn, lab) = lab();
    let nic = lab.add_nic(NicConfig::new("nic0", MAC));
    lab.stack_filter("quiet", "nic0").unwrap();
    lab.stack_filter("chooser", "nic0").unwrap();
    let quiet = lab.add_filter("quiet", FilterConfig::NONE);
    let config = FilterConfig {
        options: true,
        ..FilterConfig::ALL
    };
    let chooser = lab.add_filter("chooser", config);
    let client = lab.add_client("stack", "nic0").unwrap();
    lab.plug_nic("nic0").unwrap();
    let exchange = || {
        assert!(client.send(&[frame(PEER, MAC, 60)]).wait(LONG).is_some());
        assert!(nic.take_sent(LONG).is_some());
        nic.inject(&frame(MAC, PEER, 60));
        assert!(client.recv(LONG).is_some());
    };
    exchange();
    assert_eq!(
        (chooser.counters().sends, chooser.counters().receives),
        (1, 1)
    );
    chooser.bypass(true);
    assert!(lab.settle(LONG));
    exchange();
    assert_eq!(
        (chooser.counters().sends, chooser.counters().receives),
        (1, 1)
    );
    chooser.bypass(false);
    assert!(lab.settle(LONG));
    exchange();
    assert_eq!(
        (chooser.counters().sends, chooser.counters().receives),
        (2, 2)
    );
    assert_eq!(quiet.counters(), FilterCounters::default());
    lab.unplug_nic("nic0").unwrap();
    lab.remove_client("stack").unwrap();
    lab.remove_filter(chooser);
    lab.remove_filter(quiet);
}

#[test]
fn frames_of_a_filter_s_own_go_down_and_up_and_come_back() {
    let (_turn, lab) = lab();
    let nic = lab.add_nic(NicConfig::new("nic0", MAC));
    let (lower, upper) = two_filters(&lab);
    let client = lab.add_client("stack", "nic0").unwrap();
    lab.plug_nic("nic0").unwrap();
    let down = frame(PEER, MAC, 70);
    assert!(upper.send(&down));
    assert_eq!(nic.take_sent(LONG), Some(down));
    assert!(upper.wait_own(LONG));
    assert_eq!(lower.counters().sends_completed, 1);
    assert_eq!(upper.counters().sends_completed, 0);
    let up = frame(MAC, PEER, 71);
    assert!(lower.indicate(&up));
    assert_eq!(client.recv(LONG).map(|received| received.frame), Some(up));
    assert!(lower.wait_own(LONG));
    assert_eq!(upper.counters().receives_returned, 1);
    assert_eq!(lower.counters().receives_returned, 0);

    // A pause waits for what is out.
    nic.hold_sends(true);
    assert!(upper.send(&frame(PEER, MAC, 72)));
    assert!(nic.wait_sends(LONG, 1));
    std::thread::scope(|scope| {
        let unplug = scope.spawn(|| lab.unplug_nic("nic0").unwrap());
        std::thread::sleep(SHORT);
        assert_eq!(lab.filter_state("upper", "nic0"), FilterState::Pausing);
        assert_eq!(lab.filter_state("lower", "nic0"), FilterState::Running);
        nic.hold_sends(false);
        unplug.join().unwrap();
    });
    assert_eq!(lab.adapter_state("nic0"), AdapterState::Halted);
    lab.remove_client("stack").unwrap();
    lab.remove_filter(upper);
    lab.remove_filter(lower);
}

#[test]
fn status_and_events_pass_both_filters() {
    let (_turn, lab) = lab();
    let nic = lab.add_nic(NicConfig::new("nic0", MAC));
    let (lower, upper) = two_filters(&lab);
    let client = lab.add_client("stack", "nic0").unwrap();
    lab.plug_nic("nic0").unwrap();
    nic.set_link(false);
    assert!(client.wait_link(false, LONG));
    assert_eq!(
        (lower.counters().statuses, upper.counters().statuses),
        (1, 1)
    );
    let from = lab.trace().now();
    lab.pull_nic("nic0").unwrap();
    assert_order(
        &lab,
        from,
        &[
            ("FilterDevicePnPEventNotify", "upper"),
            ("FilterDevicePnPEventNotify", "lower"),
            ("MiniportDevicePnPEventNotify", "nic0"),
            ("FilterPause", "upper"),
            // NetEventFilterPreDetach, its last chance to ask.
            ("FilterNetPnPEvent", "NetEventFilterPreDetach upper"),
            ("FilterDetach", "upper"),
        ],
    );
    lab.remove_client("stack").unwrap();
    lab.remove_filter(upper);
    lab.remove_filter(lower);
}

#[test]
fn sends_that_a_filter_keeps_end_with_the_pause() {
    let (_turn, lab) = lab();
    let nic = lab.add_nic(NicConfig::new("nic0", MAC));
    lab.stack_filter("keeper", "nic0").unwrap();
    let keeper = lab.add_filter("keeper", FilterConfig::ALL);
    let client = lab.add_client("stack", "nic0").unwrap();
    lab.plug_nic("nic0").unwrap();
    keeper.hold_sends(true);
    keeper.hold_receives(true);
    let ticket = client.send(&[frame(PEER, MAC, 60)]);
    nic.inject(&frame(MAC, PEER, 60));
    assert!(keeper.wait_held(2, LONG));
    assert_eq!(client.recv(SHORT), None);
    assert_eq!(ticket.statuses(), [None]);
    keeper.hold_receives(false);
    assert!(client.recv(LONG).is_some());
    keeper.hold_sends(false);
    assert_eq!(ticket.wait(LONG), Some(vec![NDIS_STATUS_SUCCESS]));

    keeper.hold_receives(true);
    nic.inject(&frame(MAC, PEER, 60));
    assert!(keeper.wait_held(1, LONG));
    lab.unplug_nic("nic0").unwrap();
    assert_eq!(keeper.held(), 0);
    lab.remove_client("stack").unwrap();
    lab.remove_filter(keeper);
}

#[test]
fn cancellations_pass_a_filter() {
    let (_turn, lab) = lab();
    let nic = lab.add_nic(NicConfig::new("nic0", MAC));
    lab.stack_filter("lower", "nic0").unwrap();
    lab.stack_filter("upper", "nic0").unwrap();
    // This one keeps no requests, and has no say in their cancellation.
    let config = FilterConfig {
        requests: false,
        ..FilterConfig::ALL
    };
    let lower = lab.add_filter("lower", config);
    let upper = lab.add_filter("upper", FilterConfig::ALL);
    let client = lab.add_client("stack", "nic0").unwrap();
    lab.plug_nic("nic0").unwrap();
    nic.hold_sends(true);
    let shape = ndis_host::client::SendShape {
        cancel_id: 0x100_0001,
        ..ndis_host::client::SendShape::PLAIN
    };
    let ticket = client.send_shaped(&[frame(PEER, MAC, 60)], &shape);
    assert!(nic.wait_sends(LONG, 1));
    client.cancel_sends(0x100_0001);
    assert_eq!((lower.counters().cancels, upper.counters().cancels), (1, 1));
    nic.hold_sends(false);
    assert_eq!(ticket.wait(LONG), Some(vec![NDIS_STATUS_SEND_ABORTED]));

    nic.hold_requests(true);
    std::thread::scope(|scope| {
        let query = scope.spawn(|| client.query_with_id(OID_GEN_VENDOR_DESCRIPTION, 64, 7));
        while nic.requests_outstanding() == 0 {
            std::thread::yield_now();
        }
        client.cancel_requests(7);
        assert_eq!(query.join().unwrap(), NDIS_STATUS_REQUEST_ABORTED);
    });
    nic.hold_requests(false);
    lab.unplug_nic("nic0").unwrap();
    lab.remove_client("stack").unwrap();
    lab.remove_filter(upper);
    lab.remove_filter(lower);
}

#[test]
fn a_stack_goes_without_an_optional_filter_and_not_without_a_mandatory_one() {
    let (_turn, lab) = lab();
    lab.add_nic(NicConfig::new("nic0", MAC));
    let kind = FilterKind::Modifying;
    lab.stack_filter_as("must", "nic0", kind, FilterRun::Mandatory)
        .unwrap();
    lab.stack_filter("may", "nic0").unwrap();
    let may = lab.add_filter("may", FilterConfig::ALL);
    may.set_fault(Some(Fault::AttachFails));
    let client = lab.add_client("stack", "nic0").unwrap();
    lab.plug_nic("nic0").unwrap();
    // The mandatory one is not there: no protocol is bound.
    assert_eq!(lab.adapter_state("nic0"), AdapterState::Running);
    assert_eq!(client.binding_state(), BindingState::Unbound);
    let must = lab.add_filter("must", FilterConfig::ALL);
    assert_eq!(client.binding_state(), BindingState::Running);
    assert_eq!(lab.filter_state("must", "nic0"), FilterState::Running);
    assert_eq!(lab.filter_state("may", "nic0"), FilterState::Detached);
    lab.remove_filter(must);
    assert_eq!(client.binding_state(), BindingState::Unbound);
    lab.unplug_nic("nic0").unwrap();

    // One that does not restart is detached.
    let must = lab.add_filter("must", FilterConfig::ALL);
    may.set_fault(Some(Fault::RestartFails));
    lab.plug_nic("nic0").unwrap();
    assert_eq!(client.binding_state(), BindingState::Running);
    assert_eq!(lab.filter_state("must", "nic0"), FilterState::Running);
    assert_eq!(lab.filter_state("may", "nic0"), FilterState::Detached);
    let late = client.send(&[frame(PEER, MAC, 60)]);
    assert_eq!(late.wait(LONG), Some(vec![NDIS_STATUS_SUCCESS]));
    lab.unplug_nic("nic0").unwrap();
    let refused = client.send(&[frame(PEER, MAC, 60)]);
    assert_ne!(refused.wait(LONG), Some(vec![NDIS_STATUS_SUCCESS]));
    lab.remove_client("stack").unwrap();
    lab.remove_filter(may);
    lab.remove_filter(must);
}

#[test]
fn a_modifying_filter_may_change_bytes_that_pass() {
    let (_turn, lab) = lab();
    let nic = lab.add_nic(NicConfig::new("nic0", MAC));
    lab.stack_filter("changer", "nic0").unwrap();
    let changer = lab.add_filter("changer", FilterConfig::ALL);
    changer.set_fault(Some(Fault::ChangeBytes));
    let client = lab.add_client("stack", "nic0").unwrap();
    lab.plug_nic("nic0").unwrap();
    let mut sent = frame(PEER, MAC, 60);
    let ticket = client.send(std::slice::from_ref(&sent));
    assert_eq!(ticket.wait(LONG), Some(vec![NDIS_STATUS_SUCCESS]));
    sent[20] = !sent[20];
    assert_eq!(nic.take_sent(LONG), Some(sent));
    lab.unplug_nic("nic0").unwrap();
    lab.remove_client("stack").unwrap();
    lab.remove_filter(changer);
}
