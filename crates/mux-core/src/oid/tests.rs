use proptest::prelude::*;

use super::*;

#[test]
fn power_is_always_answered_and_never_handed_down() {
    assert_eq!(policy(OID_PNP_SET_POWER, Kind::Set), Policy::Answer);
    assert_eq!(policy(OID_PNP_QUERY_POWER, Kind::Query), Policy::Answer);
}

#[test]
fn what_widens_the_filter_below_is_combined() {
    let combined: std::vec::Vec<_> = TABLE
        .iter()
        .filter(|row| row.query == Policy::Combine || row.set == Policy::Combine)
        .map(|row| row.oid)
        .collect();
    assert_eq!(
        combined,
        [OID_GEN_CURRENT_PACKET_FILTER, OID_802_3_MULTICAST_LIST]
    );
    assert_eq!(
        policy(OID_GEN_CURRENT_PACKET_FILTER, Kind::Query),
        Policy::Answer
    );
}

#[test]
fn the_queue_below_is_asked_below() {
    assert_eq!(
        policy(OID_GEN_TRANSMIT_QUEUE_LENGTH, Kind::Query),
        Policy::Forward
    );
}

#[test]
fn the_vlan_is_told_but_not_taken() {
    assert_eq!(policy(OID_GEN_VLAN_ID, Kind::Query), Policy::Answer);
    assert_eq!(policy(OID_GEN_VLAN_ID, Kind::Set), Policy::Refuse);
}

#[test]
fn methods_are_refused() {
    for row in TABLE {
        assert_eq!(
            policy(row.oid, Kind::Method),
            Policy::Refuse,
            "{}",
            row.name
        );
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
        assert_eq!(policy(oid, Kind::Query), Policy::Answer, "{oid:#010x}");
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
        assert_ne!(policy(oid, Kind::Set), Policy::Refuse, "{oid:#010x}");
    }
}

#[test]
fn numbers_ascend_so_none_is_there_twice() {
    assert!(TABLE.windows(2).all(|pair| pair[0].oid < pair[1].oid));
}

#[test]
fn supported_is_what_is_not_refused() {
    assert_eq!(SUPPORTED.len(), TABLE.len());
    for (row, oid) in TABLE.iter().zip(SUPPORTED) {
        assert_eq!(row.oid, *oid);
        assert!(
            row.query != Policy::Refuse || row.set != Policy::Refuse,
            "{} is in the table and refused",
            row.name
        );
    }
}

/// The numbers by name, from the public headers. A number with one digit wrong still compiles.
#[test]
fn numbers_are_those_of_ndis() {
    let numbers = TABLE.iter().map(|row| (row.name, row.oid));
    assert!(numbers.eq(NUMBERS));
}

const NUMBERS: [(&str, u32); 31] = [
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
    ("OID_GEN_MAXIMUM_SEND_PACKETS", 65813),
    ("OID_GEN_VENDOR_DRIVER_VERSION", 65814),
    ("OID_GEN_INTERRUPT_MODERATION", 66057),
    ("OID_GEN_VLAN_ID", 66076),
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
    ("OID_802_3_RCV_ERROR_ALIGNMENT", 16908545),
    ("OID_802_3_XMIT_ONE_COLLISION", 16908546),
    ("OID_802_3_XMIT_MORE_COLLISIONS", 16908547),
    ("OID_PNP_SET_POWER", 4244701441),
    ("OID_PNP_QUERY_POWER", 4244701442),
];

proptest! {
    #[test]
    fn what_is_not_in_the_table_is_refused(oid: u32) {
        if !SUPPORTED.contains(&oid) {
            for kind in [Kind::Query, Kind::Set, Kind::Method] {
                prop_assert_eq!(policy(oid, kind), Policy::Refuse);
            }
        }
    }
}
