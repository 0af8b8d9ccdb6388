//! Requests to the adapter below: the packet filter that all virtual miniports need together, and what is
//! passed on.

use std::{ptr, thread};

use ndis_host::{
    lab::Lab,
    ndis::policy::{ImInitialize, When},
    nic::NicConfig,
    nt::registry::Value,
};
use ndis_sys::{
    NDIS_OBJECT_HEADER, NDIS_OBJECT_TYPE_OID_REQUEST, NDIS_OID_REQUEST, NDIS_OID_REQUEST_QUERY,
    NDIS_OID_REQUEST_REVISION_1, NDIS_PACKET_TYPE_ALL_MULTICAST, NDIS_PACKET_TYPE_BROADCAST,
    NDIS_PACKET_TYPE_DIRECTED, NDIS_PACKET_TYPE_MULTICAST, NDIS_PACKET_TYPE_PROMISCUOUS,
    NDIS_SIZEOF_OID_REQUEST_REVISION_1, NDIS_STATUS_BUFFER_TOO_SHORT, NDIS_STATUS_FAILURE,
    NDIS_STATUS_NOT_SUPPORTED, NDIS_STATUS_REQUEST_ABORTED, NdisRequestQueryInformation,
    OID_802_3_MULTICAST_LIST, OID_GEN_CURRENT_PACKET_FILTER, OID_GEN_TRANSMIT_QUEUE_LENGTH,
};
use ndismux_tests::{
    Frame, MAC_BELOW, MAC_PEER, MuxLab, NEVER, NIC, NONE, SOON, VLAN10, VLAN20, faults_in, frames,
    image_tests, must_succeed, until,
};

