//! `mux_core::oid::TABLE`, row by row through the driver: each kind of request, with a buffer of no byte,
//! one too few, as many as needed, and more. The page behind each buffer cannot be touched.

use mux_core::{
    oid::{self, Length, Policy, Refusal, Row},
    rss,
};
use ndis_host::{
    lab::Answer,
    nic::{NicConfig, Offloads, ScalingCapabilities},
};
use ndis_sys::*;
use ndismux_tests::{MAC_BELOW, MuxLab, NIC, VLAN10, VLAN20, image_tests};

image_tests! {
    fn d08_d16_each_row_checks_its_buffer_before_it_reads_or_writes() {
        // Offloads and scaling can be set where there are some.
        let encapsulation = NDIS_ENCAPSULATION_IEEE_802_3_P_AND_Q_IN_OOB;
        let offloads = Some(Offloads::with(encapsulation));
        let scaling = Some(ScalingCapabilities { flags: 0x301, queues: 4, table_entries: 128 });
        let nic = NicConfig { offloads, scaling, ..NicConfig::new(NIC, MAC_BELOW).handling_tags() };
        let lab = MuxLab::with_nic(nic, &[VLAN10, VLAN20]);
        lab.up();
        for row in oid::TABLE {
            for length in lengths(row.query) {
                let answer = lab.query("vlan10", row.oid, length).expect("the adapter is there");
                assert_query(row, length, &answer);
            }
            for length in lengths(row.set) {
                // Ones are a group address, and zeros a filter that lets nothing in.
                let fill = u8::from(matches!(row.set, Policy::Combine(Length::Elements(_))));
                let mut value = vec![fill; length];
                if row.oid == OID_GEN_RECEIVE_SCALE_PARAMETERS {
                    let off = rss::disabled();
                    let known = length.min(off.len());
                    value[..known].copy_from_slice(&off[..known]);
                }
                let answer = lab.set("vlan10", row.oid, &value).expect("the adapter is there");
                assert_eq!(answer.buffer, value, "{} is not written to", row.name);
                assert_set(row, length, &answer);
            }
            for length in lengths(row.method) {
                let answer = lab.method("vlan10", row.oid, &vec![0; length]);
                let answer = answer.expect("the adapter is there");
                assert_eq!(answer.status, status_of_refusal(row.method), "{} {length}", row.name);
                assert_eq!((answer.done, answer.buffer), (0, vec![0; length]), "{}", row.name);
            }
        }
        // Nothing of that left the adapter in another state than the last valid set did.
        assert_eq!(lab.above("vlan10").set_packet_filter(NDIS_PACKET_TYPE_DIRECTED), 0);
        lab.assert_traffic("vlan10", 10);
        lab.down();
    }

    fn d16_a_vlan_id_is_not_set_by_a_request_whatever_it_is() {
        let lab = MuxLab::running();
        for id in [0_u32, 10, 20, 4094, 4095, 4096, u32::MAX] {
            let answer = lab.set("vlan10", OID_GEN_VLAN_ID, &id.to_le_bytes());
            let answer = answer.expect("the adapter is there");
            assert_eq!((answer.status, answer.done), (NDIS_STATUS_NOT_SUPPORTED, 0), "{id}");
        }
        lab.assert_traffic("vlan10", 10);
        lab.assert_traffic("vlan20", 20);
        lab.down();
    }
}

/// The lengths to try: none, and around what is needed.
fn lengths(policy: Policy) -> Vec<usize> {
    let exact = match policy {
        Policy::Answer(length) | Policy::Forward(length) | Policy::Combine(length) => length,
        Policy::Refuse(_) => Length::Bytes(4),
    };
    match exact {
        Length::Any => vec![0, 1, 4, 64],
        Length::Counter => vec![0, 3, 4, 7, 8, 9, 64],
        Length::Bytes(bytes) | Length::Elements(bytes) => {
            let bytes = bytes as usize;
            vec![
                0,
                bytes - 1,
                bytes,
                bytes + 1,
                2 * bytes,
                2 * bytes + 1,
                4096,
            ]
        }
    }
}

fn assert_query(row: &Row, length: usize, answer: &Answer) {
    let what = format!("query of {} with {length} bytes: {answer:?}", row.name);
    let needed = match row.query {
        Policy::Answer(needed) | Policy::Forward(needed) => needed,
        Policy::Combine(_) => unreachable!("{what}"),
        Policy::Refuse(_) => {
            assert_eq!(answer.status, status_of_refusal(row.query), "{what}");
            assert_untouched(&answer.buffer, &what);
            return;
        }
    };
    let (fits, written, needed) = match needed {
        Length::Any => (true, 0, 0),
        Length::Bytes(bytes) => (length >= bytes as usize, bytes, bytes),
        Length::Counter => (length >= 4, if length >= 8 { 8 } else { 4 }, 8),
        // The list that the client set has one element.
        Length::Elements(size) => (length >= size as usize, size, size),
    };
    if fits {
        assert_eq!(
            (answer.status, answer.done),
            (NDIS_STATUS_SUCCESS, written),
            "{what}"
        );
        assert_untouched(&answer.buffer[written as usize..], &what);
    } else {
        let expected = (NDIS_STATUS_BUFFER_TOO_SHORT, 0, needed);
        assert_eq!(
            (answer.status, answer.done, answer.needed),
            expected,
            "{what}"
        );
        assert_untouched(&answer.buffer, &what);
    }
}

fn assert_set(row: &Row, length: usize, answer: &Answer) {
    let what = format!("set of {} with {length} bytes: {answer:?}", row.name);
    let policy = row.set;
    let (Policy::Answer(needed) | Policy::Forward(needed) | Policy::Combine(needed)) = policy
    else {
        assert_eq!(
            (answer.status, answer.done),
            (status_of_refusal(policy), 0),
            "{what}"
        );
        return;
    };
    match needed.check(length) {
        // The list has room for 64 groups.
        Ok(()) if matches!(needed, Length::Elements(_)) && length > 64 * 6 => {
            assert_eq!(answer.status, NDIS_STATUS_MULTICAST_FULL, "{what}");
        }
        Ok(()) => assert_eq!((answer.status, answer.done), (0, length as u32), "{what}"),
        Err(needed) => {
            let expected = (NDIS_STATUS_INVALID_LENGTH, 0, needed);
            assert_eq!(
                (answer.status, answer.done, answer.needed),
                expected,
                "{what}"
            );
        }
    }
}

fn status_of_refusal(policy: Policy) -> i32 {
    match policy {
        Policy::Refuse(Refusal::NotSupported) => NDIS_STATUS_NOT_SUPPORTED,
        Policy::Refuse(Refusal::InvalidData) => NDIS_STATUS_INVALID_DATA,
        other => panic!("{other:?} is no refusal"),
    }
}

/// What a query was given is still there.
fn assert_untouched(buffer: &[u8], what: &str) {
    assert!(buffer.iter().all(|byte| *byte == 0xA5), "{what}");
}
