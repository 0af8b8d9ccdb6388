//! `MiniportSendNetBufferLists` and `MiniportCancelSend`: what goes down, and how it comes back. That
//! each NBL comes back as it was, byte for byte, is a rule of the host's.

use std::time::Duration;

use ndis_host::{
    client::SendShape,
    faults,
    ndis::policy::{Policy, When},
    nic::{NicConfig, Shape},
};
use ndis_sys::{
    NDIS_NBL_FLAGS_SEND_READ_ONLY, NDIS_STATUS_SEND_ABORTED, OID_GEN_MAXIMUM_FRAME_SIZE,
    OID_GEN_MAXIMUM_TOTAL_SIZE,
};
use ndismux_tests::{
    Frame, MAC_BELOW, MAC_PEER, MuxLab, NIC, NONE, SOON, VLAN10, VLAN20, faults_in, frames,
    image_tests, must_succeed, tag,
};

image_tests! {
    fn d07_frames_in_every_layout_go_down_with_their_tag() {
        let lab = MuxLab::running();
        for policy in [Policy::STRICT, Policy::INLINE] {
            lab.policy(|current| current.send_completion = policy.send_completion);
            for shape in layouts() {
                for number in [1, 2, 7] {
                    for frames_per_nbl in [1, 3] {
                        let shape = SendShape { frames_per_nbl, ..shape.clone() };
                        assert_sent(&lab, "vlan10", 10, &lengths(number), &shape);
                    }
                }
            }
        }
        lab.down();
    }

    fn d06_the_tag_comes_out_again_when_nothing_can_be_mapped() {
        let lab = MuxLab::running();
        for shape in layouts() {
            let shape = SendShape { unmapped: true, frames_per_nbl: 3, ..shape };
            let frames = frames(&lab, "vlan10", &[60; 12]);
            lab.below().hold_sends(true);
            let ticket = lab.above("vlan10").send_shaped(&frames, &shape);
            assert!(lab.below().wait_sends(SOON, 4));
            // That the client gets its frames back as they were is a rule of the host's.
            faults::clear();
            (1..=64).for_each(|nth| faults::fail_nth(MAP, nth));
            lab.below().hold_sends(false);
            must_succeed(&ticket);
            faults::clear();
            for frame in &frames {
                assert_eq!(lab.below().take_sent(SOON), Some(tagged(frame, 10)), "{shape:?}");
            }
        }
        lab.down();
    }

    fn d06_an_nbl_that_cannot_be_mapped_is_refused_as_it_was_and_the_others_go_down() {
        let lab = MuxLab::running();
        for pieces in [&[][..], &[7], &[1, 1, 13]] {
            let shape = SendShape { unmapped: true, ..shape(32, pieces) };
            assert_one_nbl_fails_with(MAP, &lab, &shape);
        }
        lab.assert_traffic("vlan10", 10);
        lab.down();
    }

    fn chains_of_64_go_down_whole_and_in_order() {
        let lab = MuxLab::new(&[NONE, VLAN10]);
        lab.up();
        for shape in [SendShape::PLAIN, shape(0, &[1]), shape(3, &[12]), shape(4, &[6, 6, 2])] {
            for frames_per_nbl in [1, 2, 64] {
                let shape = SendShape { frames_per_nbl, ..shape.clone() };
                assert_sent(&lab, "vlan10", 10, &lengths(64), &shape);
                assert_sent(&lab, "none", 0, &lengths(64), &shape);
            }
        }
        lab.down();
    }

    fn what_may_not_be_written_to_goes_down_by_a_carrier() {
        let lab = MuxLab::new(&[NONE, VLAN10]);
        lab.up();
        // Each frame has at least one byte behind the addresses, which a carrier needs.
        let long = [60, 14, 1000];
        let send = || for shape in layouts() {
            for frames_per_nbl in [1, 2] {
                let nbl_flags = NDIS_NBL_FLAGS_SEND_READ_ONLY;
                let shape = SendShape { frames_per_nbl, nbl_flags, ..shape.clone() };
                assert_sent(&lab, "vlan10", 10, &long, &shape);
                assert_sent(&lab, "none", 0, &long, &shape);
            }
        };
        faults_in(&["NdisAllocateFragmentNetBufferList"], send);
        lab.down();
    }

    fn the_tag_has_the_priority_and_the_drop_mark_that_the_client_asks_for() {
        let lab = MuxLab::running();
        for read_only in [0, NDIS_NBL_FLAGS_SEND_READ_ONLY] {
            for priority in 0..8 {
                for drop_eligible in [0, 1] {
                    for vlan in [0, 10] {
                        let shape = SendShape {
                            tag: tag(priority, drop_eligible, vlan),
                            nbl_flags: read_only,
                            ..SendShape::PLAIN
                        };
                        let own = lab.address("vlan10");
                        let frame = Frame::new(own, MAC_PEER, 1);
                        let ticket = lab.above("vlan10").send_shaped(&[frame.bytes()], &shape);
                        must_succeed(&ticket);
                        let tci = priority << 13 | drop_eligible << 12 | 10;
                        let sent = lab.below().take_sent(SOON).expect("it is sent");
                        assert_eq!(sent, frame.tagged(tci).bytes());
                    }
                }
            }
        }
        lab.down();
    }

    fn a_send_for_another_vlan_is_refused_and_the_rest_of_its_chain_goes_down() {
        let lab = MuxLab::running();
        let own = SendShape { tag: tag(0, 0, 10), ..SendShape::PLAIN };
        let read_only =
            SendShape { nbl_flags: NDIS_NBL_FLAGS_SEND_READ_ONLY, ..SendShape::PLAIN };
        for foreign in [1, 20, 4094, 4095] {
            let foreign = SendShape { tag: tag(3, 0, foreign), ..SendShape::PLAIN };
            let shapes = [&foreign, &own, &foreign, &foreign, &read_only, &SendShape::PLAIN, &foreign];
            assert_refused(&lab, &shapes, &[60; 7], |shape, _| shape.tag == foreign.tag);
            assert_refused(&lab, &[&foreign; 4], &[60; 4], |_, _| true);
        }
        lab.down();
    }

    fn a_frame_without_two_addresses_is_refused_and_the_rest_of_its_chain_goes_down() {
        let lab = MuxLab::running();
        for head in [0, 4, 32] {
            for short in 1..12 {
                let shape = shape(head, &[]);
                let lengths = [60, short, 60, short, short, 12, 13, 60];
                // A carrier, for a frame without headroom, has something of the frame behind its own bytes.
                let least = if head == 0 { 13 } else { 12 };
                assert_refused(&lab, &[&shape; 8], &lengths, |_, length| length < least);
            }
        }
        // One such frame among others of its NBL: none of them is sent.
        let frames = [frames(&lab, "vlan10", &[60, 60, 11]), frames(&lab, "vlan10", &[60, 60, 60])];
        let shape = SendShape { frames_per_nbl: 3, ..shape(0, &[5]) };
        let ticket = lab.above("vlan10").send_shaped(&frames.concat(), &shape);
        let statuses = ticket.wait(SOON).expect("all complete");
        assert!(statuses[0] != 0 && statuses[1] == 0, "{statuses:x?}");
        for frame in &frames[1] {
            assert_eq!(lab.below().take_sent(SOON), Some(tagged(frame, 10)));
        }
        lab.assert_traffic("vlan10", 10);
        lab.down();
    }

    fn a_nic_that_inserts_tags_gets_them_beside_frames_that_nobody_wrote_to() {
        let lab = MuxLab::with_nic(NicConfig::new(NIC, MAC_BELOW).handling_tags(), &[NONE, VLAN10]);
        lab.up();
        let back_fill = |name| lab.above(name).attributes().expect("the client is bound").data_back_fill;
        assert_eq!(back_fill("vlan10"), back_fill("none"), "no room for a tag is asked for");
        for nbl_flags in [0, NDIS_NBL_FLAGS_SEND_READ_ONLY] {
            for shape in layouts() {
                for frames_per_nbl in [1, 3] {
                    let shape = SendShape { frames_per_nbl, nbl_flags, ..shape.clone() };
                    assert_sent(&lab, "vlan10", 10, &[60, 14, 1514, 15, 18], &shape);
                }
            }
            for (priority, drop_eligible) in [(0, 1), (5, 0), (7, 1)] {
                let shape = SendShape {
                    tag: tag(priority, drop_eligible, 0),
                    nbl_flags,
                    ..SendShape::PLAIN
                };
                let frame = Frame::new(lab.address("vlan10"), MAC_PEER, 1);
                must_succeed(&lab.above("vlan10").send_shaped(&[frame.bytes()], &shape));
                let tci = priority << 13 | drop_eligible << 12 | 10;
                assert_eq!(lab.below().take_sent(SOON), Some(frame.tagged(tci).bytes()));
            }
            // A tag in the frame is payload here too.
            let shape = SendShape { nbl_flags, ..SendShape::PLAIN };
            let frame = Frame::new(lab.address("vlan10"), MAC_PEER, 3).tagged(20).bytes();
            must_succeed(&lab.above("vlan10").send_shaped(std::slice::from_ref(&frame), &shape));
            assert_eq!(lab.below().take_sent(SOON), Some(tagged(&frame, 10)));
            if nbl_flags == 0 {
                for moved in ["NdisRetreatNetBufferDataStart", "NdisAllocateFragmentNetBufferList"] {
                    assert!(lab.trace().image_calls(moved).is_empty(), "{moved}");
                }
            }
        }
        let foreign = SendShape { tag: tag(0, 0, 20), ..SendShape::PLAIN };
        assert_refused(&lab, &[&foreign, &SendShape::PLAIN], &[60; 2], |shape, _| shape.tag != 0);
        lab.down();
    }

    fn d14_frames_as_long_as_the_mtu_says_pass_with_their_tag() {
        let lab = MuxLab::new(&[NONE, VLAN10]);
        // (MTU of the NIC, whether it handles tags, MTU in a VLAN): for each another NIC comes in the
        // place of the one before.
        for (mtu, handles_tags, in_vlan) in [
            (1500, false, 1496),
            (9000, false, 8996),
            (1500, true, 1500),
            (9014, true, 9014),
            (1500, false, 1496),
        ] {
            let mut nic = NicConfig { mtu, ..NicConfig::new(NIC, MAC_BELOW) };
            if handles_tags {
                nic = nic.handling_tags();
            }
            lab.add_nic(nic);
            if lab.client("none").is_err() {
                lab.up();
            } else {
                lab.plug_nic(NIC).expect("the NIC comes up");
            }
            for (name, vlan, mtu) in [("vlan10", 10, in_vlan), ("none", 0, mtu)] {
                lab.wait_running(name);
                assert_eq!(lab.above(name).attributes().map(|above| above.mtu), Some(mtu), "{name}");
                let longest = mtu as usize + 14;
                for (oid, length) in [
                    (OID_GEN_MAXIMUM_FRAME_SIZE, mtu),
                    (OID_GEN_MAXIMUM_TOTAL_SIZE, longest as u32),
                ] {
                    let answer = lab.above(name).query(oid, 4);
                    assert_eq!(answer, (0, length.to_le_bytes().to_vec()), "{name}");
                }
                for shape in [SendShape::PLAIN, shape(0, &[12]), shape(2, &[1])] {
                    assert_sent(&lab, name, vlan, &[longest, longest - 1, longest], &shape);
                }
            }
            lab.unplug_nic(NIC).expect("the NIC was plugged");
        }
        lab.finish();
    }

    fn a_virtual_miniport_without_a_vlan_sends_what_it_gets() {
        let lab = MuxLab::with_nic(NicConfig::new(NIC, MAC_BELOW).handling_tags(), &[NONE, VLAN10]);
        lab.up();
        let own = lab.address("none");
        // A tag in the frame is the client's own business, and so is one beside it.
        let frames = [Frame::new(own, MAC_PEER, 1), Frame::new(own, MAC_PEER, 2).tagged(10)];
        for frame in &frames {
            must_succeed(&lab.above("none").send(&[frame.bytes()]));
            assert_eq!(lab.below().take_sent(SOON), Some(frame.bytes()));
        }
        let shape = SendShape { tag: tag(5, 1, 7), ..SendShape::PLAIN };
        must_succeed(&lab.above("none").send_shaped(&[frames[0].bytes()], &shape));
        let sent = lab.below().take_sent(SOON);
        assert_eq!(sent, Some(frames[0].clone().tagged(5 << 13 | 1 << 12 | 7).bytes()));
        // In a VLAN a tag in the frame is payload: it gets another one before it.
        let frame = Frame::new(lab.address("vlan10"), MAC_PEER, 3).tagged(20).bytes();
        must_succeed(&lab.above("vlan10").send(std::slice::from_ref(&frame)));
        assert_eq!(lab.below().take_sent(SOON), Some(tagged(&frame, 10)));
        lab.down();
    }

    fn whichever_call_of_a_send_fails_its_nbl_is_refused_and_the_others_go_down() {
        let lab = MuxLab::running();
        let functions = [
            ("NdisAllocateNetBufferListContext", 4, 0),
            ("NdisRetreatNetBufferDataStart", 4, 0),
            ("NdisAllocateFragmentNetBufferList", 0, 0),
            ("NdisAllocateFragmentNetBufferList", 0, NDIS_NBL_FLAGS_SEND_READ_ONLY),
            ("NdisAllocateNetBufferListContext", 0, NDIS_NBL_FLAGS_SEND_READ_ONLY),
        ];
        for (function, head, nbl_flags) in functions {
            let shape = SendShape { nbl_flags, ..shape(head, &[7]) };
            assert_one_nbl_fails_with(function, &lab, &shape);
        }
        lab.assert_traffic("vlan10", 10);
        lab.down();
    }

    fn a_client_that_leaves_the_space_asked_for_is_served_as_well() {
        let lab = MuxLab::running();
        let above = lab.above("vlan10").attributes().expect("the client is bound");
        assert!(above.data_back_fill >= 4, "room for a tag is asked for");
        let shape = SendShape {
            context_back_fill: above.context_back_fill as u16,
            ..shape(above.data_back_fill, &[])
        };
        assert_sent(&lab, "vlan10", 10, &lengths(64), &shape);
        lab.down();
    }

    fn cancelled_sends_are_cancelled_below() {
        let lab = MuxLab::running();
        lab.below().hold_sends(true);
        let cancelled = SendShape { cancel_id: 7, ..SendShape::PLAIN };
        let other = SendShape { cancel_id: 8, ..SendShape::PLAIN };
        let shapes = [&cancelled, &other, &cancelled, &SendShape::PLAIN];
        let frames = frames(&lab, "vlan10", &[60; 4]);
        let nbls: Vec<_> = frames.chunks(1).zip(shapes).collect();
        let ticket = lab.above("vlan10").send_nbls(&nbls);
        assert!(lab.below().wait_sends(SOON, 4));
        lab.above("vlan10").cancel_sends(7);
        lab.below().hold_sends(false);
        let aborted = NDIS_STATUS_SEND_ABORTED;
        assert_eq!(ticket.wait(SOON), Some(vec![aborted, 0, aborted, 0]));
        // Nothing is there to cancel, and nothing is below to cancel it.
        lab.above("vlan10").cancel_sends(7);
        lab.down();
    }

    fn two_virtual_miniports_send_at_once_and_each_frame_gets_its_own_tag() {
        let lab = MuxLab::new(&[VLAN10, VLAN20]);
        lab.policy(|policy| policy.send_completion = When::Inline);
        lab.up();
        std::thread::scope(|scope| {
            for name in ["vlan10", "vlan20"] {
                let frames = frames(&lab, name, &[60; 16]);
                let client = lab.above(name);
                scope.spawn(move || for _chain in 0..50 {
                    must_succeed(&client.send(&frames));
                });
            }
        });
        let mut sent = [0; 2];
        for _frame in 0..1600 {
            let frame = lab.below().take_sent(SOON).expect("each frame is sent");
            let (name, number) = if frame[15] == 10 { ("vlan10", 0) } else { ("vlan20", 1) };
            assert_eq!(frame[6..12], lab.address(name), "a frame has the tag of its sender");
            sent[number] += 1;
        }
        assert_eq!(sent, [800, 800]);
        lab.down();
    }
}

