//! `MiniportOidRequest`: what a virtual miniport answers, takes and refuses. Requests that NDIS would
//! answer for a protocol are made past it, so that they reach the driver.

use ndis_host::{lab::Answer, ndis::policy::When};
use ndis_sys::*;
use ndismux_tests::{
    Frame, MAC_BELOW, MAC_PEER, MuxLab, NEVER, NONE, SOON, VLAN10, VLAN20, frames, image_tests,
    must_succeed, until,
};

image_tests! {
    fn a_protocol_that_clears_what_it_wants_may_close_also_if_that_fails() {
        let lab = MuxLab::new(&[VLAN10]);
        lab.up();
        for nth in 1..=100 {
            lab.fail_nth("ExAllocatePool2", nth);
        }
        let cleared = lab.above("vlan10").set(OID_802_3_MULTICAST_LIST, &[]);
        assert_eq!(cleared, NDIS_STATUS_RESOURCES, "else nothing is tested");
        lab.remove_client("vlan10").expect("the client came up");
        ndis_host::faults::clear();
        lab.down();
    }

    fn each_oid_has_its_value_in_its_length_and_too_short_a_buffer_is_told_the_length() {
        for when in [When::Inline, When::Later] {
            let lab = MuxLab::new(&[VLAN10]);
            lab.policy(|policy| (policy.oid, policy.nic_oid) = (when, when));
            lab.up();
            for (name, oid, value) in answers(&lab) {
                for room in 0..value.len() {
                    let answer = query(&lab, oid, room);
                    if value.len() == 8 && room >= 4 && is_counter(oid) {
                        continue;
                    }
                    assert_eq!(answer.status, NDIS_STATUS_BUFFER_TOO_SHORT, "{name}, {room}");
                    assert_eq!((answer.done, answer.needed), (0, value.len() as u32), "{name}, {room}");
                    assert_eq!(answer.buffer, vec![0xA5; room], "{name} is not written to");
                }
                for room in [value.len(), value.len() + 1, 4096] {
                    let answer = query(&lab, oid, room);
                    assert_eq!(answer.status, NDIS_STATUS_SUCCESS, "{name}, {room}");
                    assert_eq!(answer.bytes(), value, "{name}, {room}");
                    let rest = &answer.buffer[value.len()..];
                    assert!(rest.iter().all(|byte| *byte == 0xA5), "{name} writes no more");
                }
                // Protocols get the same, by NDIS or by the driver. The look-ahead is what they set.
                let (status, bytes) = lab.above("vlan10").query(oid, 4096);
                if status == NDIS_STATUS_SUCCESS && oid != OID_GEN_CURRENT_LOOKAHEAD {
                    assert_eq!(bytes, value, "{name}");
                }
                let statistics = lab.request("vlan10", NdisRequestQueryStatistics, oid, &[0; 4096]);
                let statistics = statistics.expect("the adapter is there");
                assert_eq!((statistics.status, statistics.bytes()), (0, &value[..]), "{name}");
            }
            lab.down();
        }
    }

    fn a_counter_is_64_bits_and_32_for_who_has_no_more_room() {
        let lab = MuxLab::running();
        must_succeed(&lab.above("vlan10").send(&frames(&lab, "vlan10", &[60; 3])));
        for (oid, value) in [(OID_GEN_XMIT_OK, 3_u64), (OID_GEN_RCV_OK, 0), (OID_GEN_XMIT_ERROR, 0)] {
            for room in 0..=9 {
                let answer = query(&lab, oid, room);
                let expected = match room {
                    0..4 => (NDIS_STATUS_BUFFER_TOO_SHORT, vec![], 8),
                    4..8 => (0, (value as u32).to_le_bytes().to_vec(), 8),
                    _ => (0, value.to_le_bytes().to_vec(), 0),
                };
                assert_eq!((answer.status, answer.bytes().to_vec(), answer.needed), expected, "{room}");
            }
        }
        lab.down();
    }

    fn the_list_of_supported_oids_is_the_list_of_those_that_are_answered() {
        let lab = MuxLab::running();
        let (status, list) = lab.above("vlan10").query(OID_GEN_SUPPORTED_LIST, 4096);
        assert_eq!(status, 0);
        let (listed, rest) = list.as_chunks::<4>();
        assert!(rest.is_empty());
        let mut listed: Vec<u32> = listed.iter().copied().map(u32::from_le_bytes).collect();
        let mut known: Vec<u32> = answers(&lab).into_iter().map(|(_, oid, _)| oid).collect();
        known.extend([
            OID_PNP_QUERY_POWER, OID_PNP_SET_POWER, OID_PM_PARAMETERS, OID_GEN_TRANSMIT_QUEUE_LENGTH,
        ]);
        listed.sort_unstable();
        known.sort_unstable();
        assert_eq!(listed, known);
        lab.down();
    }

    fn what_is_not_supported_is_refused_in_every_kind_of_request() {
        let lab = MuxLab::running();
        let unknown = [
            0, 0xFFFF_FFFF, OID_GEN_RECEIVE_SCALE_PARAMETERS, OID_GEN_RECEIVE_SCALE_PARAMETERS_V2,
            OID_GEN_RECEIVE_HASH, OID_TCP_OFFLOAD_PARAMETERS,
            OID_GEN_NETWORK_LAYER_ADDRESSES, OID_802_3_MAC_OPTIONS, OID_GEN_LINK_PARAMETERS,
        ];
        for oid in unknown {
            for room in [0, 4, 512] {
                assert_refused(&lab.query("vlan10", oid, room).expect("it is there"), oid);
                assert_refused(&lab.set("vlan10", oid, &vec![0; room]).expect("it is there"), oid);
                assert_refused(&lab.method("vlan10", oid, &vec![0; room]).expect("it is there"), oid);
            }
        }
        let settable = [
            OID_GEN_CURRENT_PACKET_FILTER, OID_GEN_CURRENT_LOOKAHEAD, OID_802_3_MULTICAST_LIST,
            OID_GEN_INTERRUPT_MODERATION,
        ];
        for (_, oid, _) in answers(&lab) {
            assert_refused(&lab.method("vlan10", oid, &[0; 64]).expect("it is there"), oid);
            if !settable.contains(&oid) {
                assert_refused(&lab.set("vlan10", oid, &[0; 64]).expect("it is there"), oid);
            }
        }
        for kind in [NdisRequestOpen, NdisRequestReset, NdisRequestGeneric1, 99] {
            let answer = lab.request("vlan10", kind, OID_GEN_VENDOR_ID, &[0; 4]);
            assert_refused(&answer.expect("it is there"), OID_GEN_VENDOR_ID);
        }
        lab.down();
    }

    fn a_packet_filter_is_taken_whole_or_not_at_all() {
        let lab = MuxLab::running();
        let filter = || query(&lab, OID_GEN_CURRENT_PACKET_FILTER, 4).buffer;
        for bits in 0_u32..0x40 {
            let before = filter();
            let answer = set(&lab, OID_GEN_CURRENT_PACKET_FILTER, &bits.to_le_bytes());
            if bits & 0x10 == 0 {
                assert_eq!((answer.status, answer.done), (0, 4), "{bits:#x}");
                assert_eq!(filter(), bits.to_le_bytes());
            } else {
                // Source routing is for another medium.
                assert_eq!(answer.status, NDIS_STATUS_NOT_SUPPORTED, "{bits:#x}");
                assert_eq!(filter(), before);
            }
        }
        let before = filter();
        for bit in 6..32 {
            let answer = set(&lab, OID_GEN_CURRENT_PACKET_FILTER, &(1_u32 | 1 << bit).to_le_bytes());
            assert_eq!(answer.status, NDIS_STATUS_NOT_SUPPORTED, "{bit}");
        }
        for length in 0..4 {
            let answer = set(&lab, OID_GEN_CURRENT_PACKET_FILTER, &[1; 4][..length]);
            assert_eq!((answer.status, answer.done, answer.needed), (NDIS_STATUS_INVALID_LENGTH, 0, 4));
        }
        assert_eq!(filter(), before);
        lab.down();
    }

    fn a_multicast_list_is_taken_whole_or_not_at_all() {
        let lab = MuxLab::running();
        let list = || query(&lab, OID_802_3_MULTICAST_LIST, 4096).bytes().to_vec();
        let group = |number: u8| [0x33, 0x33, 0, 0, 0, number];
        let groups = |count: u8| (0..count).flat_map(group).collect::<Vec<u8>>();
        for count in [1, 64, 2, 0, 63] {
            let answer = set(&lab, OID_802_3_MULTICAST_LIST, &groups(count));
            assert_eq!((answer.status, answer.done), (0, u32::from(count) * 6), "{count}");
            assert_eq!(list(), groups(count));
        }
        // In order, each once.
        let twice = [group(9), group(3), group(9)].concat();
        assert_eq!(set(&lab, OID_802_3_MULTICAST_LIST, &twice).status, 0);
        assert_eq!(list(), [group(3), group(9)].concat());
        let before = list();
        let full = set(&lab, OID_802_3_MULTICAST_LIST, &groups(65));
        assert_eq!(full.status, NDIS_STATUS_MULTICAST_FULL);
        for length in [1, 5, 7, 11, 64 * 6 - 1, 64 * 6 + 1] {
            let answer = set(&lab, OID_802_3_MULTICAST_LIST, &groups(65)[..length]);
            assert_eq!((answer.status, answer.done), (NDIS_STATUS_INVALID_LENGTH, 0), "{length}");
        }
        let station = [group(1), [2, 0, 0, 0, 0, 1]].concat();
        assert_eq!(set(&lab, OID_802_3_MULTICAST_LIST, &station).status, NDIS_STATUS_INVALID_DATA);
        assert_eq!(list(), before);
        lab.down();
    }

    fn sets_without_effect_are_taken_and_power_is_never_passed_down() {
        let lab = MuxLab::running();
        for length in 0..4 {
            let answer = set(&lab, OID_GEN_CURRENT_LOOKAHEAD, &[0; 4][..length]);
            assert_eq!((answer.status, answer.done, answer.needed), (NDIS_STATUS_INVALID_LENGTH, 0, 4));
        }
        let lookahead = set(&lab, OID_GEN_CURRENT_LOOKAHEAD, &128_u32.to_le_bytes());
        assert_eq!((lookahead.status, lookahead.done), (0, 4));
        assert_eq!(query(&lab, OID_GEN_CURRENT_LOOKAHEAD, 4).buffer, 256_u32.to_le_bytes());
        let moderation = set(&lab, OID_GEN_INTERRUPT_MODERATION, &[0; 12]);
        assert_eq!(moderation.status, NDIS_STATUS_INVALID_DATA);
        lab.trace().clear();
        for state in 1..=4_u32 {
            assert_eq!(query(&lab, OID_PNP_QUERY_POWER, 4).status, 0);
            assert_eq!(set(&lab, OID_PNP_SET_POWER, &state.to_le_bytes()).status, 0);
        }
        assert!(lab.trace().image_calls("NdisOidRequest").is_empty());
        lab.assert_traffic("vlan10", 10);
        lab.down();
    }

    fn statistics_are_each_virtual_miniports_own_and_right() {
        let lab = MuxLab::new(&[NONE, VLAN10, VLAN20]);
        lab.up();
        let own = lab.address("vlan10");
        // Sent: 3 frames of 60 to a station, 2 of 100 to a group, 1 of 1510 to all, 2 refused here, 1
        // refused below. Without their tags.
        let to = |destination, length: usize| Frame::new(own, destination, 1).of_length(length - 14).bytes();
        let group = [0x33, 0x33, 0, 0, 0, 7];
        let mut chain = vec![to(MAC_PEER, 60); 3];
        chain.extend(vec![to(group, 100); 2]);
        chain.extend([to([0xFF; 6], 1510), vec![1; 5], vec![2; 11], to(MAC_PEER, 4000)]);
        let statuses = lab.above("vlan10").send(&chain).wait(SOON).expect("all complete");
        assert_eq!(statuses.iter().filter(|status| **status == 0).count(), 6);
        // Received: 4 of 64, 3 of 80, 2 of 90; others' too.
        let from = |destination, length: usize, vlan| {
            Frame::new(MAC_PEER, destination, 1).of_length(length - 14).tagged(vlan).bytes()
        };
        let mut inject = Vec::new();
        inject.extend(vec![from(own, 64, 10); 4]);
        inject.extend(vec![from(group, 80, 10); 3]);
        inject.extend(vec![from([0xFF; 6], 90, 10); 2]);
        inject.extend(vec![from([0xFF; 6], 90, 20); 5]);
        inject.extend(vec![from([2; 6], 90, 10); 6]);
        inject.iter().for_each(|frame| lab.below().inject(frame));
        for (name, number) in [("vlan10", 9), ("vlan20", 5)] {
            for _frame in 0..number {
                lab.above(name).recv(SOON).expect("it arrives");
            }
        }
        let counters = [
            (OID_GEN_DIRECTED_FRAMES_XMIT, 3), (OID_GEN_DIRECTED_BYTES_XMIT, 180),
            (OID_GEN_MULTICAST_FRAMES_XMIT, 2), (OID_GEN_MULTICAST_BYTES_XMIT, 200),
            (OID_GEN_BROADCAST_FRAMES_XMIT, 1), (OID_GEN_BROADCAST_BYTES_XMIT, 1510),
            (OID_GEN_BYTES_XMIT, 1890), (OID_GEN_XMIT_DISCARDS, 2), (OID_GEN_XMIT_ERROR, 1),
            (OID_GEN_DIRECTED_FRAMES_RCV, 4), (OID_GEN_DIRECTED_BYTES_RCV, 256),
            (OID_GEN_MULTICAST_FRAMES_RCV, 3), (OID_GEN_MULTICAST_BYTES_RCV, 240),
            (OID_GEN_BROADCAST_FRAMES_RCV, 2), (OID_GEN_BROADCAST_BYTES_RCV, 180),
            (OID_GEN_BYTES_RCV, 676), (OID_GEN_RCV_DISCARDS, 0), (OID_GEN_RCV_ERROR, 0),
            (OID_GEN_XMIT_OK, 6), (OID_GEN_RCV_OK, 9), (OID_GEN_RCV_NO_BUFFER, 0),
        ];
        for (oid, value) in counters {
            let (status, bytes) = lab.above("vlan10").query(oid, 8);
            assert_eq!((status, bytes), (0, u64::to_le_bytes(value).to_vec()), "{oid:#x}");
        }
        for (name, received) in [("vlan20", 5_u64), ("none", 0)] {
            let count = |oid| lab.above(name).query(oid, 8).1;
            assert_eq!(count(OID_GEN_RCV_OK), received.to_le_bytes(), "{name}");
            assert_eq!(count(OID_GEN_XMIT_OK), 0_u64.to_le_bytes(), "{name}");
        }
        lab.down();
    }

    fn oids_are_answered_while_the_binding_is_paused() {
        let lab = MuxLab::running();
        lab.below().hold_requests(true);
        std::thread::scope(|scope| {
            // Another protocol's bind pauses the binding until the NIC answers it.
            let other = scope.spawn(|| lab.add_client("other", ndismux_tests::NIC).expect("a device"));
            until(|| lab.below().requests_outstanding() == 1);
            assert_eq!(query(&lab, OID_GEN_VLAN_ID, 4).buffer, 10_u32.to_le_bytes());
            assert_eq!(set(&lab, OID_GEN_CURRENT_LOOKAHEAD, &[0; 4]).status, 0);
            // What the adapter below has to take waits for it.
            let client = lab.above("vlan10");
            let all = NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_PROMISCUOUS;
            let filter = scope.spawn(move || client.set_packet_filter(all));
            let queue = scope.spawn(|| lab.above("vlan20").query(OID_GEN_TRANSMIT_QUEUE_LENGTH, 4));
            std::thread::sleep(NEVER);
            assert!(!queue.is_finished());
            lab.below().hold_requests(false);
            other.join().expect("the client binds");
            assert_eq!(filter.join().expect("it is set"), 0);
            assert_eq!(queue.join().expect("it is answered"), (0, vec![0; 4]));
        });
        lab.remove_client("other").expect("the client was there");
        lab.assert_traffic("vlan10", 10);
        lab.down();
    }

    fn d12_each_virtual_miniport_says_an_address_of_its_own() {
        let lab = MuxLab::new(&[NONE, VLAN10, VLAN20]);
        lab.up();
        let mut seen = vec![MAC_BELOW.to_vec()];
        for name in ["none", "vlan10", "vlan20"] {
            for oid in [OID_802_3_CURRENT_ADDRESS, OID_802_3_PERMANENT_ADDRESS] {
                let answer = lab.query(name, oid, 6).expect("the adapter is there");
                assert_eq!(answer.buffer, lab.address(name), "{name}");
            }
            let address = lab.address(name).to_vec();
            assert_eq!(address[0] & 3, 2, "a station's, given out locally");
            assert!(!seen.contains(&address), "{name}");
            seen.push(address);
        }
        lab.down();
    }
}

