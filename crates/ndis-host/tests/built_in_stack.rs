//! Stacks of built-in parts only: what NDIS does between them, without any image.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ndis_host::client::SendShape;
use ndis_host::lab::Lab;
use ndis_host::ndis::policy::{Policy, Resources};
use ndis_host::ndis::{AdapterState, BindingState};
use ndis_host::nic::{NicConfig, Shape};
use ndis_sys::{
    NDIS_PACKET_TYPE_BROADCAST, NDIS_PACKET_TYPE_DIRECTED, NDIS_PACKET_TYPE_PROMISCUOUS,
    NDIS_STATUS, NDIS_STATUS_INVALID_LENGTH, NDIS_STATUS_NOT_SUPPORTED, NDIS_STATUS_PAUSED,
    NDIS_STATUS_PENDING, NDIS_STATUS_REQUEST_ABORTED, NDIS_STATUS_SUCCESS,
    OID_802_3_CURRENT_ADDRESS, OID_GEN_BYTES_XMIT, OID_GEN_CURRENT_PACKET_FILTER,
    OID_GEN_LINK_STATE, OID_GEN_SUPPORTED_LIST, OID_GEN_VENDOR_DESCRIPTION,
};

const LONG: Duration = Duration::from_secs(10);
const SHORT: Duration = Duration::from_millis(100);
const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
const PEER: [u8; 6] = [2, 0, 0, 0, 0, 9];
const ALL: [u8; 6] = [0xff; 6];

/// A lab for this test alone: there is one in a process. Dropped before the turn is.
fn lab() -> (MutexGuard<'static, ()>, Lab) {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    (turn, Lab::new())
}

fn frame(destination: [u8; 6], source: [u8; 6], length: usize) -> Vec<u8> {
    let mut frame = [destination, source].concat();
    frame.extend([0x08, 0x00]);
    frame.extend((0..length - 14).map(|index| index as u8));
    frame
}

#[test]
fn frames_pass_both_ways_in_every_shape_and_policy() {
    let (_turn, lab) = lab();
    let mut config = NicConfig::new("nic0", MAC);
    config.shapes = Shape::awkward();
    let nic = lab.add_nic(config);
    let client = lab.add_client("stack", "nic0").unwrap();
    for policy in [Policy::STRICT, Policy::INLINE] {
        for resources in [Resources::Never, Resources::Always, Resources::Alternate] {
            lab.policy(|current| {
                *current = policy;
                current.receive_resources = resources;
            });
            lab.plug_nic("nic0").unwrap();
            assert_eq!(client.binding_state(), BindingState::Running);
            for (index, shape) in Shape::awkward().into_iter().enumerate() {
                let down = frame(PEER, MAC, 60 + index);
                let shape = SendShape {
                    shape,
                    ..SendShape::PLAIN
                };
                let ticket = client.send_shaped(std::slice::from_ref(&down), &shape);
                assert_eq!(ticket.wait(LONG), Some(vec![NDIS_STATUS_SUCCESS]));
                assert_eq!(nic.take_sent(LONG), Some(down));
                let up = frame(MAC, PEER, 60 + index);
                nic.inject(&up);
                assert_eq!(client.recv(LONG).map(|received| received.frame), Some(up));
            }
            lab.unplug_nic("nic0").unwrap();
            assert_eq!(client.binding_state(), BindingState::Unbound);
        }
    }
    lab.remove_client("stack").unwrap();
}

#[test]
fn each_binding_gets_what_its_own_filter_wants_and_the_nic_the_union() {
    let (_turn, lab) = lab();
    let nic = lab.add_nic(NicConfig::new("nic0", MAC));
    let plain = lab.add_client("plain", "nic0").unwrap();
    let sniffer = lab.add_client("sniffer", "nic0").unwrap();
    lab.plug_nic("nic0").unwrap();
    plain.set_packet_filter(NDIS_PACKET_TYPE_DIRECTED);
    sniffer.set_packet_filter(NDIS_PACKET_TYPE_PROMISCUOUS);
    let union = NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_PROMISCUOUS;
    assert_eq!(nic.filter().packet_types, union);
    let (status, answer) = plain.query(OID_GEN_CURRENT_PACKET_FILTER, 4);
    assert_eq!(
        (status, answer),
        (NDIS_STATUS_SUCCESS, union.to_le_bytes().to_vec())
    );

    let others = frame([2, 0, 0, 0, 0, 7], PEER, 60);
    let ours = frame(MAC, PEER, 61);
    nic.inject(&others);
    nic.inject(&ours);
    assert_eq!(sniffer.recv(LONG).unwrap().frame, others);
    assert_eq!(sniffer.recv(LONG).unwrap().frame, ours);
    assert_eq!(plain.recv(LONG).unwrap().frame, ours);
    assert_eq!(plain.recv(SHORT), None);

    lab.remove_client("sniffer").unwrap();
    assert_eq!(nic.filter().packet_types, NDIS_PACKET_TYPE_DIRECTED);
    nic.inject(&others);
    assert_eq!(plain.recv(SHORT), None);
    lab.unplug_nic("nic0").unwrap();
    lab.remove_client("plain").unwrap();
}

