use proptest::prelude::*;
use std::vec::Vec;

use super::*;
use crate::wire::vlan::ETHERTYPE_SERVICE_VLAN;

const ADDRESSES: [u8; 12] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

fn vlan(number: u32) -> VlanId {
    VlanId::new(number).unwrap()
}

fn beside(vlan: u16, priority: u8) -> OutOfBandTag {
    OutOfBandTag {
        vlan,
        priority,
        drop_eligible: false,
    }
}

fn frame(after_addresses: &[u16]) -> Vec<u8> {
    let mut frame = ADDRESSES.to_vec();
    for word in after_addresses {
        frame.extend_from_slice(&word.to_be_bytes());
    }
    frame
}

#[test]
fn a_station_without_vlan_sends_as_it_is() {
    for mode in [TagMode::InBand, TagMode::OutOfBand] {
        for asked in [OutOfBandTag::NONE, beside(0, 5), beside(7, 0)] {
            assert_eq!(plan_send(VlanId::NONE, mode, asked), Some(SendPlan::AsIs));
        }
    }
}

#[test]
fn a_station_of_a_vlan_puts_its_tag_in_band() {
    assert_eq!(
        plan_send(vlan(10), TagMode::InBand, OutOfBandTag::NONE),
        Some(SendPlan::InBand(Tag::from_tci(10)))
    );
}

#[test]
fn the_priority_asked_for_goes_into_the_tag() {
    let asked = OutOfBandTag {
        vlan: 0,
        priority: 5,
        drop_eligible: true,
    };
    assert_eq!(
        plan_send(vlan(10), TagMode::InBand, asked),
        Some(SendPlan::InBand(Tag::from_tci(0xb00a)))
    );
    assert_eq!(
        plan_send(vlan(10), TagMode::InBand, beside(10, 7)),
        Some(SendPlan::InBand(Tag::from_tci(0xe00a)))
    );
}

#[test]
fn asking_for_another_vlan_is_refused() {
    for mode in [TagMode::InBand, TagMode::OutOfBand] {
        for other in [1, 9, 11, 20, 4094, 4095, u16::MAX] {
            assert_eq!(plan_send(vlan(10), mode, beside(other, 0)), None);
        }
    }
}

#[test]
fn over_an_adapter_that_inserts_tags_the_tag_goes_beside_the_frame() {
    let asked = OutOfBandTag {
        drop_eligible: true,
        ..beside(0, 5)
    };
    for (asked, sent) in [
        (OutOfBandTag::NONE, beside(10, 0)),
        (beside(10, 7), beside(10, 7)),
        (asked, OutOfBandTag { vlan: 10, ..asked }),
    ] {
        assert_eq!(
            plan_send(vlan(10), TagMode::OutOfBand, asked),
            Some(SendPlan::OutOfBand(sent))
        );
    }
}

#[test]
fn an_adapter_that_says_both_options_inserts_tags() {
    for (options, mode) in [
        (0, TagMode::InBand),
        // Every miniport of NDIS 6 says so.
        (0x40, TagMode::InBand),
        // Not by the document, which demands the other with it.
        (0x200, TagMode::InBand),
        (0x240, TagMode::OutOfBand),
        (u32::MAX, TagMode::OutOfBand),
    ] {
        assert_eq!(TagMode::of(options), mode, "{options:#x}");
    }
}

#[test]
fn only_a_tag_in_band_makes_the_frame_longer() {
    assert_eq!(TagMode::InBand.tag_length(vlan(10)), 4);
    assert_eq!(TagMode::OutOfBand.tag_length(vlan(10)), 0);
    assert_eq!(TagMode::InBand.tag_length(VlanId::NONE), 0);
}

#[test]
fn an_untagged_frame_is_in_no_vlan_and_received_as_it_is() {
    let received = plan_receive(&frame(&[0x0800]), OutOfBandTag::NONE).unwrap();
    assert_eq!(
        received,
        Received {
            destination: MacAddress([1, 2, 3, 4, 5, 6]),
            source: MacAddress([7, 8, 9, 10, 11, 12]),
            vlan: VlanId::NONE,
            plan: ReceivePlan::AsIs,
        }
    );
}

#[test]
fn a_tag_in_band_is_stripped() {
    let received = plan_receive(&frame(&[0x8100, 0xb00a, 0x0800]), OutOfBandTag::NONE).unwrap();
    assert_eq!(received.vlan, vlan(10));
    assert_eq!(
        received.plan,
        ReceivePlan::StripInBand(Tag::from_tci(0xb00a))
    );
}

