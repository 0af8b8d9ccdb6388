use proptest::prelude::*;

use super::*;

const LLC_SNAP: u32 = 0x10;

fn vlan(number: u32) -> VlanId {
    VlanId::new(number).unwrap()
}

/// Everything, with that encapsulation.
fn all(encapsulation: u32) -> Offload {
    let checksum = Checksum {
        encapsulation,
        features: 0x155,
    };
    let segmentation = Segmentation {
        encapsulation,
        maximum_size: 0xf000,
        minimum_segments: 2,
        features: 5,
    };
    Offload {
        ipv4_transmit: checksum,
        ipv4_receive: checksum,
        ipv6_transmit: checksum,
        ipv6_receive: checksum,
        tcp_ipv4: segmentation,
        tcp_ipv6: segmentation,
        udp_ipv4: segmentation,
        udp_ipv6: segmentation,
        coalesces_ipv4: true,
        coalesces_ipv6: true,
    }
}

/// What no tag mode takes away.
fn coalescing() -> Offload {
    Offload {
        coalesces_ipv4: true,
        coalesces_ipv6: true,
        ..Offload::default()
    }
}

#[test]
fn without_a_vlan_all_is_shown_as_it_is() {
    for mode in [TagMode::InBand, TagMode::OutOfBand] {
        let below = all(IEEE_802_3 | LLC_SNAP);
        assert_eq!(below.shown(mode, VlanId::NONE), below);
    }
}

#[test]
fn in_a_vlan_a_task_is_shown_if_it_goes_with_the_place_of_the_tag() {
    // (encapsulations below, shown in band, shown out of band)
    let cases = [
        (0, false, false),
        (IEEE_802_3, false, false),
        (IEEE_802_3 | LLC_SNAP, false, false),
        (IEEE_802_3 | P_AND_Q, true, false),
        (IEEE_802_3 | P_AND_Q_IN_OOB, false, true),
        (IEEE_802_3 | P_AND_Q | P_AND_Q_IN_OOB | LLC_SNAP, true, true),
    ];
    for (encapsulation, in_band, out_of_band) in cases {
        for (mode, is_shown) in [
            (TagMode::InBand, in_band),
            (TagMode::OutOfBand, out_of_band),
        ] {
            let expected = if is_shown {
                all(IEEE_802_3 | P_AND_Q_IN_OOB)
            } else {
                coalescing()
            };
            let shown = all(encapsulation).shown(mode, vlan(10));
            assert_eq!(shown, expected, "{encapsulation:#x} {mode:?}");
        }
    }
}

#[test]
fn large_sends_go_where_the_checksums_go() {
    let mut below = all(IEEE_802_3 | P_AND_Q_IN_OOB);
    below.ipv6_transmit.encapsulation = IEEE_802_3;
    let shown = below.shown(TagMode::OutOfBand, vlan(10));
    assert_eq!(
        (shown.tcp_ipv6, shown.udp_ipv6),
        (Segmentation::NONE, Segmentation::NONE)
    );
    assert_eq!(shown.tcp_ipv4.maximum_size, 0xf000);
    assert_eq!(shown.ipv6_receive.encapsulation, SHOWN);
}

#[test]
fn a_tag_in_the_frame_moves_each_offset_and_nothing_else() {
    let before = SendWords {
        // IPv4, TCP checksum, header at 54.
        checksum: 0x5 | 54 << 16,
        // MSS 1460, header at 54, version 2, IPv6.
        large_send: 1460 | 54 << 20 | 3 << 30,
        udp_segmentation: 1200 | 42 << 20,
    };
    let after = SendWords {
        checksum: 0x5 | 58 << 16,
        large_send: 1460 | 58 << 20 | 3 << 30,
        udp_segmentation: 1200 | 46 << 20,
    };
    assert_eq!(before.moved(4), Some(after));
    // A UDP checksum has no offset, and most frames have no words at all.
    let udp = SendWords {
        checksum: 0x9,
        ..SendWords::default()
    };
    assert_eq!(udp.moved(4), Some(udp));
    assert_eq!(SendWords::default().moved(4), Some(SendWords::default()));
}

#[test]
fn the_headers_of_a_send_that_is_segmented_are_known() {
    let none = SendWords {
        checksum: 0x5 | 54 << 16,
        ..SendWords::default()
    };
    assert_eq!(none.headers(), 0);
    let tcp = SendWords {
        large_send: 1460 | 54 << 20 | 1 << 30,
        ..none
    };
    assert_eq!(tcp.headers(), 74);
    let udp = SendWords {
        udp_segmentation: 1200 | 42 << 20,
        ..none
    };
    assert_eq!(udp.headers(), 50);
}

#[test]
fn an_offset_that_does_not_fit_is_told() {
    let far = |offset: u32| SendWords {
        checksum: offset << 16,
        ..SendWords::default()
    };
    assert_eq!(far(1019).moved(4), Some(far(1023)));
    assert_eq!(far(1020).moved(4), None);
    let far = SendWords {
        large_send: 1022 << 20,
        ..SendWords::default()
    };
    assert_eq!(far.moved(4), None);
}

proptest! {
    /// D13: nothing is shown that the adapter does not do with frames as they get there.
    #[test]
    fn what_is_shown_is_done_below(encapsulation in 0_u32..32, other in 0_u32..32, inserts: bool) {
        let mode = if inserts { TagMode::OutOfBand } else { TagMode::InBand };
        let needed = if inserts { P_AND_Q_IN_OOB } else { P_AND_Q };
        let mut below = all(encapsulation);
        below.tcp_ipv4.encapsulation = other;
        let shown = below.shown(mode, vlan(10));
        for (shown, below) in [
            (shown.ipv4_transmit.encapsulation, encapsulation),
            (shown.ipv4_receive.encapsulation, encapsulation),
            (shown.tcp_ipv4.encapsulation, other),
            (shown.udp_ipv6.encapsulation, encapsulation),
        ] {
            prop_assert!(shown == 0 || shown == SHOWN && below & needed != 0);
        }
    }

    #[test]
    fn any_words_are_moved_or_told(checksum: u32, large_send: u32, udp_segmentation: u32) {
        let words = SendWords { checksum, large_send, udp_segmentation };
        if let Some(after) = words.moved(4) {
            prop_assert_eq!(after.checksum & 0xfc00_ffff, checksum & 0xfc00_ffff);
            prop_assert_eq!(after.large_send & 0xc00f_ffff, large_send & 0xc00f_ffff);
        }
    }
}