#[test]
fn wishes_of_several_bindings_that_meet_are_all_in_the_union() {
    let (_turn, lab) = lab();
    let nic = lab.add_nic(NicConfig::new("nic0", MAC));
    let first = lab.add_client("first", "nic0").unwrap();
    let second = lab.add_client("second", "nic0").unwrap();
    lab.plug_nic("nic0").unwrap();
    let asked = || lab.trace().calls("NdisOidRequest").len();
    let before = asked();
    nic.hold_requests(true);
    std::thread::scope(|scope| {
        scope.spawn(|| first.set_packet_filter(NDIS_PACKET_TYPE_PROMISCUOUS));
        while nic.requests_outstanding() == 0 {
            std::thread::yield_now();
        }
        // This one is made while the first is at the NIC, and nobody knows how that ends.
        scope.spawn(|| second.set_packet_filter(NDIS_PACKET_TYPE_BROADCAST));
        while asked() < before + 2 {
            std::thread::yield_now();
        }
        nic.hold_requests(false);
    });
    let union = NDIS_PACKET_TYPE_BROADCAST | NDIS_PACKET_TYPE_PROMISCUOUS;
    assert_eq!(nic.filter().packet_types, union);
    lab.unplug_nic("nic0").unwrap();
    lab.remove_client("first").unwrap();
    lab.remove_client("second").unwrap();
}

#[test]
fn a_request_that_ndis_makes_for_another_can_be_cancelled_like_that() {
    let (_turn, lab) = lab();
    let nic = lab.add_nic(NicConfig::new("nic0", MAC));
    let client = lab.add_client("stack", "nic0").unwrap();
    lab.plug_nic("nic0").unwrap();
    nic.hold_requests(true);
    std::thread::scope(|scope| {
        let query = scope.spawn(|| client.query_with_id(OID_GEN_BYTES_XMIT, 8, 7));
        while nic.requests_outstanding() == 0 {
            std::thread::yield_now();
        }
        client.cancel_requests(7);
        assert_eq!(query.join().unwrap(), NDIS_STATUS_REQUEST_ABORTED);
    });
    nic.hold_requests(false);
    lab.unplug_nic("nic0").unwrap();
    lab.remove_client("stack").unwrap();
}

#[test]
fn ndis_answers_from_attributes_and_statistics() {
    let (_turn, lab) = lab();
    let nic = lab.add_nic(NicConfig::new("nic0", MAC));
    let client = lab.add_client("stack", "nic0").unwrap();
    lab.plug_nic("nic0").unwrap();
    client.send(&[frame(PEER, MAC, 100)]).wait(LONG).unwrap();
    assert_eq!(
        client.query(OID_GEN_BYTES_XMIT, 8),
        (NDIS_STATUS_SUCCESS, vec![100, 0, 0, 0, 0, 0, 0, 0])
    );
    assert_eq!(
        client.query(OID_GEN_BYTES_XMIT, 4),
        (NDIS_STATUS_SUCCESS, vec![100, 0, 0, 0])
    );
    assert_eq!(
        client.query(OID_802_3_CURRENT_ADDRESS, 6),
        (NDIS_STATUS_SUCCESS, MAC.to_vec())
    );
    assert_eq!(
        client.query(OID_GEN_VENDOR_DESCRIPTION, 64).0,
        NDIS_STATUS_SUCCESS
    );
    assert_eq!(client.query(0xff00_0001, 64).0, NDIS_STATUS_NOT_SUPPORTED);
    assert!(client.query(OID_GEN_SUPPORTED_LIST, 4096).1.len() > 40);
    // Only what NDIS does not answer itself reaches the miniport.
    let asked = lab.trace().calls("MiniportOidRequest");
    assert!(
        asked
            .iter()
            .all(|record| !record.object.contains("0x01010102"))
    );
    let before = client.query(OID_GEN_LINK_STATE, 64).1;
    nic.set_link(false);
    assert!(client.wait_link(false, LONG));
    assert_ne!(client.query(OID_GEN_LINK_STATE, 64).1, before);
    lab.unplug_nic("nic0").unwrap();
    lab.remove_client("stack").unwrap();
}