image_tests! {
    fn the_filter_below_is_what_all_virtual_miniports_need_together() {
        for when in [When::Inline, When::Later] {
            let lab = MuxLab::new(&[VLAN10, VLAN20]);
            // One that has the NIC's own address needs nothing wider for it.
            let address = "024E49430001".to_owned();
            lab.set_values("vlan20", &[("NetworkAddress", Value::Sz(address))]);
            lab.policy(|policy| (policy.oid, policy.nic_oid) = (when, when));
            lab.up();
            assert_eq!(lab.address("vlan20"), MAC_BELOW);
            // (what the first wants, what the second wants, what the NIC gets)
            let cases = [
                (0, 0, 0),
                (BROADCAST, 0, BROADCAST),
                (BROADCAST, ALL_MULTICAST, BROADCAST | ALL_MULTICAST),
                (0, ALL_MULTICAST, ALL_MULTICAST),
                (DIRECTED, ALL_MULTICAST, PROMISCUOUS | ALL_MULTICAST),
                (0, DIRECTED, DIRECTED),
                (BROADCAST, DIRECTED, BROADCAST | DIRECTED),
                (DIRECTED, DIRECTED, PROMISCUOUS | DIRECTED),
                (PROMISCUOUS, 0, PROMISCUOUS),
                (MULTICAST, 0, MULTICAST),
                (MULTICAST, ALL_MULTICAST, ALL_MULTICAST),
                (0, 0, 0),
            ];
            for (first, second, below) in cases {
                assert_eq!(lab.above("vlan10").set_packet_filter(first), 0);
                assert_eq!(lab.above("vlan20").set_packet_filter(second), 0);
                assert_eq!(lab.below().filter().packet_types, below, "{first:#x} {second:#x}");
            }
            // A list that is in use lets in groups, one that is empty does not.
            assert_eq!(lab.above("vlan10").set_packet_filter(MULTICAST), 0);
            assert_eq!(lab.above("vlan10").set(OID_802_3_MULTICAST_LIST, &[]), 0);
            assert_eq!(lab.below().filter().packet_types, 0);
            assert_eq!(lab.above("vlan10").set(OID_802_3_MULTICAST_LIST, &[1, 0, 0x5E, 0, 0, 1]), 0);
            assert_eq!(lab.below().filter().packet_types, MULTICAST);
            assert_eq!(lab.below().filter().multicast, [[1, 0, 0x5E, 0, 0, 1]]);
            lab.down();
        }
    }

    fn multicast_lists_are_joined_below_as_long_as_they_fit() {
        for when in [When::Inline, When::Later] {
            let lab = MuxLab::running();
            lab.policy(|policy| (policy.oid, policy.nic_oid) = (when, when));
            let group = |number: u8| [1, 0, 0x5E, 0, 0, number];
            let groups = |numbers: Vec<u8>| numbers.into_iter().map(group).collect::<Vec<_>>();
            let set = |name: &str, numbers: Vec<u8>| {
                assert_eq!(lab.above(name).set(OID_802_3_MULTICAST_LIST, &groups(numbers).concat()), 0);
            };
            for name in ["vlan10", "vlan20"] {
                assert_eq!(lab.above(name).set_packet_filter(MULTICAST), 0);
            }
            // (first, second, below)
            let cases = [
                (vec![], vec![], Some(vec![])),
                (vec![1, 2], vec![], Some(vec![1, 2])),
                (vec![1, 2], vec![2, 3], Some(vec![1, 2, 3])),
                (vec![], vec![2, 3], Some(vec![2, 3])),
                ((0..40).collect(), (24..64).collect(), Some((0..64).collect())),
                // The NIC's list has 64 places.
                ((0..40).collect(), (25..65).collect(), None),
                ((0..2).collect(), (25..65).collect(), Some((0..2).chain(25..65).collect())),
            ];
            for (first, second, below) in cases {
                set("vlan10", first);
                set("vlan20", second);
                let filter = lab.below().filter();
                match below {
                    Some(numbers) if numbers.is_empty() => assert_eq!(filter.packet_types, 0),
                    Some(numbers) => {
                        assert_eq!((filter.packet_types, filter.multicast), (MULTICAST, groups(numbers)));
                    }
                    None => assert_eq!(filter.packet_types, ALL_MULTICAST),
                }
            }
            lab.down();
        }
    }

    fn a_list_that_fails_below_lets_all_groups_in_and_loses_no_frame() {
        for when in [When::Inline, When::Later] {
            let lab = MuxLab::running();
            lab.policy(|policy| (policy.oid, policy.nic_oid) = (when, when));
            for name in ["vlan10", "vlan20"] {
                assert_eq!(lab.above(name).set_packet_filter(MULTICAST), 0);
                assert_eq!(lab.above(name).set(OID_802_3_MULTICAST_LIST, &[1, 0, 0x5E, 0, 0, 1]), 0);
            }
            let two = [1, 0, 0x5E, 0, 0, 1, 1, 0, 0x5E, 0, 0, 2];
            lab.fail_nth("NdisOidRequest", 1);
            assert_eq!(lab.above("vlan10").set(OID_802_3_MULTICAST_LIST, &two), 0);
            assert_eq!(lab.below().filter().packet_types, ALL_MULTICAST);
            let frame = Frame::new(MAC_PEER, [1, 0, 0x5E, 0, 0, 2], 1);
            lab.below().inject(&frame.clone().tagged(10).bytes());
            assert_eq!(lab.above("vlan10").recv(SOON).map(|it| it.frame), Some(frame.bytes()));
            // Another list is tried again.
            assert_eq!(lab.above("vlan20").set(OID_802_3_MULTICAST_LIST, &[1, 0, 0x5E, 0, 0, 3]), 0);
            assert_eq!(lab.below().filter().packet_types, MULTICAST);
            assert_eq!(lab.below().filter().multicast.len(), 3);
            lab.down();
        }
    }

    fn the_filter_below_is_cleared_when_the_last_client_leaves() {
        let lab = MuxLab::running();
        assert_eq!(lab.above("vlan10").set_packet_filter(BROADCAST), 0);
        assert_eq!(lab.above("vlan20").set_packet_filter(ALL_MULTICAST), 0);
        assert_eq!(lab.below().filter().packet_types, BROADCAST | ALL_MULTICAST);
        lab.remove_client("vlan10").expect("the client was there");
        assert_eq!(lab.below().filter().packet_types, ALL_MULTICAST);
        lab.remove_client("vlan20").expect("the client was there");
        assert_eq!(lab.below().filter().packet_types, 0);
        lab.down();
    }

    fn filters_set_at_once_end_in_what_all_need_and_each_set_completes_once() {
        let lab = MuxLab::new(&[NONE, VLAN10, VLAN20]);
        lab.up();
        let names = ["none", "vlan10", "vlan20"];
        for name in names {
            assert_eq!(lab.above(name).set_packet_filter(0), 0);
        }
        lab.below().hold_requests(true);
        thread::scope(|scope| {
            let wishes = [BROADCAST, ALL_MULTICAST, PROMISCUOUS];
            let sets: Vec<_> = names.into_iter().zip(wishes).map(|(name, wish)| {
                let client = lab.above(name);
                scope.spawn(move || client.set_packet_filter(wish))
            }).collect();
            until(|| lab.below().requests_outstanding() == 1);
            thread::sleep(NEVER);
            // The driver has one request of its own below at a time.
            assert_eq!(lab.below().requests_outstanding(), 1);
            assert!(sets.iter().all(|set| !set.is_finished()), "none is answered before the NIC is");
            lab.below().hold_requests(false);
            for set in sets {
                assert_eq!(set.join().expect("it completes"), 0);
            }
        });
        assert_eq!(lab.below().filter().packet_types, BROADCAST | ALL_MULTICAST | PROMISCUOUS);
        lab.down();
    }

    fn a_filter_that_the_nic_refuses_fails_nobody_elses() {
        let all = NicConfig::new(NIC, MAC_BELOW);
        let nic = NicConfig { packet_filters: all.packet_filters & !PROMISCUOUS, ..all };
        let lab = &MuxLab::with_nic(nic, &[VLAN10, VLAN20]);
        // Frames to another address than its own the NIC cannot let in.
        lab.set_values("vlan10", &[("NetworkAddress", Value::Sz("024E49430001".to_owned()))]);
        lab.start();
        lab.attach("vlan10");
        let client = lab.above("vlan10");
        assert_eq!(client.set_packet_filter(0), 0);
        assert_eq!(client.set_packet_filter(PROMISCUOUS), NDIS_STATUS_NOT_SUPPORTED, "it is not shown");
        lab.below().hold_requests(true);
        thread::scope(|scope| {
            let good = scope.spawn(|| client.set_packet_filter(BROADCAST));
            until(|| lab.below().requests_outstanding() == 1);
            let directed = NDIS_PACKET_TYPE_DIRECTED.to_le_bytes();
            let bad = scope.spawn(move || lab.set("vlan20", OID_GEN_CURRENT_PACKET_FILTER, &directed));
            thread::sleep(NEVER);
            lab.below().hold_requests(false);
            let bad = bad.join().expect("it completes").expect("it is there");
            assert_eq!(bad.status, NDIS_STATUS_NOT_SUPPORTED);
            assert_eq!(good.join().expect("it completes"), 0);
        });
        assert_eq!(lab.below().filter().packet_types, BROADCAST);
        lab.down();
    }

    fn filters_that_change_all_the_time_end_in_what_was_set_last() {
        for when in [When::Inline, When::Later] {
            let lab = MuxLab::new(&[NONE, VLAN10, VLAN20]);
            lab.policy(|policy| (policy.oid, policy.nic_oid) = (when, when));
            lab.up();
            for last in [[BROADCAST, 0, 0], [0, ALL_MULTICAST, BROADCAST], [PROMISCUOUS, 0, 0]] {
                thread::scope(|scope| {
                    for (name, last) in ["none", "vlan10", "vlan20"].into_iter().zip(last) {
                        let client = lab.above(name);
                        scope.spawn(move || {
                            for round in 0..30 {
                                let wish = [BROADCAST, DIRECTED, ALL_MULTICAST, 0][round % 4];
                                assert_eq!(client.set_packet_filter(wish), 0);
                            }
                            assert_eq!(client.set_packet_filter(last), 0);
                        });
                    }
                });
                let needed = last.into_iter().fold(0, |all, wish| all | wish);
                assert_eq!(lab.below().filter().packet_types, needed);
            }
            lab.down();
        }
    }

    fn a_set_that_fails_below_changes_nothing() {
        for when in [When::Inline, When::Later] {
            let lab = MuxLab::running();
            lab.policy(|policy| (policy.oid, policy.nic_oid) = (when, when));
            assert_eq!(lab.above("vlan20").set_packet_filter(0), 0);
            assert_eq!(lab.above("vlan10").set_packet_filter(BROADCAST), 0);
            lab.fail_nth("NdisOidRequest", 1);
            let status = lab.above("vlan10").set_packet_filter(BROADCAST | PROMISCUOUS);
            assert_eq!(status, NDIS_STATUS_FAILURE);
            assert_eq!(lab.below().filter().packet_types, BROADCAST);
            assert_eq!(wish(&lab, "vlan10"), BROADCAST, "what failed was not set");
            // It can be tried again, and the others are not disturbed.
            assert_eq!(lab.above("vlan20").set_packet_filter(ALL_MULTICAST), 0);
            assert_eq!(lab.below().filter().packet_types, BROADCAST | ALL_MULTICAST);
            assert_eq!(lab.above("vlan10").set_packet_filter(BROADCAST | PROMISCUOUS), 0);
            assert_eq!(lab.below().filter().packet_types & PROMISCUOUS, PROMISCUOUS);
            lab.down();
        }
    }

    fn a_set_without_memory_changes_nothing() {
        let lab = MuxLab::running();
        assert_eq!(lab.above("vlan20").set_packet_filter(0), 0);
        assert_eq!(lab.above("vlan10").set_packet_filter(BROADCAST), 0);
        let all = BROADCAST | PROMISCUOUS;
        let faults = faults_in(&["ExAllocatePool2"], || {
            assert_eq!(lab.above("vlan10").set_packet_filter(all), 0);
        });
        for fault in faults {
            assert_eq!(lab.above("vlan10").set_packet_filter(BROADCAST), 0);
            fault.arm();
            assert_ne!(lab.above("vlan10").set_packet_filter(all), 0, "{fault:?}");
            assert_eq!(lab.below().filter().packet_types, BROADCAST, "{fault:?}");
            assert_eq!(wish(&lab, "vlan10"), BROADCAST, "{fault:?}");
        }
        assert_eq!(lab.above("vlan10").set_packet_filter(all), 0);
        lab.assert_traffic("vlan10", 10);
        lab.down();
    }

    fn a_request_that_is_passed_on_gets_the_answer_of_the_adapter_below() {
        for when in [When::Inline, When::Later] {
            let lab = MuxLab::running();
            lab.policy(|policy| (policy.oid, policy.nic_oid) = (when, when));
            lab.below().hold_sends(true);
            let held = lab.above("vlan10").send(&frames(&lab, "vlan10", &[60; 3]));
            assert!(lab.below().wait_sends(SOON, 3));
            for name in ["vlan10", "vlan20"] {
                for room in 0..6 {
                    let answer = lab.query(name, OID_GEN_TRANSMIT_QUEUE_LENGTH, room);
                    let answer = answer.expect("the adapter is there");
                    if room < 4 {
                        let expected = (NDIS_STATUS_BUFFER_TOO_SHORT, 0, 4);
                        assert_eq!((answer.status, answer.done, answer.needed), expected);
                    } else {
                        assert_eq!((answer.status, answer.bytes()), (0, &[3, 0, 0, 0][..]));
                    }
                }
            }
            lab.below().hold_sends(false);
            must_succeed(&held);
            lab.down();
        }
    }

    fn whichever_call_of_passing_a_request_on_fails_it_completes_with_an_error() {
        let lab = MuxLab::running();
        let query = || lab.above("vlan10").query(OID_GEN_TRANSMIT_QUEUE_LENGTH, 4).0;
        let faults = faults_in(&["NdisAllocateCloneOidRequest", "NdisOidRequest"], || {
            assert_eq!(query(), 0);
        });
        for fault in faults {
            fault.arm();
            assert_ne!(query(), 0, "{fault:?}");
            assert_eq!(query(), 0);
        }
        lab.down();
    }

    fn a_request_that_pends_below_can_be_cancelled_and_no_other_is() {
        let lab = MuxLab::running();
        lab.below().hold_requests(true);
        thread::scope(|scope| {
            let first = scope.spawn(|| request_with_id(&lab, "vlan10", 7));
            until(|| lab.below().requests_outstanding() == 1);
            let second = scope.spawn(|| request_with_id(&lab, "vlan20", 7));
            thread::sleep(NEVER);
            lab.above("vlan10").cancel_requests(8);
            thread::sleep(NEVER);
            assert!(!first.is_finished() && !second.is_finished());
            // The second has the same number, by another client, and waits for the first.
            lab.above("vlan10").cancel_requests(7);
            assert_eq!(first.join().expect("it completes"), NDIS_STATUS_REQUEST_ABORTED);
            until(|| lab.below().requests_outstanding() == 1);
            assert!(!second.is_finished());
            lab.below().hold_requests(false);
            assert_eq!(second.join().expect("it completes"), 0);
        });
        // Too late, and without harm.
        lab.above("vlan10").cancel_requests(7);
        assert_eq!(request_with_id(&lab, "vlan10", 7), 0);
        lab.down();
    }

    fn a_halt_waits_for_what_is_below() {
        let lab = MuxLab::running();
        lab.below().hold_requests(true);
        thread::scope(|scope| {
            let query = scope.spawn(|| lab.above("vlan10").query(OID_GEN_TRANSMIT_QUEUE_LENGTH, 4));
            until(|| lab.below().requests_outstanding() == 1);
            let unplug = scope.spawn(|| lab.unplug_nic(NIC).expect("the NIC was plugged"));
            thread::sleep(NEVER);
            assert!(!unplug.is_finished() && !query.is_finished());
            lab.below().hold_requests(false);
            assert_eq!(query.join().expect("it is answered").0, 0);
            unplug.join().expect("the NIC comes out");
        });
        lab.finish();
    }

    fn a_virtual_miniport_that_comes_late_widens_the_filter_below() {
        let lab = MuxLab::new(&[VLAN10, VLAN20]);
        lab.policy(|policy| policy.im_initialize = ImInitialize::Held);
        lab.start();
        until(|| lab.release_initialize("vlan10"));
        lab.attach("vlan10");
        assert_eq!(lab.above("vlan10").set_packet_filter(BROADCAST), 0);
        assert_eq!(lab.below().filter().packet_types, BROADCAST);
        until(|| lab.release_initialize("vlan20"));
        lab.attach("vlan20");
        assert_ne!(lab.below().filter().packet_types & ALL_MULTICAST, 0);
        let frame = Frame::new(MAC_PEER, [0x33, 0x33, 0, 0, 0, 5], 1);
        lab.below().inject(&frame.clone().tagged(20).bytes());
        assert_eq!(lab.above("vlan20").recv(SOON).map(|it| it.frame), Some(frame.bytes()));
        lab.down();
    }
}