/// Sends frames of these lengths, which must arrive below in order, with the tag, and succeed.
fn assert_sent(lab: &MuxLab, name: &str, vlan: u16, lengths: &[usize], shape: &SendShape) {
    let frames = frames(lab, name, lengths);
    let ticket = lab.above(name).send_shaped(&frames, shape);
    for frame in &frames {
        let sent = lab
            .below()
            .take_sent(SOON)
            .expect("the frame arrives below");
        assert_eq!(sent, tagged(frame, vlan), "{shape:?}");
    }
    must_succeed(&ticket);
}

/// Sends a chain of one frame in each NBL, of which those that `refused` names must fail and the others
/// arrive below in order.
fn assert_refused(
    lab: &MuxLab,
    shapes: &[&SendShape],
    lengths: &[usize],
    refused: impl Fn(&SendShape, usize) -> bool,
) {
    let frames = frames(lab, "vlan10", lengths);
    let nbls: Vec<_> = frames.chunks(1).zip(shapes.iter().copied()).collect();
    let statuses = lab.above("vlan10").send_nbls(&nbls).wait(SOON);
    let statuses = statuses.expect("all complete");
    for ((frame, shape), status) in nbls.iter().zip(statuses) {
        if refused(shape, frame[0].len()) {
            assert!(
                status < 0,
                "{shape:?}, {} bytes: {status:#x}",
                frame[0].len()
            );
        } else {
            assert_eq!(status, 0, "{shape:?}, {} bytes", frame[0].len());
            assert_eq!(lab.below().take_sent(SOON), Some(tagged(&frame[0], 10)));
        }
    }
    assert_eq!(lab.below().take_sent(Duration::ZERO), None);
}

