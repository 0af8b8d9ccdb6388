use std::string::ToString;

use proptest::prelude::*;

use super::*;

#[test]
fn power_is_always_answered_and_never_handed_down() {
    let answered = Policy::Answer(Length::Any);
    assert_eq!(policy(OID_PNP_SET_POWER, Kind::Set), answered);
    assert_eq!(policy(OID_PNP_QUERY_POWER, Kind::Query), answered);
}

#[test]
fn what_they_share_of_the_adapter_below_is_combined() {
    let combined: std::vec::Vec<_> = TABLE
        .iter()
        .filter(|row| {
            matches!(
                (row.query, row.set),
                (Policy::Combine(_), _) | (_, Policy::Combine(_))
            )
        })
        .map(|row| row.oid)
        .collect();
    assert_eq!(
        combined,
        [
            OID_GEN_CURRENT_PACKET_FILTER,
            OID_GEN_RECEIVE_SCALE_PARAMETERS,
            OID_802_3_MULTICAST_LIST,
            OID_PM_PARAMETERS,
            OID_PM_ADD_WOL_PATTERN,
            OID_PM_REMOVE_WOL_PATTERN,
        ]
    );
    assert!(answers(OID_GEN_CURRENT_PACKET_FILTER, Kind::Query));
}

#[test]
fn the_queue_below_is_asked_below() {
    assert_eq!(
        policy(OID_GEN_TRANSMIT_QUEUE_LENGTH, Kind::Query),
        Policy::Forward(Length::Bytes(4))
    );
}

#[test]
fn the_vlan_is_told_but_not_taken() {
    assert!(answers(OID_GEN_VLAN_ID, Kind::Query));
    assert_eq!(policy(OID_GEN_VLAN_ID, Kind::Set), NOT_SUPPORTED);
}

#[test]
fn methods_are_refused() {
    for row in TABLE {
        assert_eq!(row.method, NOT_SUPPORTED, "{}", row.name);
    }
}

#[test]
fn direct_requests_are_refused_as_regular_ones_or_not_supported() {
    for row in TABLE {
        for kind in [Kind::Query, Kind::Set, Kind::Method] {
            let expected = match row.policy(kind) {
                Policy::Refuse(refusal) => refusal,
                _ if (row.oid, kind) == (OID_PNP_SET_POWER, Kind::Set) => Refusal::NotAccepted,
                _ => Refusal::NotSupported,
            };
            assert_eq!(direct(row.oid, kind), expected, "{} {kind:?}", row.name);
        }
    }
    assert_eq!(direct(0xFF00_0001, Kind::Method), Refusal::NotSupported);
}

/// The rule NdisOidComplete: what gives something back ends in no other failure, on either way. Those of
/// the wake-up patterns and the protocol offloads are left out.
#[test]
fn what_gives_something_back_is_not_accepted() {
    for oid in [
        OID_RECEIVE_FILTER_CLEAR_FILTER,
        OID_TCP_TASK_IPSEC_OFFLOAD_V2_DELETE_SA,
        OID_RECEIVE_FILTER_FREE_QUEUE,
        OID_NIC_SWITCH_FREE_VF,
        OID_NIC_SWITCH_DELETE_SWITCH,
        OID_802_3_DELETE_MULTICAST_ADDRESS,
        OID_TUNNEL_INTERFACE_RELEASE_OID,
    ] {
        let refused = Policy::Refuse(Refusal::NotAccepted);
        assert_eq!(policy(oid, Kind::Set), refused, "{oid:#010x}");
        assert_eq!(direct(oid, Kind::Set), Refusal::NotAccepted, "{oid:#010x}");
        assert!(!SUPPORTED.contains(&oid), "{oid:#010x}");
    }
}

/// "Mandatory OIDs for Miniport Drivers", without those that NDIS answers itself. The set of
/// `OID_GEN_LINK_PARAMETERS` is left out: that page calls it mandatory, its own page optional, and a
/// virtual miniport has no link to set.
#[test]
fn mandatory_queries_are_answered() {
    for oid in [
        OID_GEN_INTERRUPT_MODERATION,
        OID_GEN_MAXIMUM_TOTAL_SIZE,
        OID_GEN_RCV_OK,
        OID_GEN_RECEIVE_BLOCK_SIZE,
        OID_GEN_RECEIVE_BUFFER_SPACE,
        OID_GEN_STATISTICS,
        OID_GEN_TRANSMIT_BLOCK_SIZE,
        OID_GEN_TRANSMIT_BUFFER_SPACE,
        OID_GEN_VENDOR_DESCRIPTION,
        OID_GEN_VENDOR_DRIVER_VERSION,
        OID_GEN_VENDOR_ID,
        OID_GEN_XMIT_OK,
    ] {
        assert!(answers(oid, Kind::Query), "{oid:#010x}");
    }
}

