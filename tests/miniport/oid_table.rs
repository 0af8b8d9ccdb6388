//! `mux_core::oid::TABLE`, row by row through the driver: each kind of request, with a buffer of no byte,
//! one too few, as many as needed, and more. The page behind each buffer cannot be touched.

use std::thread;

use mux_core::{
    oid::{self, Length, Policy, Refusal, Row},
    rss,
};
use ndis_host::{
    lab::Answer,
    ndis::trace::Record,
    nic::{NicConfig, Offloads, ScalingCapabilities, WakeUp},
    nt::registry::Value,
};
use ndis_sys::*;
use ndismux_tests::{MAC_BELOW, MuxLab, NIC, VLAN10, VLAN20, image_tests};

image_tests! {
    fn d08_d16_each_row_checks_its_buffer_before_it_reads_or_writes() {
        // Offloads and scaling can be set where there are some.
        let encapsulation = NDIS_ENCAPSULATION_IEEE_802_3_P_AND_Q_IN_OOB;
        let offloads = Some(Offloads::with(encapsulation));
        let scaling = Some(ScalingCapabilities { flags: 0x301, queues: 4, table_entries: 128 });
        let wake_up = Some(WakeUp::USUAL);
        let nic = NicConfig { offloads, scaling, wake_up, ..NicConfig::new(NIC, MAC_BELOW).handling_tags() };
        let lab = MuxLab::with_nic(nic, &[VLAN10, VLAN20]);
        lab.set_values("vlan10", &[("VlanId", Value::Dword(10)), ("*WakeOnPattern", Value::Dword(1))]);
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

    fn direct_requests_are_refused_as_the_table_says_at_dispatch_level() {
        let lab = MuxLab::running();
        let kinds = [
            (oid::Kind::Query, NdisRequestQueryInformation),
            (oid::Kind::Query, NdisRequestQueryStatistics),
            (oid::Kind::Set, NdisRequestSetInformation),
            (oid::Kind::Method, NdisRequestMethod),
        ];
        let unknown = [0, 0xFF00_0001, u32::MAX];
        // One may not be refused, by the Driver Verifier's rule: nobody makes it directly.
        let may_be_refused = |oid: &u32| *oid != OID_PM_REMOVE_WOL_PATTERN;
        let oids = || {
            let known = oid::TABLE.iter().map(|row| row.oid);
            known.filter(may_be_refused).chain(unknown)
        };
        lab.trace().clear();
        thread::scope(|scope| {
            // Beside each other, and beside regular ones.
            for name in ["vlan10", "vlan20"] {
                let client = lab.above(name);
                for (kind, raw) in kinds {
                    scope.spawn(move || {
                        for oid in oids() {
                            let status = client.direct_request(&mut request(raw, oid));
                            let refusal = Policy::Refuse(oid::direct(oid, kind));
                            assert_eq!(status, status_of_refusal(refusal), "{kind:?} {oid:#x}");
                        }
                    });
                }
                scope.spawn(move || {
                    for _round in 0..50 {
                        assert_eq!(client.query(OID_GEN_VENDOR_ID, 4).0, NDIS_STATUS_SUCCESS);
                    }
                });
            }
        });
        for kind in [NdisRequestOpen, NdisRequestGeneric1, 99] {
            let status = lab.above("vlan10").direct_request(&mut request(kind, OID_GEN_VENDOR_ID));
            assert_eq!(status, NDIS_STATUS_NOT_SUPPORTED, "{kind}");
        }
        // They reach the driver. None pends, so none is completed later, and nothing goes below.
        let device = ndismux_tests::device("vlan10");
        let records = lab.trace().records();
        let is_it = |it: &&Record| it.name == "MiniportDirectOidRequest" && it.object.ends_with(&device);
        let reached = records.iter().filter(is_it).count();
        assert_eq!(reached, kinds.len() * oids().count() + 3);
        for not_called in ["NdisMDirectOidRequestComplete", "NdisOidRequest", "NdisDirectOidRequest"] {
            assert!(lab.trace().image_calls(not_called).is_empty(), "{not_called}");
        }
        lab.down();
    }

    fn d13_method_requests_and_private_oids_stay_above() {
        let lab = MuxLab::running();
        lab.trace().clear();
        // What virtual machines and wake-up need, and what only the maker of the adapter below knows.
        // Nothing that a virtual miniport shows is asked for or set by a method.
        let private = [0xFF00_0001, 0xFF01_0203, 0xFFFF_FFFE];
        let methods = [
            OID_RECEIVE_FILTER_ALLOCATE_QUEUE, OID_RECEIVE_FILTER_SET_FILTER,
            OID_RECEIVE_FILTER_ENUM_FILTERS, OID_RECEIVE_FILTER_PARAMETERS,
            OID_PM_GET_PROTOCOL_OFFLOAD,
        ];
        for oid in methods.into_iter().chain(private) {
            for length in [0, 4, 64] {
                let answer = lab.method("vlan10", oid, &vec![7; length]).expect("it is there");
                let expected = (NDIS_STATUS_NOT_SUPPORTED, 0, vec![7; length]);
                assert_eq!((answer.status, answer.done, answer.buffer), expected, "{oid:#x}");
            }
        }
        for oid in private {
            let query = lab.query("vlan10", oid, 64).expect("the adapter is there");
            let set = lab.set("vlan10", oid, &[7; 64]).expect("the adapter is there");
            assert_eq!([query.status, set.status], [NDIS_STATUS_NOT_SUPPORTED; 2], "{oid:#x}");
        }
        assert!(lab.trace().image_calls("NdisOidRequest").is_empty());
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

/// A request with an empty buffer.
fn request(kind: NDIS_REQUEST_TYPE, oid: u32) -> NDIS_OID_REQUEST {
    let mut request = NDIS_OID_REQUEST {
        Header: NDIS_OBJECT_HEADER::new(
            NDIS_OBJECT_TYPE_OID_REQUEST,
            NDIS_OID_REQUEST_REVISION_1,
            NDIS_SIZEOF_OID_REQUEST_REVISION_1,
        ),
        RequestType: kind,
        ..NDIS_OID_REQUEST::zeroed()
    };
    request.DATA.Oid = oid;
    request
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
        // No pattern is so short, or all of zeros.
        Ok(()) if row.oid == OID_PM_ADD_WOL_PATTERN => {
            assert_eq!(answer.status, NDIS_STATUS_INVALID_PARAMETER, "{what}");
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
        Policy::Refuse(Refusal::NotAccepted) => NDIS_STATUS_NOT_ACCEPTED,
        other => panic!("{other:?} is no refusal"),
    }
}

/// What a query was given is still there.
fn assert_untouched(buffer: &[u8], what: &str) {
    assert!(buffer.iter().all(|byte| *byte == 0xA5), "{what}");
}
