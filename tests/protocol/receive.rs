//! `ProtocolReceiveNetBufferLists`: which virtual miniport gets which frame, and in what form. That
//! received frames are never written to, and go back once, is a rule of the host's.

use ndis_host::{
    ndis::policy::{Resources, When},
    nic::{NicConfig, Shape},
};
use ndis_sys::{
    NDIS_PACKET_TYPE_DIRECTED, NDIS_PACKET_TYPE_PROMISCUOUS, NetBufferListFrameType,
    NetBufferListHashInfo, NetBufferListHashValue, OID_GEN_RCV_DISCARDS, RscTcpTimestampDelta,
    TcpIpChecksumNetBufferListInfo, TcpRecvSegCoalesceInfo,
};
use ndismux_tests::{
    Frame, MAC_BELOW, MAC_PEER, MuxLab, NEVER, NIC, NONE, SOON, VLAN10, VLAN20, VirtualMiniport,
    faults_in, image_tests, must_succeed, tag, until,
};

image_tests! {
    fn d10_d11_each_frame_goes_to_its_vlan_alone() {
        for out_of_band_tags in [false, true] {
            let nic = NicConfig { out_of_band_tags, ..NicConfig::new(NIC, MAC_BELOW) };
            let lab = MuxLab::with_nic(nic, &[NONE, VLAN10, VLAN20]);
            lab.up();
            for name in ["none", "vlan10", "vlan20"] {
                assert_eq!(lab.above(name).set_packet_filter(NDIS_PACKET_TYPE_PROMISCUOUS), 0);
            }
            for resources in [Resources::Never, Resources::Always] {
                lab.policy(|policy| policy.receive_resources = resources);
                for (number, case) in cases().into_iter().enumerate() {
                    lab.below().inject(&case.frame);
                    let who = case.receiver.as_ref().map(|(name, ..)| *name);
                    if let Some((name, bytes, tag)) = case.receiver {
                        let received = lab.above(name).recv(SOON).expect("it arrives above");
                        assert_eq!(received.frame, bytes, "{number}");
                        assert_eq!(received.tag, tag, "{number}");
                    }
                    assert_nothing_more(&lab, &format!("{number} for {who:?}"));
                }
            }
            lab.down();
        }
    }

    fn d11_a_frame_for_another_station_is_not_indicated() {
        let lab = MuxLab::new(&[NONE, VLAN10, VLAN20]);
        lab.up();
        let own = lab.address("vlan10");
        // Such addresses are let in below, because each virtual miniport has one of its own.
        assert_ne!(lab.below().filter().packet_types & NDIS_PACKET_TYPE_PROMISCUOUS, 0);
        let before = lab.counters().indicated;
        let stranger = [0x02, 0, 0, 0, 0, 0x99];
        for destination in [stranger, MAC_BELOW, lab.address("vlan20"), lab.address("none")] {
            lab.below().inject(&Frame::new(MAC_PEER, destination, 1).tagged(10).bytes());
        }
        lab.below().inject(&Frame::new(MAC_PEER, own, 2).bytes());
        lab.below().inject(&Frame::new(MAC_PEER, own, 3).tagged(20).bytes());
        assert_nothing_more(&lab, "it is for another station");
        assert_eq!(lab.counters().indicated, before + 3, "only what was looked for was indicated");
        lab.down();
    }

    fn d23_whoever_shares_the_frame_sees_it_as_it_came() {
        for return_when in [When::Inline, When::Later] {
            let lab = MuxLab::running();
            lab.policy(|policy| policy.client_return = return_when);
            let sniffer = lab.add_client("sniffer", NIC).expect("a device");
            assert_eq!(sniffer.set_packet_filter(NDIS_PACKET_TYPE_PROMISCUOUS), 0);
            lab.above("vlan10").hold_receives(true);
            for (number, tci) in [10, 3 << 13 | 10, 20, 0].into_iter().enumerate() {
                let own = lab.address(if tci == 20 { "vlan20" } else { "vlan10" });
                let frame = Frame::new(MAC_PEER, own, number as u8).tagged(tci).bytes();
                lab.below().inject(&frame);
                assert_eq!(sniffer.recv(SOON).map(|received| received.frame), Some(frame));
            }
            assert!(lab.above("vlan10").recv(SOON).is_some());
            lab.above("vlan10").return_held();
            until(|| lab.below().receives_outstanding() == 0);
            lab.remove_client("sniffer").expect("the client was there");
            lab.down();
        }
    }

    fn frames_in_every_layout_arrive_whole() {
        for out_of_band_tags in [false, true] {
            let nic = NicConfig {
                shapes: layouts(),
                out_of_band_tags,
                mtu: 9000,
                ..NicConfig::new(NIC, MAC_BELOW)
            };
            let number = nic.shapes.len();
            let lab = MuxLab::with_nic(nic, &[NONE, VLAN10]);
            lab.up();
            for resources in [Resources::Never, Resources::Always, Resources::Alternate] {
                lab.policy(|policy| policy.receive_resources = resources);
                // Lengths around what is copied: headers and look-ahead.
                for length in [0, 1, 2, 46, 255, 256, 257, 258, 1496, 8996] {
                    for (name, vlan) in [("vlan10", Some(10)), ("none", None)] {
                        let own = lab.address(name);
                        let frames: Vec<Frame> = (0..number)
                            .map(|seed| Frame::new(MAC_PEER, own, seed as u8).of_length(length))
                            .collect();
                        for frame in frames.iter().cloned() {
                            let frame = vlan.map_or(frame.clone(), |vlan| frame.tagged(vlan));
                            lab.below().inject(&frame.bytes());
                        }
                        for frame in &frames {
                            let received = lab.above(name).recv(SOON).expect("it arrives");
                            assert_eq!(received.frame, frame.bytes(), "{length}");
                            match resources {
                                Resources::Never => assert!(!received.resources),
                                Resources::Always => assert!(received.resources),
                                Resources::Alternate => {}
                            }
                        }
                    }
                }
            }
            lab.down();
        }
    }

    fn what_the_nic_says_beside_a_frame_reaches_whoever_gets_it() {
        let beside = vec![
            // TcpChecksumSucceeded and IpChecksumSucceeded, and that the IP header's is not valid any more.
            (TcpIpChecksumNetBufferListInfo, 0x128),
            // Three segments, one duplicate acknowledgement; and the time between the first and last.
            (TcpRecvSegCoalesceInfo, 0x0001_0003),
            (RscTcpTimestampDelta, 17),
        ];
        let hash = [(NetBufferListHashValue, 0x1234_5678), (NetBufferListHashInfo, 0x0201)];
        for out_of_band_tags in [false, true] {
            let nic = NicConfig {
                out_of_band_tags,
                receive_info: [&beside[..], &hash].concat(),
                ..NicConfig::new(NIC, MAC_BELOW)
            };
            let lab = MuxLab::with_nic(nic, &[NONE, VLAN10]);
            lab.up();
            for resources in [Resources::Never, Resources::Always] {
                lab.policy(|policy| policy.receive_resources = resources);
                for (name, tci) in [("none", None), ("vlan10", Some(10))] {
                    // Longer than a frame of the MTU: segments that were put together.
                    let frame = Frame::new(MAC_PEER, lab.address(name), 1).of_length(4000);
                    let wire = tci.map_or(frame.clone(), |tci| frame.clone().tagged(tci));
                    lab.below().inject(&wire.bytes());
                    let received = lab.above(name).recv(SOON).expect("it arrives above");
                    assert_eq!(received.frame, frame.bytes(), "{name}");
                    for &(slot, value) in &beside {
                        assert_eq!(received.info[slot], value, "{name}: slot {slot}");
                    }
                    // Nobody asked for that hash.
                    for slot in [NetBufferListHashValue, NetBufferListHashInfo] {
                        assert_eq!(received.info[slot], 0, "{name}: slot {slot}");
                    }
                }
            }
            lab.down();
        }
    }

    fn a_frame_is_of_the_type_behind_the_tag() {
        // In network byte order, as it stands in the frame.
        let (tagged, inner) = (0x0081, 0xB588);
        for out_of_band_tags in [false, true] {
            let nic = NicConfig {
                out_of_band_tags,
                // A NIC that takes the tag out looks behind it; one that does not may say the tag's.
                receive_info: vec![(NetBufferListFrameType, if out_of_band_tags { inner } else { tagged })],
                ..NicConfig::new(NIC, MAC_BELOW)
            };
            let lab = MuxLab::with_nic(nic, &[VLAN10]);
            lab.up();
            let frame = Frame::new(MAC_PEER, lab.address("vlan10"), 1);
            lab.below().inject(&frame.tagged(10).bytes());
            let received = lab.above("vlan10").recv(SOON).expect("it arrives above");
            assert_eq!(received.info[NetBufferListFrameType], inner);
            lab.down();
        }
    }

    fn frames_of_one_chain_can_be_kept_by_each_as_long_as_it_likes() {
        let names = ["vlan10", "vlan20", "none"];
        let lab = MuxLab::new(&[VLAN10, VLAN20, NONE]);
        lab.up();
        for (order, through) in [([0, 1, 2], 5), ([2, 1, 0], 1), ([1, 2, 0], 64)] {
            names.iter().for_each(|name| lab.above(name).hold_receives(true));
            let broadcasts: Vec<_> =
                (0..through).map(|seed| Frame::new(MAC_PEER, [0xff; 6], seed)).collect();
            for frame in &broadcasts {
                for on_the_wire in [frame.clone().tagged(10), frame.clone().tagged(20), frame.clone()] {
                    lab.below().inject(&on_the_wire.bytes());
                }
            }
            for name in names {
                for frame in &broadcasts {
                    let received = lab.above(name).recv(SOON).expect("it arrives");
                    assert_eq!(received.frame, frame.bytes());
                    assert!(!received.resources, "each may keep it");
                }
                until(|| lab.above(name).receives_held() == usize::from(through));
            }
            for (returned, index) in order.into_iter().enumerate() {
                let others = (names.len() - returned) * usize::from(through);
                assert_eq!(lab.below().receives_outstanding(), others, "{returned}");
                lab.above(names[index]).return_held();
            }
            assert_eq!(lab.below().receives_outstanding(), 0);
            names.iter().for_each(|name| lab.above(name).hold_receives(false));
        }
        lab.down();
    }

    fn one_chain_for_twelve_virtual_miniports_reaches_each_in_order() {
        for resources in [Resources::Never, Resources::Always] {
            let lab = MuxLab::new(&TWELVE);
            lab.policy(|policy| policy.receive_resources = resources);
            lab.up();
            let mut mixed = false;
            for _round in 0..200 {
                let calls = || lab.trace().calls("NdisMIndicateReceiveNetBufferLists");
                let by_nic = || calls().iter().filter(|call| call.built_in).count();
                let before = by_nic();
                for seed in 0..20 {
                    for miniport in &TWELVE {
                        let own = lab.address(miniport.name);
                        let vlan = miniport.vlan.parse().expect("a number");
                        lab.below().inject(&Frame::new(MAC_PEER, own, seed).tagged(vlan).bytes());
                    }
                }
                for miniport in &TWELVE {
                    let own = lab.address(miniport.name);
                    for seed in 0..20 {
                        let received = lab.above(miniport.name).recv(SOON).expect("it arrives");
                        assert_eq!(received.frame, Frame::new(MAC_PEER, own, seed).bytes());
                    }
                }
                // Chains of 24 and more hold frames for all twelve.
                mixed = by_nic() - before <= 240 / 24;
                if mixed {
                    break;
                }
                lab.trace().clear();
            }
            assert!(mixed, "no chain had frames for all");
            lab.down();
        }
    }

    fn whichever_allocation_fails_its_frame_is_lost_for_one_and_counted() {
        let lab = MuxLab::new(&[VLAN10, NONE]);
        lab.up();
        let cases = [
            ("NdisAllocateFragmentNetBufferList", Some(10), "vlan10"),
            ("NdisAllocateCloneNetBufferList", None, "none"),
        ];
        for (function, vlan, receiver) in cases {
            let broadcast = |seed| {
                let frame = Frame::new(MAC_PEER, [0xff; 6], seed);
                lab.below().inject(&vlan.map_or(frame.clone(), |vlan| frame.tagged(vlan)).bytes());
            };
            let arrived = |seed| {
                let received = lab.above(receiver).recv(NEVER)?;
                assert_eq!(received.frame, Frame::new(MAC_PEER, [0xff; 6], seed).bytes());
                Some(())
            };
            let faults = faults_in(&[function], || {
                broadcast(1);
                assert_eq!(arrived(1), Some(()));
            });
            let discards = || {
                let (status, count) = lab.above(receiver).query(OID_GEN_RCV_DISCARDS, 8);
                assert_eq!(status, 0);
                u64::from_le_bytes(count.try_into().expect("64 bits"))
            };
            let mut lost = 0;
            for fault in faults.into_iter().filter(|fault| fault.function == function) {
                let before = discards();
                fault.arm();
                broadcast(2);
                let arrived = arrived(2);
                let after = discards();
                let counted = after - before;
                assert_eq!(counted, u64::from(arrived.is_none()), "{fault:?}");
                lost += counted;
                until(|| lab.below().receives_outstanding() == 0);
            }
            assert_eq!(lost, 1, "{function}: each failed call is a frame lost for one");
            broadcast(3);
            assert_eq!(arrived(3), Some(()));
        }
        lab.down();
    }

    fn frames_as_long_as_a_jumbo_mtu_says_arrive_and_leave() {
        let nic = NicConfig { mtu: 9000, ..NicConfig::new(NIC, MAC_BELOW) };
        let lab = MuxLab::with_nic(nic, &[NONE, VLAN10]);
        lab.up();
        for (name, vlan) in [("none", None), ("vlan10", Some(10))] {
            let own = lab.address(name);
            let mtu = lab.above(name).attributes().expect("the client is bound").mtu as usize;
            let wire = |frame: Frame| vlan.map_or(frame.clone(), |vlan| frame.tagged(vlan)).bytes();
            let up = Frame::new(MAC_PEER, own, 1).of_length(mtu);
            lab.below().inject(&wire(up.clone()));
            assert_eq!(lab.above(name).recv(SOON).map(|it| it.frame), Some(up.bytes()));
            let down = Frame::new(own, MAC_PEER, 2).of_length(mtu);
            must_succeed(&lab.above(name).send(&[down.bytes()]));
            assert_eq!(lab.below().take_sent(SOON), Some(wire(down)));
        }
        lab.down();
    }

    fn a_second_client_above_gets_its_frames_whether_the_first_keeps_them_or_not() {
        let lab = MuxLab::running();
        let second = lab.add_client("second", "vlan10").expect("a device");
        let own = lab.address("vlan10");
        for hold in [true, false] {
            lab.above("vlan10").hold_receives(hold);
            second.hold_receives(!hold);
            for seed in 0..20 {
                let frame = Frame::new(MAC_PEER, own, seed);
                lab.below().inject(&frame.clone().tagged(10).bytes());
                for client in [lab.above("vlan10"), second] {
                    assert_eq!(client.recv(SOON).map(|it| it.frame), Some(frame.bytes()));
                }
            }
            for client in [second, lab.above("vlan10")] {
                client.hold_receives(false);
                client.return_held();
            }
            until(|| lab.below().receives_outstanding() == 0);
        }
        assert_eq!(second.set_packet_filter(NDIS_PACKET_TYPE_DIRECTED), 0);
        lab.assert_traffic("vlan10", 10);
        lab.remove_client("second").expect("the client was there");
        lab.down();
    }
}