#[test]
fn mandatory_sets_are_taken() {
    for oid in [
        OID_GEN_CURRENT_LOOKAHEAD,
        OID_GEN_CURRENT_PACKET_FILTER,
        OID_GEN_INTERRUPT_MODERATION,
        OID_802_3_MULTICAST_LIST,
    ] {
        assert_ne!(policy(oid, Kind::Set), NOT_SUPPORTED, "{oid:#010x}");
    }
}

#[test]
fn numbers_ascend_so_none_is_there_twice() {
    assert!(TABLE.windows(2).all(|pair| pair[0].oid < pair[1].oid));
}

#[test]
fn supported_is_what_is_not_refused() {
    let refused = |policy| matches!(policy, Policy::Refuse(_));
    let supported = TABLE
        .iter()
        .filter(|row| !(refused(row.query) && refused(row.set) && refused(row.method)))
        .map(|row| row.oid);
    assert!(supported.eq(SUPPORTED.iter().copied()));
    assert!(SUPPORTED.contains(&OID_GEN_XMIT_OK));
    assert!(!SUPPORTED.contains(&OID_GEN_LINK_PARAMETERS));
}

#[test]
fn a_length_is_checked_before_anything_is_read() {
    for (length, fits, needs) in [
        (Length::Any, &[0, 1, 100][..], &[][..]),
        (Length::Bytes(4), &[4, 5, 100], &[(0, 4), (3, 4)]),
        (Length::Counter, &[4, 7, 8, 9], &[(0, 8), (3, 8)]),
        (
            Length::Elements(6),
            &[0, 6, 12],
            &[(1, 0), (5, 0), (7, 6), (13, 12)],
        ),
    ] {
        for fit in fits {
            assert_eq!(length.check(*fit), Ok(()), "{length:?} {fit}");
        }
        for (short, needed) in needs {
            assert_eq!(length.check(*short), Err(*needed), "{length:?} {short}");
        }
    }
}

#[test]
fn a_row_is_shown_with_its_lengths_and_statuses() {
    let shown = |oid| {
        TABLE
            .iter()
            .find(|row| row.oid == oid)
            .map(|row| row.to_string())
    };
    let start = |oid, start: &str| {
        assert!(
            shown(oid).is_some_and(|row| row.starts_with(start)),
            "{start}"
        );
    };
    start(
        OID_802_3_MULTICAST_LIST,
        "| `OID_802_3_MULTICAST_LIST` | answered, n × 6 bytes | combined, n × 6 bytes | `NOT_SUPPORTED` |",
    );
    start(
        OID_GEN_INTERRUPT_MODERATION,
        "| `OID_GEN_INTERRUPT_MODERATION` | answered, 12 bytes | `INVALID_DATA` | `NOT_SUPPORTED` |",
    );
    start(
        OID_GEN_TRANSMIT_QUEUE_LENGTH,
        "| `OID_GEN_TRANSMIT_QUEUE_LENGTH` | forwarded, 4 bytes |",
    );
    start(
        OID_GEN_XMIT_OK,
        "| `OID_GEN_XMIT_OK` | answered, 8 or 4 bytes |",
    );
}

fn answers(oid: u32, kind: Kind) -> bool {
    matches!(policy(oid, kind), Policy::Answer(_))
}

/// The numbers by name, from the public headers. A number with one digit wrong still compiles.
#[test]
fn numbers_are_those_of_ndis() {
    let numbers = TABLE.iter().map(|row| (row.name, row.oid));
    assert!(numbers.eq(NUMBERS.iter().copied()));
}