#[test]
fn a_tag_of_all_zeros_is_a_tag_and_stripped() {
    let received = plan_receive(&frame(&[0x8100, 0, 0x0800]), OutOfBandTag::NONE).unwrap();
    assert_eq!(received.vlan, VlanId::NONE);
    assert_eq!(received.plan, ReceivePlan::StripInBand(Tag::default()));
}

#[test]
fn a_tag_with_only_a_priority_is_in_no_vlan() {
    let received = plan_receive(&frame(&[0x8100, 0xa000, 0x0800]), OutOfBandTag::NONE).unwrap();
    assert_eq!(received.vlan, VlanId::NONE);
    assert_eq!(
        received.plan,
        ReceivePlan::StripInBand(Tag::from_tci(0xa000))
    );
}

#[test]
fn a_tag_out_of_band_is_cleared() {
    let received = plan_receive(&frame(&[0x0800]), beside(10, 5)).unwrap();
    assert_eq!(received.vlan, vlan(10));
    assert_eq!(
        received.plan,
        ReceivePlan::ClearOutOfBand(Tag::from_tci(0xa00a))
    );
    assert_eq!(received.source, MacAddress([7, 8, 9, 10, 11, 12]));
}

#[test]
fn any_bit_out_of_band_is_a_tag() {
    let drop_eligible = OutOfBandTag {
        drop_eligible: true,
        ..OutOfBandTag::NONE
    };
    for tag in [beside(0, 1), drop_eligible] {
        let received = plan_receive(&frame(&[0x0800]), tag).unwrap();
        assert_eq!(received.vlan, VlanId::NONE);
        assert_eq!(received.plan, ReceivePlan::ClearOutOfBand(tag.tag()));
    }
}

#[test]
fn behind_a_tag_out_of_band_a_tag_in_band_is_payload() {
    let received = plan_receive(&frame(&[0x8100, 20, 0x0800]), beside(10, 0)).unwrap();
    assert_eq!(received.vlan, vlan(10));
    assert_eq!(
        received.plan,
        ReceivePlan::ClearOutOfBand(Tag::from_tci(10))
    );
    let cut_short = plan_receive(&frame(&[0x8100]), beside(10, 0));
    assert!(cut_short.is_some(), "payload is not judged");
}

#[test]
fn the_reserved_vlan_is_for_nobody() {
    for tci in [0x0fff, 0xffff] {
        let in_band = frame(&[0x8100, tci, 0x0800]);
        assert_eq!(plan_receive(&in_band, OutOfBandTag::NONE), None);
    }
    assert_eq!(plan_receive(&frame(&[0x0800]), beside(4095, 0)), None);
    assert_eq!(plan_receive(&frame(&[0x0800]), beside(u16::MAX, 0)), None);
}

#[test]
fn a_runt_is_for_nobody() {
    let untagged = frame(&[0x0800]);
    let tagged = frame(&[0x8100, 10, 0x0800]);
    assert_eq!(plan_receive(&[], OutOfBandTag::NONE), None);
    assert_eq!(plan_receive(&untagged[..13], OutOfBandTag::NONE), None);
    assert_eq!(plan_receive(&untagged[..13], beside(10, 0)), None);
    assert_eq!(plan_receive(&tagged[..17], OutOfBandTag::NONE), None);
}

#[test]
fn a_service_tag_is_payload_of_an_untagged_frame() {
    let received = plan_receive(
        &frame(&[ETHERTYPE_SERVICE_VLAN, 10, 0x8100, 20, 0x0800]),
        OutOfBandTag::NONE,
    )
    .unwrap();
    assert_eq!(received.vlan, VlanId::NONE);
    assert_eq!(received.plan, ReceivePlan::AsIs);
}

#[test]
fn the_front_of_a_tagged_frame_is_addresses_then_tag() {
    assert_eq!(
        tagged_front(&ADDRESSES, Tag::from_tci(0xb00a)),
        [
            1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x81, 0x00, 0xb0, 0x0a
        ]
    );
}

#[test]
fn a_front_without_tag_keeps_its_addresses() {
    let front = [
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x08, 0x00, 0x45, 0x00,
    ];
    assert_eq!(untagged_front(&front), (ADDRESSES, None));
}

