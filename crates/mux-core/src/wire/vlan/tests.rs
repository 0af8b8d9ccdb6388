use std::format;

use proptest::prelude::*;

use super::*;

#[test]
fn vlan_ids_are_0_to_4094() {
    assert_eq!(VlanId::new(0), Ok(VlanId::NONE));
    assert_eq!(VlanId::new(1).map(VlanId::get), Ok(1));
    assert_eq!(VlanId::new(4094), Ok(VlanId::MAXIMUM));
    assert_eq!(VlanId::new(4095), Err(VlanIdError { value: 4095 }));
    assert_eq!(VlanId::new(0x1_0001), Err(VlanIdError { value: 0x1_0001 }));
    assert_eq!(VlanId::new(u32::MAX), Err(VlanIdError { value: u32::MAX }));
}

#[test]
fn only_0_is_none() {
    assert!(VlanId::NONE.is_none());
    assert!(!VlanId::MAXIMUM.is_none());
    assert_eq!(VlanId::default(), VlanId::NONE);
}

#[test]
fn the_error_says_what_is_allowed() {
    assert_eq!(
        format!("{}", VlanIdError { value: 4095 }),
        "4095 is not a VLAN identifier: allowed are 1 to 4094, and 0 for no tag"
    );
}

#[test]
fn priorities_are_0_to_7() {
    assert_eq!(Priority::new(7).map(Priority::get), Some(7));
    assert_eq!(Priority::new(8), None);
    assert_eq!(Priority::from_low_bits(0xfd).get(), 5);
    assert_eq!(Priority::DEFAULT.get(), 0);
}

#[test]
fn a_tag_is_three_bits_one_bit_and_twelve_bits() {
    let tag = Tag::from_tci(0xb00a);
    assert_eq!(
        tag,
        Tag {
            priority: Priority(5),
            drop_eligible: true,
            vlan: 10
        }
    );
    assert_eq!(tag.tci(), 0xb00a);
}

#[test]
fn the_reserved_vlan_is_read_but_is_no_vlan() {
    let tag = Tag::from_tci(0x0fff);
    assert_eq!(tag.vlan, RESERVED_VLAN);
    assert_eq!(tag.vlan_id(), None);
    assert_eq!(Tag::from_tci(0x0ffe).vlan_id(), Some(VlanId::MAXIMUM));
    assert_eq!(Tag::from_tci(0xe000).vlan_id(), Some(VlanId::NONE));
}

#[test]
fn bits_beyond_a_vlan_do_not_reach_the_priority() {
    let tag = Tag {
        vlan: 0xffff,
        ..Tag::default()
    };
    assert_eq!(tag.tci(), 0x0fff);
}

proptest! {
    #[test]
    fn every_tag_goes_both_ways(tci: u16) {
        prop_assert_eq!(Tag::from_tci(tci).tci(), tci);
    }

    #[test]
    fn a_vlan_id_is_what_it_was_made_of(value: u32) {
        match VlanId::new(value) {
            Ok(vlan) => {
                prop_assert_eq!(u32::from(vlan.get()), value);
                prop_assert!(value < 4095);
            }
            Err(error) => {
                prop_assert_eq!(error.value, value);
                prop_assert!(value >= 4095);
            }
        }
    }
}