const NUMBERS: &[(&str, u32)] = &[
    ("OID_GEN_HARDWARE_STATUS", 65794),
    ("OID_GEN_MAXIMUM_FRAME_SIZE", 65798),
    ("OID_GEN_TRANSMIT_BUFFER_SPACE", 65800),
    ("OID_GEN_RECEIVE_BUFFER_SPACE", 65801),
    ("OID_GEN_TRANSMIT_BLOCK_SIZE", 65802),
    ("OID_GEN_RECEIVE_BLOCK_SIZE", 65803),
    ("OID_GEN_VENDOR_ID", 65804),
    ("OID_GEN_VENDOR_DESCRIPTION", 65805),
    ("OID_GEN_CURRENT_PACKET_FILTER", 65806),
    ("OID_GEN_CURRENT_LOOKAHEAD", 65807),
    ("OID_GEN_MAXIMUM_TOTAL_SIZE", 65809),
    ("OID_GEN_PROTOCOL_OPTIONS", 65810),
    ("OID_GEN_MAXIMUM_SEND_PACKETS", 65813),
    ("OID_GEN_VENDOR_DRIVER_VERSION", 65814),
    ("OID_GEN_NETWORK_LAYER_ADDRESSES", 65816),
    ("OID_GEN_RECEIVE_SCALE_PARAMETERS", 66052),
    ("OID_GEN_LINK_PARAMETERS", 66056),
    ("OID_GEN_INTERRUPT_MODERATION", 66057),
    ("OID_GEN_RECEIVE_SCALE_PARAMETERS_V2", 66068),
    ("OID_GEN_VLAN_ID", 66076),
    ("OID_RECEIVE_FILTER_FREE_QUEUE", 66084),
    ("OID_RECEIVE_FILTER_SET_FILTER", 66087),
    ("OID_RECEIVE_FILTER_CLEAR_FILTER", 66088),
    ("OID_NIC_SWITCH_DELETE_SWITCH", 66105),
    ("OID_NIC_SWITCH_FREE_VF", 66118),
    ("OID_GEN_XMIT_OK", 131329),
    ("OID_GEN_RCV_OK", 131330),
    ("OID_GEN_XMIT_ERROR", 131331),
    ("OID_GEN_RCV_ERROR", 131332),
    ("OID_GEN_RCV_NO_BUFFER", 131333),
    ("OID_GEN_STATISTICS", 131334),
    ("OID_GEN_TRANSMIT_QUEUE_LENGTH", 131598),
    ("OID_802_3_PERMANENT_ADDRESS", 16843009),
    ("OID_802_3_CURRENT_ADDRESS", 16843010),
    ("OID_802_3_MULTICAST_LIST", 16843011),
    ("OID_802_3_MAXIMUM_LIST_SIZE", 16843012),
    ("OID_802_3_MAC_OPTIONS", 16843013),
    ("OID_OFFLOAD_ENCAPSULATION", 16843018),
    ("OID_802_3_DELETE_MULTICAST_ADDRESS", 16843273),
    ("OID_802_3_RCV_ERROR_ALIGNMENT", 16908545),
    ("OID_802_3_XMIT_ONE_COLLISION", 16908546),
    ("OID_802_3_XMIT_MORE_COLLISIONS", 16908547),
    ("OID_TUNNEL_INTERFACE_RELEASE_OID", 251724039),
    ("OID_TCP_OFFLOAD_CURRENT_CONFIG", 4227924491),
    ("OID_TCP_OFFLOAD_PARAMETERS", 4227924492),
    ("OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES", 4227924493),
    ("OID_TCP_TASK_IPSEC_OFFLOAD_V2_ADD_SA", 4228055554),
    ("OID_TCP_TASK_IPSEC_OFFLOAD_V2_DELETE_SA", 4228055555),
    ("OID_TCP_TASK_IPSEC_OFFLOAD_V2_UPDATE_SA", 4228055556),
    ("OID_TCP_TASK_IPSEC_OFFLOAD_V2_ADD_SA_EX", 4228055557),
    ("OID_NDK_STATISTICS", 4228121090),
    ("OID_PNP_SET_POWER", 4244701441),
    ("OID_PNP_QUERY_POWER", 4244701442),
    ("OID_PM_PARAMETERS", 4244701449),
    ("OID_PM_ADD_WOL_PATTERN", 4244701450),
    ("OID_PM_REMOVE_WOL_PATTERN", 4244701451),
];

proptest! {
    #[test]
    fn what_is_not_in_the_table_is_refused(oid: u32) {
        if !TABLE.iter().any(|row| row.oid == oid) {
            for kind in [Kind::Query, Kind::Set, Kind::Method] {
                prop_assert_eq!(policy(oid, kind), NOT_SUPPORTED);
            }
        }
    }
}