/// Sends four NBLs of three frames, and lets each call of `function` that they need fail in turn: one NBL
/// is refused then, and the frames of the others go down.
fn assert_one_nbl_fails_with(function: &'static str, lab: &MuxLab, shape: &SendShape) {
    let shape = SendShape {
        frames_per_nbl: 3,
        ..shape.clone()
    };
    let frames = frames(lab, "vlan10", &[60; 12]);
    let send = || lab.above("vlan10").send_shaped(&frames, &shape);
    let faults = faults_in(&[function], || must_succeed(&send()));
    while lab.below().take_sent(Duration::ZERO).is_some() {}
    for fault in faults
        .into_iter()
        .filter(|fault| fault.function == function)
    {
        fault.arm();
        let statuses = send().wait(SOON).expect("all complete");
        let refused: Vec<_> = (0..4).filter(|&nbl| statuses[nbl] != 0).collect();
        assert_eq!(refused.len(), 1, "{fault:?}: {statuses:x?}");
        for (nbl, frames) in frames.chunks(3).enumerate() {
            for frame in frames.iter().filter(|_| nbl != refused[0]) {
                assert_eq!(lab.below().take_sent(SOON), Some(tagged(frame, 10)));
            }
        }
        assert_eq!(lab.below().take_sent(Duration::ZERO), None);
    }
    faults::clear();
}

