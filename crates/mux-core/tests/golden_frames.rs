//! Frames built and read by another implementation (the `etherparse` crate) mean the same here.

use etherparse::{
    EtherType, Ethernet2Header, Ethernet2Slice, SingleVlanHeader, SingleVlanSlice, VlanPcp,
};
use mux_core::tagging::{
    OutOfBandTag, ReceivePlan, SendPlan, TagMode, plan_receive, plan_send, tagged_front,
    untagged_front,
};
use mux_core::wire::ethernet::Header;
use mux_core::wire::vlan::{Priority, Tag};
use mux_core::{MacAddress, VlanId};
use proptest::prelude::*;

/// An ARP request in VLAN 10 with priority 5, drop eligible, byte by byte as 802.1Q draws it.
const GOLDEN: [u8; 46] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, // destination
    0x02, 0x00, 0x00, 0x00, 0x00, 0x0a, // source
    0x81, 0x00, // TPID
    0xb0, 0x0a, // PCP 5, DEI 1, VID 10
    0x08, 0x06, // ARP
    0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x01, // request, Ethernet, IPv4
    0x02, 0x00, 0x00, 0x00, 0x00, 0x0a, 192, 0, 2, 1, // sender
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 192, 0, 2, 2, // target
];

#[test]
fn the_golden_frame_is_read_alike() {
    let ethernet = Ethernet2Slice::from_slice_without_fcs(&GOLDEN).unwrap();
    let vlan = SingleVlanSlice::from_slice(ethernet.payload_slice()).unwrap();
    let header = Header::parse(&GOLDEN).unwrap();
    assert_eq!(header.destination.octets(), ethernet.destination());
    assert_eq!(header.source.octets(), ethernet.source());
    assert_eq!(header.ether_type, vlan.ether_type().0);
    assert_eq!(&GOLDEN[header.length()..], vlan.payload_slice());
    let tag = header.tag.unwrap();
    assert_eq!(tag.priority.get(), vlan.priority_code_point().value());
    assert_eq!(tag.drop_eligible, vlan.drop_eligible_indicator());
    assert_eq!(tag.vlan, vlan.vlan_identifier().value());
    assert_eq!(
        (tag.priority.get(), tag.drop_eligible, tag.vlan),
        (5, true, 10)
    );
}

#[test]
fn the_golden_frame_untagged_is_the_frame_its_client_sees() {
    let received = plan_receive(&GOLDEN, OutOfBandTag::NONE).unwrap();
    assert!(matches!(received.plan, ReceivePlan::StripInBand(_)));
    let (addresses, tag) = untagged_front(GOLDEN.first_chunk().unwrap());
    let stripped = [&addresses[..], &GOLDEN[16..]].concat();
    let seen = Ethernet2Slice::from_slice_without_fcs(&stripped).unwrap();
    assert_eq!(seen.ether_type(), EtherType::ARP);
    assert_eq!(seen.payload_slice(), &GOLDEN[18..]);

    let again = [&tagged_front(&addresses, tag.unwrap())[..], &stripped[12..]].concat();
    assert_eq!(again, GOLDEN);
}

proptest! {
    #[test]
    fn untagged_frames_of_the_other_are_read(
        source: [u8; 6],
        destination: [u8; 6],
        ether_type: u16,
        payload in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        prop_assume!(ether_type != 0x8100);
        let built = Ethernet2Header { source, destination, ether_type: EtherType(ether_type) };
        let frame = [&built.to_bytes()[..], &payload].concat();
        prop_assert_eq!(
            Header::parse(&frame),
            Some(Header {
                destination: MacAddress(destination),
                source: MacAddress(source),
                ether_type,
                tag: None,
            })
        );
    }

    #[test]
    fn tagged_frames_of_the_other_are_read(
        source: [u8; 6],
        destination: [u8; 6],
        ether_type: u16,
        priority in 0_u8..8,
        drop_eligible: bool,
        vlan in 0_u16..4096,
    ) {
        let frame = tagged_by_the_other(source, destination, ether_type, priority, drop_eligible, vlan);
        let tag = Tag { priority: Priority::new(priority).unwrap(), drop_eligible, vlan };
        prop_assert_eq!(
            Header::parse(&frame),
            Some(Header {
                destination: MacAddress(destination),
                source: MacAddress(source),
                ether_type,
                tag: Some(tag),
            })
        );
        match plan_receive(&frame, OutOfBandTag::NONE) {
            Some(received) => {
                prop_assert_eq!(received.vlan.get(), vlan);
                prop_assert_eq!(received.plan, ReceivePlan::StripInBand(tag));
            }
            None => prop_assert_eq!(vlan, 4095),
        }
    }

    #[test]
    fn our_tagged_frames_are_what_the_other_builds(
        source: [u8; 6],
        destination: [u8; 6],
        ether_type: u16,
        priority in 0_u8..8,
        drop_eligible: bool,
        vlan in 1_u32..4095,
    ) {
        let asked = OutOfBandTag { vlan: 0, priority, drop_eligible };
        let own = VlanId::new(vlan).unwrap();
        let Some(SendPlan::InBand(tag)) = plan_send(own, TagMode::InBand, asked) else {
            return Err(TestCaseError::fail("not tagged"));
        };
        let untagged = Ethernet2Header { source, destination, ether_type: EtherType(ether_type) }.to_bytes();
        let ours = [&tagged_front(untagged.first_chunk().unwrap(), tag)[..], &untagged[12..]].concat();
        let theirs = tagged_by_the_other(source, destination, ether_type, priority, drop_eligible, own.get());
        prop_assert_eq!(ours, theirs);
    }
}

fn tagged_by_the_other(
    source: [u8; 6],
    destination: [u8; 6],
    ether_type: u16,
    priority: u8,
    drop_eligible: bool,
    vlan: u16,
) -> Vec<u8> {
    let ethernet = Ethernet2Header {
        source,
        destination,
        ether_type: EtherType::VLAN_TAGGED_FRAME,
    };
    let tag = SingleVlanHeader {
        pcp: VlanPcp::try_new(priority).unwrap(),
        drop_eligible_indicator: drop_eligible,
        vlan_id: etherparse::VlanId::try_new(vlan).unwrap(),
        ether_type: EtherType(ether_type),
    };
    [&ethernet.to_bytes()[..], &tag.to_bytes()].concat()
}
