//! Task offloads: what a virtual miniport shows of its NIC's (D13), and large sends and checksums through
//! the tag. That each NBL comes back with what its client asked for is a rule of the host's.

use ndis_host::{
    client::SendShape,
    nic::{NicConfig, Offloads, Shape},
};
use ndis_sys::{
    NDIS_ENCAPSULATION_IEEE_802_3, NDIS_ENCAPSULATION_IEEE_802_3_P_AND_Q,
    NDIS_ENCAPSULATION_IEEE_802_3_P_AND_Q_IN_OOB, NDIS_NBL_FLAGS_SEND_READ_ONLY, NDIS_OFFLOAD,
    NDIS_STATUS_INVALID_LENGTH, NDIS_STATUS_NOT_SUPPORTED, NDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG,
    OID_GEN_SUPPORTED_LIST, OID_OFFLOAD_ENCAPSULATION, OID_TCP_OFFLOAD_CURRENT_CONFIG,
    OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES, OID_TCP_OFFLOAD_PARAMETERS,
};
use ndismux_tests::{
    MAC_BELOW, MAC_PEER, MuxLab, NIC, NONE, SOON, VLAN10, VLAN20, image_tests, must_succeed,
};

image_tests! {
    fn d13_a_vlan_shows_the_offloads_that_go_with_where_its_tag_is() {
        // (encapsulations of the NIC, whether it inserts tags, shown in VLAN 10)
        let cases = [
            (ETHERNET, false, 0),
            (ETHERNET | INSIDE, false, SHOWN),
            (ETHERNET | BESIDE, false, 0),
            (ETHERNET, true, 0),
            (ETHERNET | INSIDE, true, 0),
            (ETHERNET | INSIDE | BESIDE, true, SHOWN),
        ];
        for (encapsulation, inserts, in_vlan) in cases {
            let lab = lab(encapsulation, inserts);
            for (name, expected) in [("none", encapsulation), ("vlan10", in_vlan)] {
                for oid in [OID_TCP_OFFLOAD_CURRENT_CONFIG, OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES] {
                    let offload = offload(&lab, name, oid);
                    let what = format!("{encapsulation:#x} {inserts} {name} {oid:#x}");
                    assert_eq!(offload.Checksum.IPv4Transmit.Encapsulation, expected, "{what}");
                    assert_eq!(offload.Checksum.IPv4Receive.Encapsulation, expected, "{what}");
                    assert_eq!(offload.LsoV2.IPv4.Encapsulation, expected, "{what}");
                    assert_eq!(offload.Checksum.IPv6Transmit.Encapsulation, 0, "{what}");
                    let size = if expected == 0 { 0 } else { 60 * 1024 };
                    assert_eq!(offload.LsoV2.IPv4.MaxOffLoadSize, size, "{what}");
                    assert_eq!((offload.Rsc.IPv4.Enabled, offload.Rsc.IPv6.Enabled), (1, 0), "{what}");
                }
            }
            lab.down();
        }
    }

    fn d13_where_no_offload_is_shown_none_can_be_set() {
        // A NIC without offloads, and one whose offloads end at a tag.
        let untagged = Offloads { coalesces: false, ..Offloads::with(ETHERNET) };
        for offloads in [None, Some(untagged)] {
            let nic = NicConfig { offloads, ..NicConfig::new(NIC, MAC_BELOW) };
            let lab = MuxLab::with_nic(nic, &[VLAN10]);
            lab.up();
            let client = lab.above("vlan10");
            for oid in [OID_TCP_OFFLOAD_CURRENT_CONFIG, OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES] {
                let (status, shown) = client.query(oid, 512);
                if offloads.is_none() {
                    assert_eq!(status, NDIS_STATUS_NOT_SUPPORTED);
                } else {
                    assert_eq!(status, 0);
                    // Behind the header.
                    assert!(shown[4..].iter().all(|byte| *byte == 0), "{shown:?}");
                }
            }
            let supported = client.query(OID_GEN_SUPPORTED_LIST, 4096).1;
            for oid in [OID_TCP_OFFLOAD_PARAMETERS, OID_OFFLOAD_ENCAPSULATION] {
                assert_eq!(client.set(oid, &[0; 64]), NDIS_STATUS_NOT_SUPPORTED);
                assert!(supported.chunks(4).all(|listed| listed != oid.to_le_bytes()));
            }
            lab.down();
        }
    }

    fn sets_go_below_and_what_comes_of_them_is_shown_on_every_virtual_miniport() {
        let lab = lab(ETHERNET | BESIDE, true);
        let supported = lab.above("vlan10").query(OID_GEN_SUPPORTED_LIST, 4096).1;
        for oid in [OID_TCP_OFFLOAD_PARAMETERS, OID_OFFLOAD_ENCAPSULATION] {
            assert!(supported.chunks(4).any(|listed| listed == oid.to_le_bytes()));
        }
        for (by, enabled) in [("vlan10", false), ("none", true), ("vlan20", false), ("vlan20", true)] {
            let told = NAMES.map(|name| lab.above(name).statuses().len());
            assert_eq!(lab.above(by).set(OID_TCP_OFFLOAD_PARAMETERS, &large_sends(enabled)), 0);
            for (name, before) in NAMES.into_iter().zip(told) {
                let statuses = lab.above(name).statuses().split_off(before);
                let codes: Vec<_> = statuses.iter().map(|(code, _)| *code).collect();
                assert_eq!(codes, [NDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG], "{name}");
                let shown = if name == "none" { ETHERNET | BESIDE } else { SHOWN };
                let now = if enabled { shown } else { 0 };
                assert_eq!(read(&statuses[0].1).LsoV2.IPv4.Encapsulation, now, "{name}");
                let current = offload(&lab, name, OID_TCP_OFFLOAD_CURRENT_CONFIG);
                assert_eq!(current.LsoV2.IPv4.Encapsulation, now, "{name}");
                assert_eq!(current.Checksum.IPv4Transmit.Encapsulation, shown, "{name}");
                let hardware = offload(&lab, name, OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES);
                assert_eq!(hardware.LsoV2.IPv4.Encapsulation, shown, "what there is has not changed");
            }
        }
        assert_eq!(lab.above("vlan10").set(OID_OFFLOAD_ENCAPSULATION, &[0; 28]), 0);
        assert_eq!(
            lab.above("vlan10").set(OID_TCP_OFFLOAD_PARAMETERS, &[0; 8]),
            NDIS_STATUS_INVALID_LENGTH
        );
        lab.down();
    }

    fn a_large_send_leaves_in_segments_with_the_tag_in_each() {
        for (encapsulation, inserts) in [(ETHERNET | INSIDE, false), (ETHERNET | BESIDE, true)] {
            let lab = lab(encapsulation, inserts);
            for (name, vlan) in [("none", None), ("vlan10", Some(10)), ("vlan20", Some(20))] {
                for head in [4, 32] {
                    let frame = tcp_frame(lab.address(name), 3500);
                    let shape = SendShape { large_send: large_send(1000), ..shape(head) };
                    must_succeed(&lab.above(name).send_shaped(std::slice::from_ref(&frame), &shape));
                    for (index, length) in [1000, 1000, 1000, 500].into_iter().enumerate() {
                        let sent = lab.below().take_sent(SOON).expect("each segment is sent");
                        let segment = untag(&sent, vlan);
                        assert_segment(&segment, &frame, index * 1000, length);
                    }
                }
            }
            lab.down();
        }
    }

    fn a_large_udp_packet_leaves_in_segments_with_the_tag_in_each() {
        for (encapsulation, inserts) in [(ETHERNET | INSIDE, false), (ETHERNET | BESIDE, true)] {
            let lab = lab(encapsulation, inserts);
            for (name, vlan) in [("none", None), ("vlan10", Some(10)), ("vlan20", Some(20))] {
                let frame = udp_frame(lab.address(name), 2500);
                // MSS, and where the UDP header is.
                let shape = SendShape { udp_segmentation: 1000 | 34 << 20, ..shape(4) };
                must_succeed(&lab.above(name).send_shaped(std::slice::from_ref(&frame), &shape));
                for (index, length) in [1000, 1000, 500].into_iter().enumerate() {
                    let sent = lab.below().take_sent(SOON).expect("each segment is sent");
                    let segment = untag(&sent, vlan);
                    assert_datagram(&segment, &frame[42 + index * 1000..][..length]);
                }
            }
            lab.down();
        }
    }

    fn udp_segmentation_needs_a_system_that_has_it() {
        for (minor, shown) in [(82, 0), (83, SHOWN), (89, SHOWN)] {
            let nic = NicConfig {
                offloads: Some(Offloads::with(ETHERNET | BESIDE)),
                ..NicConfig::new(NIC, MAC_BELOW)
            };
            let lab = MuxLab::with_nic(nic.handling_tags(), &[VLAN10]);
            lab.set_ndis_version(6 << 16 | minor);
            lab.up();
            for oid in [OID_TCP_OFFLOAD_CURRENT_CONFIG, OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES] {
                let offload = offload(&lab, "vlan10", oid);
                let udp = &offload.UdpSegmentation.IPv4;
                assert_eq!(udp.Encapsulation, shown, "6.{minor}");
                assert_eq!(udp.MaxOffLoadSize, if shown == 0 { 0 } else { 60 * 1024 });
                assert_eq!(udp.MinSegmentCount(), if shown == 0 { 0 } else { 2 });
                assert_eq!(offload.LsoV2.IPv4.Encapsulation, SHOWN);
            }
            lab.down();
        }
    }

    fn a_checksum_is_computed_behind_the_tag() {
        for (encapsulation, inserts) in [(ETHERNET | INSIDE, false), (ETHERNET | BESIDE, true)] {
            let lab = lab(encapsulation, inserts);
            for (name, vlan) in [("none", None), ("vlan10", Some(10))] {
                for nbl_flags in [0, NDIS_NBL_FLAGS_SEND_READ_ONLY] {
                    for head in [0, 2, 32] {
                        let frame = tcp_frame(lab.address(name), 700);
                        // IsIPv4, TcpChecksum, IpHeaderChecksum, and where the TCP header is.
                        let checksum = 0x15 | 34 << 16;
                        let shape = SendShape { checksum, nbl_flags, ..shape(head) };
                        let ticket = lab.above(name).send_shaped(std::slice::from_ref(&frame), &shape);
                        must_succeed(&ticket);
                        let sent = lab.below().take_sent(SOON).expect("it is sent");
                        assert_segment(&untag(&sent, vlan), &frame, 0, 700);
                    }
                }
            }
            lab.down();
        }
    }

    fn what_cannot_be_done_fails_and_nothing_is_sent() {
        let lab = lab(ETHERNET | INSIDE, false);
        let frame = || tcp_frame(lab.address("vlan10"), 3500);
        let large = SendShape { large_send: large_send(1000), ..SendShape::PLAIN };
        let cases = [
            // Without room for the tag the headers would lie in two pieces.
            SendShape { shape: Shape { head: 0, pieces: &[] }, ..large.clone() },
            // So they would in a carrier.
            SendShape { nbl_flags: NDIS_NBL_FLAGS_SEND_READ_ONLY, ..large.clone() },
            // Ten bits do not reach as far.
            SendShape { large_send: 1000 | 1020 << 20 | 1 << 30, ..large.clone() },
            SendShape { large_send: 0, checksum: 5 | 1021 << 16, ..large.clone() },
        ];
        for shape in cases {
            let statuses = lab.above("vlan10").send_shaped(&[frame()], &shape).wait(SOON);
            assert!(statuses.expect("it completes")[0] < 0, "{shape:?}");
            assert_eq!(lab.below().take_sent(std::time::Duration::ZERO), None, "{shape:?}");
        }
        // One that was on its way when large sends were switched off.
        assert_eq!(lab.above("none").set(OID_TCP_OFFLOAD_PARAMETERS, &large_sends(false)), 0);
        let statuses = lab.above("vlan10").send_shaped(&[frame()], &large).wait(SOON);
        assert_eq!(statuses, Some(vec![NDIS_STATUS_NOT_SUPPORTED]));
        lab.assert_traffic("vlan10", 10);
        lab.down();
    }
}

