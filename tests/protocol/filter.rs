//! Packet filters and multicast lists: what a virtual miniport indicates for them. The host filters once
//! more for each client above, so what the driver indicates is counted.

use ndis_host::{ndis::policy::When, nic::NicConfig};
use ndis_sys::{
    NDIS_PACKET_TYPE_ALL_MULTICAST, NDIS_PACKET_TYPE_BROADCAST, NDIS_PACKET_TYPE_DIRECTED,
    NDIS_PACKET_TYPE_MULTICAST, NDIS_PACKET_TYPE_PROMISCUOUS, OID_802_3_MULTICAST_LIST,
};
use ndismux_tests::{
    Frame, MAC_BELOW, MAC_PEER, MuxLab, NIC, NONE, SOON, VLAN10, VLAN20, VirtualMiniport,
    image_tests, until,
};

image_tests! {
    fn each_filter_lets_in_its_own_kind_of_frames_and_no_other() {
        let lab = MuxLab::new(&[NONE, VLAN10]);
        lab.up();
        // The other one keeps the NIC open for everything.
        assert_eq!(lab.above("none").set_packet_filter(NDIS_PACKET_TYPE_PROMISCUOUS), 0);
        let own = lab.address("vlan10");
        let list = [GROUPS[0], GROUPS[1]].concat();
        assert_eq!(lab.above("vlan10").set(OID_802_3_MULTICAST_LIST, &list), 0);
        let [directed, multicast, all_multicast, broadcast, promiscuous] = KINDS;
        // (filter; own address, another, a group in the list, one that is not, everybody)
        let cases = [
            (0, [false, false, false, false, false]),
            (directed, [true, false, false, false, false]),
            (multicast, [false, false, true, false, false]),
            (all_multicast, [false, false, true, true, false]),
            (broadcast, [false, false, false, false, true]),
            (promiscuous, [true; 5]),
            (directed | multicast, [true, false, true, false, false]),
            (directed | broadcast, [true, false, false, false, true]),
            (multicast | all_multicast, [false, false, true, true, false]),
            (directed | all_multicast | broadcast, [true, false, true, true, true]),
        ];
        for (filter, expected) in cases {
            assert_eq!(lab.above("vlan10").set_packet_filter(filter), 0, "{filter:#x}");
            let destinations = [own, [2, 0, 0, 0, 0, 9], GROUPS[1], GROUPS[2], [0xFF; 6]];
            for (destination, expected) in destinations.into_iter().zip(expected) {
                let indicated = indicated_for(&lab, destination);
                assert_eq!(indicated, expected, "{filter:#x} {destination:x?}");
            }
        }
        lab.down();
    }

    fn a_multicast_list_is_replaced_as_a_whole() {
        let lab = MuxLab::new(&[NONE, VLAN10]);
        lab.up();
        assert_eq!(lab.above("none").set_packet_filter(NDIS_PACKET_TYPE_PROMISCUOUS), 0);
        assert_eq!(lab.above("vlan10").set_packet_filter(NDIS_PACKET_TYPE_MULTICAST), 0);
        for list in [&GROUPS[..], &GROUPS[1..2], &[], &GROUPS[..1]] {
            assert_eq!(lab.above("vlan10").set(OID_802_3_MULTICAST_LIST, &list.concat()), 0);
            for group in GROUPS {
                assert_eq!(indicated_for(&lab, group), list.contains(&group), "{group:x?}");
            }
        }
        lab.down();
    }

    fn a_group_that_one_joins_comes_in_for_it_and_for_nobody_else() {
        let lab = MuxLab::running();
        for (name, group) in [("vlan10", GROUPS[0]), ("vlan20", GROUPS[1])] {
            assert_eq!(lab.above(name).set_packet_filter(NDIS_PACKET_TYPE_MULTICAST), 0);
            assert_eq!(lab.above(name).set(OID_802_3_MULTICAST_LIST, &group), 0);
        }
        // Only what the NIC has in its list is let in.
        assert_eq!(lab.below().filter().packet_types, NDIS_PACKET_TYPE_MULTICAST);
        let before = lab.below().statistics();
        for group in GROUPS {
            for vlan in [10, 20] {
                lab.below().inject(&Frame::new(MAC_PEER, group, vlan as u8).tagged(vlan).bytes());
            }
        }
        until(|| lab.below().statistics().discarded == before.discarded + 2);
        for (name, vlan, group) in [("vlan10", 10, GROUPS[0]), ("vlan20", 20, GROUPS[1])] {
            let wanted = Frame::new(MAC_PEER, group, vlan as u8);
            let last = Frame::new(MAC_PEER, group, 99);
            lab.below().inject(&last.clone().tagged(vlan).bytes());
            for frame in [wanted, last] {
                let received = lab.above(name).recv(SOON).expect("the NIC lets it in");
                assert_eq!(received.frame, frame.bytes(), "{name}");
            }
        }
        lab.down();
    }

    fn a_nic_with_receive_filters_need_not_be_promiscuous() {
        for when in [When::Inline, When::Later] {
            let lab = with_receive_filters(2, &[NONE, VLAN10, VLAN20]);
            lab.policy(|policy| (policy.oid, policy.nic_oid) = (when, when));
            lab.up();
            let [directed, _, _, _, promiscuous] = KINDS;
            for name in ["none", "vlan10", "vlan20"] {
                assert_eq!(lab.above(name).set_packet_filter(0), 0);
            }
            let below = || {
                let filter = lab.below().filter();
                let mut vlans: Vec<u16> = filter.receive.iter().map(|filter| filter.vlan).collect();
                vlans.sort_unstable();
                (filter.packet_types, vlans)
            };
            // (filters of the three; below: packet filter and VLANs with a receive filter)
            let cases = [
                ([0, directed, 0], directed, vec![10]),
                ([directed, directed, 0], directed, vec![0, 10]),
                ([0, directed, directed], directed, vec![10, 20]),
                // One filter too few.
                ([directed, directed, directed], promiscuous, vec![]),
                ([directed, 0, directed], directed, vec![0, 20]),
                // A client asks for it.
                ([directed, 0, promiscuous], directed | promiscuous, vec![0]),
                ([0, 0, 0], 0, vec![]),
            ];
            for (filters, packet_types, vlans) in cases {
                for (name, filter) in ["none", "vlan10", "vlan20"].into_iter().zip(filters) {
                    assert_eq!(lab.above(name).set_packet_filter(filter), 0);
                }
                assert_eq!(below(), (packet_types, vlans), "{filters:?}");
                if filters[1] == directed {
                    lab.assert_traffic("vlan10", 10);
                }
                if filters[0] == directed {
                    lab.assert_traffic("none", 0);
                }
            }
            // What is not for them is not even indicated by the NIC.
            assert_eq!(lab.above("vlan10").set_packet_filter(directed), 0);
            let before = lab.below().statistics();
            let own = lab.address("vlan10");
            for (destination, vlan) in [([2, 0, 0, 0, 0, 9], 10), (own, 20), (own, 11)] {
                lab.below().inject(&Frame::new(MAC_PEER, destination, 1).tagged(vlan).bytes());
            }
            lab.below().inject(&Frame::new(MAC_PEER, own, 1).bytes());
            until(|| lab.below().statistics().discarded == before.discarded + 4);
            assert_eq!(lab.below().statistics().received_frames, before.received_frames);
            lab.down();
        }
    }

    fn a_receive_filter_that_fails_below_makes_the_nic_promiscuous_and_loses_no_frame() {
        for when in [When::Inline, When::Later] {
            let lab = with_receive_filters(8, &[VLAN10, VLAN20]);
            lab.policy(|policy| (policy.oid, policy.nic_oid) = (when, when));
            lab.up();
            let [directed, _, _, _, promiscuous] = KINDS;
            assert_eq!(lab.above("vlan20").set_packet_filter(0), 0);
            assert_eq!(lab.above("vlan10").set_packet_filter(0), 0);
            lab.fail_nth("NdisOidRequest", 1);
            assert_eq!(lab.above("vlan10").set_packet_filter(directed), 0);
            assert_eq!(lab.below().filter().packet_types, promiscuous);
            lab.assert_traffic("vlan10", 10);
            // Other addresses are tried again.
            assert_eq!(lab.above("vlan20").set_packet_filter(directed), 0);
            assert_eq!(lab.below().filter().packet_types, directed);
            assert_eq!(lab.below().filter().receive.len(), 2);
            lab.assert_traffic("vlan10", 10);
            lab.assert_traffic("vlan20", 20);
            lab.down();
        }
    }

    fn without_any_filter_nothing_is_indicated_and_nothing_leaks() {
        let lab = MuxLab::running();
        for name in ["vlan10", "vlan20"] {
            assert_eq!(lab.above(name).set_packet_filter(0), 0);
        }
        until(|| lab.below().filter().packet_types == 0);
        let before = lab.counters();
        for seed in 0..50 {
            lab.below().inject(&Frame::new(MAC_PEER, lab.address("vlan10"), seed).tagged(10).bytes());
            lab.below().inject(&Frame::new(MAC_PEER, [0xFF; 6], seed).tagged(20).bytes());
        }
        until(|| lab.below().statistics().discarded >= 100);
        assert_eq!(lab.counters().indicated, before.indicated);
        assert_eq!(lab.counters().nic_indicated, before.nic_indicated, "the NIC lets nothing in");
        lab.down();
    }
}