/// A frame, and who gets it in what form.
struct Case {
    frame: Vec<u8>,
    receiver: Option<(&'static str, Vec<u8>, usize)>,
}

fn cases() -> Vec<Case> {
    let frame = || Frame::new(MAC_PEER, [0xff; 6], 9);
    let plain = frame().bytes();
    let with = |tags: &[(u16, u16)]| {
        let mut bytes = plain[..12].to_vec();
        for (ethertype, tci) in tags {
            bytes.extend(ethertype.to_be_bytes());
            bytes.extend(tci.to_be_bytes());
        }
        bytes.extend(&plain[12..]);
        bytes
    };
    let one = |tci| with(&[(0x8100, tci)]);
    let to = |name, tag| Some((name, plain.clone(), tag));
    let mut cases = vec![
        (plain.clone(), to("none", 0)),
        // D10: priority 0 and no VLAN is a tag too.
        (one(0), to("none", 0)),
        (one(5 << 13), to("none", tag(5, 0, 0))),
        (one(1 << 12), to("none", tag(0, 1, 0))),
        (one(10), to("vlan10", 0)),
        (one(3 << 13 | 1 << 12 | 10), to("vlan10", tag(3, 1, 0))),
        (one(7 << 13 | 20), to("vlan20", tag(7, 0, 0))),
        (one(1), None),
        (one(30), None),
        (one(4094), None),
        // Reserved.
        (one(4095), None),
        (one(7 << 13 | 4095), None),
        // The inner tag is payload.
        (
            with(&[(0x8100, 10), (0x8100, 20)]),
            Some(("vlan10", one(20), 0)),
        ),
        // A service tag is none of ours: the whole frame is untagged.
        (
            with(&[(0x88A8, 10), (0x8100, 20)]),
            Some(("none", with(&[(0x88A8, 10), (0x8100, 20)]), 0)),
        ),
    ];
    // Runts: of an untagged frame, and of a tagged one.
    for length in [0, 1, 6, 11, 12, 13] {
        cases.push((plain[..length].to_vec(), None));
    }
    for length in 14..18 {
        cases.push((one(10)[..length].to_vec(), None));
        cases.push((one(0)[..length].to_vec(), None));
    }
    // As short as can be.
    cases.push((
        plain[..14].to_vec(),
        Some(("none", plain[..14].to_vec(), 0)),
    ));
    cases.push((
        one(10)[..18].to_vec(),
        Some(("vlan10", plain[..14].to_vec(), 0)),
    ));
    cases
        .into_iter()
        .map(|(frame, receiver)| Case { frame, receiver })
        .collect()
}

/// Nobody has received anything that was not looked at: frames arrive in order, so what each gets next is
/// a frame that is sent now.
fn assert_nothing_more(lab: &MuxLab, what: &str) {
    for (name, tci) in [("none", None), ("vlan10", Some(10)), ("vlan20", Some(20))] {
        let last = Frame::new(MAC_PEER, lab.address(name), 0xEE);
        let wire = tci.map_or(last.clone(), |tci| last.clone().tagged(tci));
        lab.below().inject(&wire.bytes());
        let received = lab.above(name).recv(SOON).expect("it arrives above");
        assert_eq!(received.frame, last.bytes(), "{name} gets one more: {what}");
    }
}

/// Every cut in and around the header and the tag, with and without odd bytes before it.
fn layouts() -> Vec<Shape> {
    const CUTS: [&[u32]; 9] = [
        &[2],
        &[3],
        &[4],
        &[5],
        &[11],
        &[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
        &[14, 1, 256],
        &[18, 255],
        &[18, 256, 1],
    ];
    let more = CUTS.iter().flat_map(|&pieces| {
        let heads = [0, 1, 2, 3, 64];
        heads.map(|head| Shape { head, pieces })
    });
    Shape::awkward().into_iter().chain(more).collect()
}

const TWELVE: [VirtualMiniport; 12] = {
    const fn of(name: &'static str, vlan: &'static str) -> VirtualMiniport {
        VirtualMiniport { name, vlan }
    }
    [
        of("a", "101"),
        of("b", "102"),
        of("c", "103"),
        of("d", "104"),
        of("e", "105"),
        of("f", "106"),
        of("g", "107"),
        of("h", "108"),
        of("i", "109"),
        of("j", "110"),
        of("k", "111"),
        of("l", "112"),
    ]
};