/// NONE, VLAN10 and VLAN20 above a NIC whose offloads have these encapsulations.
fn lab(encapsulation: u32, inserts_tags: bool) -> MuxLab {
    let mut nic = NicConfig {
        offloads: Some(Offloads::with(encapsulation)),
        ..NicConfig::new(NIC, MAC_BELOW)
    };
    if inserts_tags {
        nic = nic.handling_tags();
    }
    let lab = MuxLab::with_nic(nic, &[NONE, VLAN10, VLAN20]);
    lab.up();
    lab
}

fn offload(lab: &MuxLab, name: &str, oid: u32) -> NDIS_OFFLOAD {
    let (status, bytes) = lab.above(name).query(oid, 512);
    assert_eq!(status, 0, "{name} {oid:#x}");
    read(&bytes)
}

fn read(bytes: &[u8]) -> NDIS_OFFLOAD {
    let mut offload = NDIS_OFFLOAD::zeroed();
    let length = bytes.len().min(size_of::<NDIS_OFFLOAD>());
    // SAFETY: both have as many bytes, and any bytes are an offload.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), (&raw mut offload).cast(), length) };
    assert!(usize::from(offload.Header.Size) <= bytes.len());
    offload
}

/// `NDIS_OFFLOAD_PARAMETERS` of the first revision that switch large sends over IPv4.
fn large_sends(enabled: bool) -> [u8; 20] {
    let mut parameters = [0; 20];
    parameters[..4].copy_from_slice(&[0x80, 1, 20, 0]);
    parameters[11] = if enabled { 2 } else { 1 };
    parameters
}

