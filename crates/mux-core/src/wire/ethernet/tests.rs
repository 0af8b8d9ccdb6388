use proptest::prelude::*;

use super::*;
use crate::wire::vlan::ETHERTYPE_SERVICE_VLAN;

const UNTAGGED: [u8; 14] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x08, 0x00];
const TAGGED: [u8; 18] = [
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x81, 0x00, 0xb0, 0x0a, 0x86, 0xdd,
];

#[test]
fn an_untagged_header_needs_14_bytes() {
    let header = Header::parse(&UNTAGGED).unwrap();
    assert_eq!(header.destination, MacAddress([1, 2, 3, 4, 5, 6]));
    assert_eq!(header.source, MacAddress([7, 8, 9, 10, 11, 12]));
    assert_eq!(header.ether_type, 0x0800);
    assert_eq!(header.tag, None);
    assert_eq!(header.length(), 14);
    assert_eq!(Header::parse(&UNTAGGED[..13]), None);
}

#[test]
fn a_tagged_header_needs_18_bytes() {
    let header = Header::parse(&TAGGED).unwrap();
    assert_eq!(header.ether_type, 0x86dd);
    assert_eq!(header.tag, Some(Tag::from_tci(0xb00a)));
    assert_eq!(header.length(), 18);
    assert_eq!(Header::parse(&TAGGED[..17]), None);
    assert_eq!(Header::parse(&TAGGED[..14]), None);
}

#[test]
fn a_tag_of_all_zeros_is_a_tag() {
    let mut frame = TAGGED;
    frame[14..16].fill(0);
    assert_eq!(Header::parse(&frame).unwrap().tag, Some(Tag::default()));
}

#[test]
fn a_service_tag_is_a_type_like_any_other() {
    let mut frame = TAGGED;
    frame[12..14].copy_from_slice(&ETHERTYPE_SERVICE_VLAN.to_be_bytes());
    let header = Header::parse(&frame).unwrap();
    assert_eq!(header.tag, None);
    assert_eq!(header.ether_type, ETHERTYPE_SERVICE_VLAN);
}

#[test]
fn the_second_of_two_tags_is_a_type_like_any_other() {
    let mut frame = TAGGED;
    frame[16..18].copy_from_slice(&ETHERTYPE_VLAN.to_be_bytes());
    let header = Header::parse(&frame).unwrap();
    assert_eq!(header.tag, Some(Tag::from_tci(0xb00a)));
    assert_eq!(header.ether_type, ETHERTYPE_VLAN);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        let tagged = bytes.get(12..14) == Some(&[0x81, 0x00][..]);
        let needed = if tagged { LONGEST } else { HEADER_LENGTH };
        let header = Header::parse(&bytes);
        prop_assert_eq!(header.is_some(), bytes.len() >= needed);
        if let Some(header) = header {
            prop_assert_eq!(header.tag.is_some(), tagged);
            prop_assert_eq!(header.length(), needed);
            prop_assert_eq!(&header.destination.octets()[..], &bytes[..6]);
            prop_assert_eq!(&header.source.octets()[..], &bytes[6..12]);
            prop_assert_eq!(&header.ether_type.to_be_bytes()[..], &bytes[needed - 2..needed]);
            prop_assert_eq!(Header::parse(&bytes[..needed]), Some(header), "read beyond its length");
        }
    }

    /// Random bytes seldom have a tag; these all have one.
    #[test]
    fn any_tagged_bytes_are_read_or_refused(
        addresses: [u8; 12],
        rest in prop::collection::vec(any::<u8>(), 0..12),
    ) {
        let bytes = [&addresses[..], &[0x81, 0x00], &rest].concat();
        let header = Header::parse(&bytes);
        prop_assert_eq!(header.is_some(), rest.len() >= 4);
        if let Some(header) = header {
            let tci = header.tag.map(Tag::tci).map(u16::to_be_bytes);
            prop_assert_eq!(tci.as_ref().map(|tci| &tci[..]), Some(&rest[..2]));
        }
    }
}