#[test]
fn the_lengths_fit_each_other() {
    assert_eq!(ADDRESSES_LENGTH + TAG_LENGTH, TAGGED_FRONT_LENGTH);
}

proptest! {
    #[test]
    fn tagging_is_undone_by_untagging(addresses: [u8; 12], tci: u16) {
        let tag = Tag::from_tci(tci);
        prop_assert_eq!(untagged_front(&tagged_front(&addresses, tag)), (addresses, Some(tag)));
    }

    #[test]
    fn untagging_is_undone_by_tagging(front: [u8; 16]) {
        let (addresses, tag) = untagged_front(&front);
        match tag {
            Some(tag) => prop_assert_eq!(tagged_front(&addresses, tag), front),
            None => prop_assert_ne!(&front[12..14], &[0x81, 0x00][..]),
        }
    }

    /// What one station of a VLAN sends, another of that VLAN receives, with its payload unharmed.
    #[test]
    fn what_is_sent_in_a_vlan_is_received_in_it(
        addresses: [u8; 12],
        payload in prop::collection::vec(any::<u8>(), 2..64),
        own in 1_u32..4095,
        priority in 0_u8..8,
    ) {
        let Some(SendPlan::InBand(tag)) = plan_send(vlan(own), TagMode::InBand, beside(0, priority)) else {
            panic!("not tagged");
        };
        let wire = [&tagged_front(&addresses, tag)[..], &payload].concat();
        let received = plan_receive(&wire, OutOfBandTag::NONE).unwrap();
        prop_assert_eq!(received.vlan, vlan(own));
        prop_assert_eq!(received.plan, ReceivePlan::StripInBand(tag));
        prop_assert_eq!(tag.priority.get(), priority);
        let front = wire.first_chunk::<16>().unwrap();
        let stripped = [&untagged_front(front).0[..], &wire[16..]].concat();
        prop_assert_eq!(stripped, [&addresses[..], &payload].concat());
    }

    #[test]
    fn a_station_of_a_vlan_sends_only_into_it(
        own in 1_u32..4095,
        inserts: bool,
        asked: u16,
        priority: u8,
        drop_eligible: bool,
    ) {
        let mode = if inserts { TagMode::OutOfBand } else { TagMode::InBand };
        let asked = OutOfBandTag { vlan: asked, priority, drop_eligible };
        match plan_send(vlan(own), mode, asked) {
            Some(SendPlan::InBand(tag)) => {
                prop_assert_eq!(mode, TagMode::InBand);
                prop_assert_eq!(tag.vlan_id(), Some(vlan(own)));
                prop_assert_eq!(Tag::from_tci(tag.tci()), tag);
            }
            Some(SendPlan::OutOfBand(tag)) => {
                prop_assert_eq!(mode, TagMode::OutOfBand);
                prop_assert_eq!(tag.tag().vlan_id(), Some(vlan(own)));
            }
            None => prop_assert!(asked.vlan != 0 && u32::from(asked.vlan) != own),
            Some(SendPlan::AsIs) => prop_assert!(false, "left its VLAN"),
        }
    }

    #[test]
    fn any_bytes_are_planned_or_for_nobody(
        bytes in prop::collection::vec(any::<u8>(), 0..40),
        tagged: bool,
        (vlan, priority, drop_eligible) in (0_u16..=4095, 0_u8..=7, any::<bool>()),
        nothing_beside: bool,
    ) {
        let mut bytes = bytes;
        if tagged && let Some(type_field) = bytes.get_mut(12..14) {
            type_field.copy_from_slice(&[0x81, 0x00]);
        }
        let tag = OutOfBandTag { vlan, priority, drop_eligible };
        let beside = if nothing_beside { OutOfBandTag::NONE } else { tag };
        let Some(received) = plan_receive(&bytes, beside) else {
            return Ok(());
        };
        prop_assert!(received.vlan <= VlanId::MAXIMUM);
        match received.plan {
            ReceivePlan::AsIs => prop_assert!(beside.is_none() && received.vlan.is_none()),
            ReceivePlan::StripInBand(tag) => {
                prop_assert!(beside.is_none() && bytes.len() >= 18);
                prop_assert_eq!(tag.vlan_id(), Some(received.vlan));
            }
            ReceivePlan::ClearOutOfBand(tag) => {
                prop_assert_eq!(tag, beside.tag());
                prop_assert_eq!(tag.vlan_id(), Some(received.vlan));
            }
        }
    }
}