#[test]
fn a_pause_waits_for_sends_that_are_out() {
    let (_turn, lab) = lab();
    let nic = lab.add_nic(NicConfig::new("nic0", MAC));
    let client = lab.add_client("stack", "nic0").unwrap();
    lab.plug_nic("nic0").unwrap();
    nic.hold_sends(true);
    let ticket = client.send(&[frame(PEER, MAC, 60), frame(PEER, MAC, 61)]);
    assert!(nic.wait_sends(LONG, 2));
    std::thread::scope(|scope| {
        let unplug = scope.spawn(|| lab.unplug_nic("nic0").unwrap());
        assert!(client.wait_state(BindingState::Pausing, LONG));
        assert_eq!(ticket.statuses(), [None, None]);
        let late = client.send(&[frame(PEER, MAC, 62)]);
        assert_eq!(late.wait(LONG), Some(vec![NDIS_STATUS_PAUSED]));
        // The client is Pausing before its handler returns; only then is the event pending.
        while !has_returned(&lab, "ProtocolNetPnPEvent", NDIS_STATUS_PENDING) {
            std::thread::yield_now();
        }
        nic.hold_sends(false);
        unplug.join().unwrap();
    });
    assert_eq!(ticket.wait(LONG), Some(vec![NDIS_STATUS_SUCCESS; 2]));
    assert_eq!(lab.adapter_state("nic0"), AdapterState::Halted);
    let order = [
        "ProtocolNetPnPEvent",
        "NdisCompleteNetPnPEvent",
        "MiniportPause",
        "NdisMPauseComplete",
        "ProtocolUnbindAdapterEx",
        "NdisCloseAdapterEx",
        "MiniportHaltEx",
    ];
    assert!(lab.trace().in_order(&order));
    lab.remove_client("stack").unwrap();
}

#[test]
fn tags_travel_beside_frames_where_the_nic_says_so() {
    let (_turn, lab) = lab();
    let nic = lab.add_nic(NicConfig::new("nic0", MAC).handling_tags());
    let client = lab.add_client("stack", "nic0").unwrap();
    lab.plug_nic("nic0").unwrap();
    let plain = frame(ALL, PEER, 64);
    let mut tagged = plain.clone();
    tagged.splice(12..12, [0x81, 0x00, 0x60, 0x0a]);
    nic.inject(&tagged);
    let received = client.recv(LONG).unwrap();
    assert_eq!((received.frame, received.tag), (plain.clone(), 3 | 10 << 4));
    let shape = SendShape {
        tag: 3 | 10 << 4,
        ..SendShape::PLAIN
    };
    client.send_shaped(&[plain], &shape).wait(LONG).unwrap();
    assert_eq!(nic.take_sent(LONG), Some(tagged));
    lab.unplug_nic("nic0").unwrap();
    lab.remove_client("stack").unwrap();
}

#[test]
fn a_nic_that_does_not_insert_tags_takes_the_priority_alone() {
    let (_turn, lab) = lab();
    let nic = lab.add_nic(NicConfig::new("nic0", MAC));
    let client = lab.add_client("stack", "nic0").unwrap();
    lab.plug_nic("nic0").unwrap();
    let plain = frame(ALL, PEER, 64);
    for (beside, inserted) in [(3 | 10 << 4, Some(0x60)), (10 << 4, None)] {
        let shape = SendShape {
            tag: beside,
            ..SendShape::PLAIN
        };
        client
            .send_shaped(std::slice::from_ref(&plain), &shape)
            .wait(LONG)
            .unwrap();
        let mut sent = plain.clone();
        if let Some(priority) = inserted {
            sent.splice(12..12, [0x81, 0x00, priority, 0]);
        }
        assert_eq!(nic.take_sent(LONG), Some(sent));
    }
    lab.unplug_nic("nic0").unwrap();
    lab.remove_client("stack").unwrap();
}

#[test]
fn frames_that_are_too_long_fail_alone() {
    let (_turn, lab) = lab();
    let nic = lab.add_nic(NicConfig::new("nic0", MAC));
    let client = lab.add_client("stack", "nic0").unwrap();
    lab.plug_nic("nic0").unwrap();
    client.set_packet_filter(NDIS_PACKET_TYPE_BROADCAST);
    let frames = [frame(PEER, MAC, 1515), frame(PEER, MAC, 1514)];
    let statuses = client.send(&frames).wait(LONG).unwrap();
    assert_eq!(statuses, [NDIS_STATUS_INVALID_LENGTH, NDIS_STATUS_SUCCESS]);
    assert_eq!(nic.statistics().send_errors, 1);
    lab.unplug_nic("nic0").unwrap();
    lab.remove_client("stack").unwrap();
}

fn has_returned(lab: &Lab, name: &str, status: NDIS_STATUS) -> bool {
    let calls = lab.trace().calls(name);
    calls.iter().any(|call| call.status == Some(status))
}