/// What a virtual miniport of VLAN 10 answers before there was traffic, with the filter and the list
/// that a client sets when it comes up.
fn answers(lab: &MuxLab) -> Vec<(&'static str, u32, Vec<u8>)> {
    let number = |number: u32| number.to_le_bytes().to_vec();
    let frame = || number(1496 + 14);
    let counter = || vec![0; 8];
    let address = lab.address("vlan10").to_vec();
    let filter =
        NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_BROADCAST | NDIS_PACKET_TYPE_ALL_MULTICAST;
    // Revision 1, its size, all valid, nothing counted.
    let mut statistics = vec![0x80, 1, 152, 0, 0xFF, 0x87, 0x3F, 0];
    statistics.resize(152, 0);
    // Revision 1, its size, no flags, NdisInterruptModerationNotSupported.
    let moderation = vec![0x80, 1, 12, 0, 0, 0, 0, 0, 1, 0, 0, 0];
    macro_rules! rows {
        ($($oid:ident = $value:expr),* $(,)?) => { vec![$((stringify!($oid), $oid, $value)),*] };
    }
    rows![
        OID_GEN_HARDWARE_STATUS = number(0),
        OID_GEN_MAXIMUM_FRAME_SIZE = number(1496),
        OID_GEN_TRANSMIT_BUFFER_SPACE = frame(),
        OID_GEN_RECEIVE_BUFFER_SPACE = frame(),
        OID_GEN_TRANSMIT_BLOCK_SIZE = frame(),
        OID_GEN_RECEIVE_BLOCK_SIZE = frame(),
        OID_GEN_VENDOR_ID = number(0x00FF_FFFF),
        OID_GEN_VENDOR_DESCRIPTION = b"ndismux VLAN adapter\0".to_vec(),
        OID_GEN_CURRENT_PACKET_FILTER = number(filter),
        OID_GEN_CURRENT_LOOKAHEAD = number(256),
        OID_GEN_MAXIMUM_TOTAL_SIZE = frame(),
        OID_GEN_MAXIMUM_SEND_PACKETS = number(1),
        OID_GEN_VENDOR_DRIVER_VERSION = number(1),
        OID_GEN_INTERRUPT_MODERATION = moderation,
        OID_GEN_VLAN_ID = number(10),
        OID_GEN_XMIT_OK = counter(),
        OID_GEN_RCV_OK = counter(),
        OID_GEN_XMIT_ERROR = counter(),
        OID_GEN_RCV_ERROR = counter(),
        OID_GEN_RCV_NO_BUFFER = counter(),
        OID_GEN_STATISTICS = statistics,
        OID_802_3_PERMANENT_ADDRESS = address.clone(),
        OID_802_3_CURRENT_ADDRESS = address,
        OID_802_3_MULTICAST_LIST = vec![0x33, 0x33, 0, 0, 0, 1],
        OID_802_3_MAXIMUM_LIST_SIZE = number(64),
        OID_802_3_RCV_ERROR_ALIGNMENT = counter(),
        OID_802_3_XMIT_ONE_COLLISION = counter(),
        OID_802_3_XMIT_MORE_COLLISIONS = counter(),
    ]
}

/// Whether an OID is a counter that is 32 bits where there is no room for 64.
fn is_counter(oid: u32) -> bool {
    oid >> 16 == 2 || oid >> 16 == 0x0102
}

fn query(lab: &MuxLab, oid: u32, room: usize) -> Answer {
    lab.query("vlan10", oid, room)
        .expect("the adapter is there")
}

fn set(lab: &MuxLab, oid: u32, value: &[u8]) -> Answer {
    lab.set("vlan10", oid, value).expect("the adapter is there")
}

fn assert_refused(answer: &Answer, oid: u32) {
    assert_eq!(answer.status, NDIS_STATUS_NOT_SUPPORTED, "{oid:#010x}");
    assert_eq!(answer.done, 0, "{oid:#010x}");
}