/// The value of `TcpLargeSendNetBufferListInfo`: version 2, with the TCP header behind the IPv4 header.
const fn large_send(mss: usize) -> usize {
    mss | 34 << 20 | 1 << 30
}

fn shape(head: u32) -> SendShape {
    SendShape {
        shape: Shape { head, pieces: &[] },
        ..SendShape::PLAIN
    }
}

/// A TCP frame over IPv4 as a stack hands it down: without lengths and checksums.
fn tcp_frame(source: [u8; 6], payload: usize) -> Vec<u8> {
    let mut frame = [MAC_PEER, source].concat();
    frame.extend([0x08, 0x00]);
    frame.extend([
        0x45, 0, 0, 0, 0, 7, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
    ]);
    frame.extend([
        0x04, 0, 0, 80, 0x10, 0, 0xff, 0xf0, 0, 0, 0, 1, 0x50, 0x10, 0x20, 0, 0, 0, 0, 0,
    ]);
    frame.extend((0..payload).map(|at| (at % 251) as u8));
    frame
}

/// The same with UDP.
fn udp_frame(source: [u8; 6], payload: usize) -> Vec<u8> {
    let tcp = tcp_frame(source, payload);
    let mut frame = [&tcp[..34], &[0x04, 0, 0, 53, 0, 0, 0, 0], &tcp[54..]].concat();
    frame[23] = 17;
    frame
}