/// The filter that a virtual miniport says it has.
fn wish(lab: &Lab, name: &str) -> u32 {
    let answer = lab.query(name, OID_GEN_CURRENT_PACKET_FILTER, 4);
    let answer = answer.expect("the adapter is there");
    u32::from_le_bytes(answer.bytes().try_into().expect("32 bits"))
}

/// Asks for the length of the queue by a request with that id. The status.
pub(super) fn request_with_id(lab: &MuxLab, name: &str, id: usize) -> i32 {
    let mut length = [0_u8; 4];
    let mut request = NDIS_OID_REQUEST {
        Header: NDIS_OBJECT_HEADER::new(
            NDIS_OBJECT_TYPE_OID_REQUEST,
            NDIS_OID_REQUEST_REVISION_1,
            NDIS_SIZEOF_OID_REQUEST_REVISION_1,
        ),
        RequestType: NdisRequestQueryInformation,
        RequestId: ptr::without_provenance_mut(id),
        ..NDIS_OID_REQUEST::zeroed()
    };
    request.DATA.QUERY_INFORMATION = NDIS_OID_REQUEST_QUERY {
        Oid: OID_GEN_TRANSMIT_QUEUE_LENGTH,
        InformationBuffer: length.as_mut_ptr().cast(),
        InformationBufferLength: 4,
        BytesWritten: 0,
        BytesNeeded: 0,
    };
    lab.above(name).request(&mut request)
}

const DIRECTED: u32 = NDIS_PACKET_TYPE_DIRECTED;
const MULTICAST: u32 = NDIS_PACKET_TYPE_MULTICAST;
const ALL_MULTICAST: u32 = NDIS_PACKET_TYPE_ALL_MULTICAST;
const BROADCAST: u32 = NDIS_PACKET_TYPE_BROADCAST;
const PROMISCUOUS: u32 = NDIS_PACKET_TYPE_PROMISCUOUS;
