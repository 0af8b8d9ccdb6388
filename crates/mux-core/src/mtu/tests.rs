use proptest::prelude::*;

use super::*;
use crate::tagging::TAG_LENGTH;

fn vlan(number: u32) -> VlanId {
    VlanId::new(number).unwrap()
}

#[test]
fn without_vlan_the_adapters_sizes_are_kept() {
    for mode in [TagMode::InBand, TagMode::OutOfBand] {
        assert_eq!(
            frame_sizes(1500, mode, VlanId::NONE),
            FrameSizes {
                mtu: 1500,
                maximum_frame: 1514
            }
        );
    }
}

#[test]
fn a_tag_in_band_costs_four_bytes() {
    assert_eq!(
        frame_sizes(1500, TagMode::InBand, vlan(10)),
        FrameSizes {
            mtu: 1496,
            maximum_frame: 1510
        }
    );
}

#[test]
fn a_tag_out_of_band_costs_nothing() {
    assert_eq!(frame_sizes(9000, TagMode::OutOfBand, vlan(10)).mtu, 9000);
}

#[test]
fn nonsense_stays_in_range() {
    assert_eq!(
        frame_sizes(3, TagMode::InBand, vlan(10)),
        FrameSizes {
            mtu: 0,
            maximum_frame: 14
        }
    );
    assert_eq!(
        frame_sizes(u32::MAX, TagMode::OutOfBand, vlan(10)).maximum_frame,
        u32::MAX
    );
}

#[test]
fn below_68_bytes_nothing_runs() {
    assert!(frame_sizes(72, TagMode::InBand, vlan(10)).is_usable());
    assert!(!frame_sizes(71, TagMode::InBand, vlan(10)).is_usable());
    assert!(frame_sizes(68, TagMode::OutOfBand, vlan(10)).is_usable());
    assert!(!frame_sizes(67, TagMode::OutOfBand, vlan(10)).is_usable());
}

proptest! {
    /// D14: the longest frame that a client may send fits the adapter below with its tag on.
    #[test]
    fn the_longest_frame_fits_the_adapter_with_its_tag(nic_mtu in 4_u32..0x1_0000, number in 0_u32..4095) {
        let vlan = vlan(number);
        let sizes = frame_sizes(nic_mtu, TagMode::InBand, vlan);
        let tag = if vlan.is_none() { 0 } else { TAG_LENGTH as u32 };
        prop_assert_eq!(sizes.maximum_frame + tag, nic_mtu + 14);
        prop_assert_eq!(sizes.maximum_frame, sizes.mtu + 14);
    }
}