/// The frame without the tag of that VLAN, which must be there.
fn untag(frame: &[u8], vlan: Option<u16>) -> Vec<u8> {
    let Some(vlan) = vlan else {
        return frame.to_vec();
    };
    assert_eq!(frame[12..14], [0x81, 0]);
    assert_eq!(frame[14..16], vlan.to_be_bytes());
    [&frame[..12], &frame[16..]].concat()
}

/// A segment of `whole` is right: lengths, sequence number, checksums, and its part of the payload.
fn assert_segment(segment: &[u8], whole: &[u8], at: usize, length: usize) {
    assert_eq!(segment.len(), 54 + length);
    assert_eq!(segment[..16], whole[..16]);
    assert_eq!(segment[16..18], ((40 + length) as u16).to_be_bytes());
    let sequence = 0x1000_fff0_u32.wrapping_add(at as u32);
    assert_eq!(segment[38..42], sequence.to_be_bytes());
    assert_eq!(segment[54..], whole[54 + at..54 + at + length]);
    assert_eq!(sum(&segment[14..34]), 0xffff, "the IP header's checksum");
    let tcp = (20 + length) as u16;
    let pseudo = [&segment[26..34], &[0, 6], &tcp.to_be_bytes()].concat();
    assert_eq!(
        sum(&[&pseudo, &segment[34..]].concat()),
        0xffff,
        "the TCP checksum"
    );
}

/// A datagram is right: lengths, checksums, and this payload.
fn assert_datagram(datagram: &[u8], payload: &[u8]) {
    let udp = (8 + payload.len()) as u16;
    assert_eq!(datagram[16..18], (20 + udp).to_be_bytes());
    assert_eq!(datagram[38..40], udp.to_be_bytes());
    assert_eq!(&datagram[42..], payload);
    assert_eq!(sum(&datagram[14..34]), 0xffff, "the IP header's checksum");
    let pseudo = [&datagram[26..34], &[0, 17], &udp.to_be_bytes()].concat();
    let whole = [&pseudo, &datagram[34..]].concat();
    assert_eq!(sum(&whole), 0xffff, "the UDP checksum");
}

/// The sum that a right checksum makes all ones.
fn sum(bytes: &[u8]) -> u32 {
    let mut sum: u32 = bytes
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0)))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum
}

const NAMES: [&str; 3] = ["none", "vlan10", "vlan20"];
const ETHERNET: u32 = NDIS_ENCAPSULATION_IEEE_802_3;
const INSIDE: u32 = NDIS_ENCAPSULATION_IEEE_802_3_P_AND_Q;
const BESIDE: u32 = NDIS_ENCAPSULATION_IEEE_802_3_P_AND_Q_IN_OOB;
const SHOWN: u32 = ETHERNET | BESIDE;