/// A lab over a NIC with that many receive filters.
fn with_receive_filters(number: u32, miniports: &[VirtualMiniport]) -> MuxLab {
    let mut nic = NicConfig::new(NIC, MAC_BELOW);
    nic.receive_filters = number;
    MuxLab::with_nic(nic, miniports)
}

/// Whether the virtual miniport of VLAN 10 indicates a frame for `destination`. The one without a VLAN
/// takes everything, in order: what it gets next tells that the frame went through.
fn indicated_for(lab: &MuxLab, destination: [u8; 6]) -> bool {
    let before = lab.counters().indicated;
    lab.below()
        .inject(&Frame::new(MAC_PEER, destination, 1).tagged(10).bytes());
    let last = Frame::new(MAC_PEER, lab.address("none"), 2).bytes();
    lab.below().inject(&last);
    let received = lab.above("none").recv(SOON).expect("it arrives");
    assert_eq!(received.frame, last);
    let seen = lab.above("vlan10").recv(std::time::Duration::ZERO);
    let indicated = lab.counters().indicated - before;
    assert!(indicated <= 2);
    assert_eq!(indicated == 2, seen.is_some(), "{destination:x?}");
    indicated == 2
}

const KINDS: [u32; 5] = [
    NDIS_PACKET_TYPE_DIRECTED,
    NDIS_PACKET_TYPE_MULTICAST,
    NDIS_PACKET_TYPE_ALL_MULTICAST,
    NDIS_PACKET_TYPE_BROADCAST,
    NDIS_PACKET_TYPE_PROMISCUOUS,
];

const GROUPS: [[u8; 6]; 3] = [
    [0x01, 0x00, 0x5E, 0, 0, 1],
    [0x33, 0x33, 0, 0, 0, 1],
    [0x33, 0x33, 0, 0, 0, 2],
];