/// The frame as it is on the wire.
fn tagged(frame: &[u8], vlan: u16) -> Vec<u8> {
    if vlan == 0 {
        return frame.to_vec();
    }
    let [high, low] = vlan.to_be_bytes();
    [&frame[..12], &[0x81, 0, high, low], &frame[12..]].concat()
}

/// Every amount of room in front of a frame that matters, with a cut at every offset that does.
fn layouts() -> impl Iterator<Item = SendShape> {
    const HEADS: [u32; 6] = [0, 1, 2, 3, 4, 32];
    HEADS
        .iter()
        .flat_map(|&head| CUTS.iter().map(move |cuts| shape(head, cuts)))
}

/// The call that gives a frame in locked pages a system address.
const MAP: &str = "MmMapLockedPagesSpecifyCache";

fn shape(head: u32, pieces: &'static [u32]) -> SendShape {
    SendShape {
        shape: Shape { head, pieces },
        ..SendShape::PLAIN
    }
}

/// Lengths of that many frames, the shortest an empty one.
fn lengths(number: usize) -> Vec<usize> {
    [60, 14, 1510, 15, 18, 64, 300]
        .into_iter()
        .cycle()
        .take(number)
        .collect()
}

const CUTS: &[&[u32]] = &[
    &[],
    &[1],
    &[2],
    &[3],
    &[4],
    &[5],
    &[6],
    &[7],
    &[8],
    &[9],
    &[10],
    &[11],
    &[12],
    &[13],
    &[14],
    &[15],
    &[16],
    &[17],
    &[18],
    &[6, 6, 2, 2, 2],
    &[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
];
