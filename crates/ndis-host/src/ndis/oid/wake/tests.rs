use super::*;
use crate::client::{Client, bitmap_pattern};
use crate::lab::{Lab, testing};
use crate::nic::WakeUp;
use crate::rules::{self, testing::assert_broken};

#[test]
fn a_bitmap_pattern_is_read_as_it_is_laid_out() {
    let pattern = parse(&bitmap_pattern(&[0b101], &[1, 2, 3])).expect("it is right");
    assert_eq!(pattern.kind, NdisPMWoLPacketBitmapPattern);
    let bitmap = pattern.bitmap.expect("it is a bitmap");
    assert_eq!(bitmap.length(), 3);
    // The lowest bit of the mask is the first byte's.
    assert!(bitmap.matches(&[1, 9, 3, 4]));
    assert!(!bitmap.matches(&[1, 2, 4]));
    assert!(!bitmap.matches(&[1, 2]), "the frame is too short");
}

#[test]
fn a_pattern_that_leads_out_of_its_buffer_is_refused() {
    let good = bitmap_pattern(&[0xff], &[1, 2, 3]);
    for length in 0..good.len() {
        let status = parse(&good[..length]).expect_err("bytes are missing");
        let short = length < size_of::<NDIS_PM_WOL_PATTERN>();
        let expected = if short {
            NDIS_STATUS_BUFFER_TOO_SHORT
        } else {
            NDIS_STATUS_INVALID_PARAMETER
        };
        assert_eq!(status, expected, "{length} bytes");
    }
    // Offsets and sizes of mask and pattern: whatever is wrong with one of them.
    let places = std::mem::offset_of!(NDIS_PM_WOL_PATTERN, WoLPattern) + 4;
    for place in (places..).step_by(4).take(4) {
        for wrong in [0, u32::MAX, u32::MAX - 2] {
            let mut pattern = good.clone();
            pattern[place..place + 4].copy_from_slice(&wrong.to_le_bytes());
            assert_eq!(
                parse(&pattern),
                Err(NDIS_STATUS_INVALID_PARAMETER),
                "{place} {wrong:#x}"
            );
        }
    }
    // A mask that is shorter than its pattern.
    let status = parse(&bitmap_pattern(&[0xff], &[0; 9]));
    assert_eq!(status, Err(NDIS_STATUS_INVALID_PARAMETER));
}

#[test]
fn parameters_are_read_as_long_as_their_header_says() {
    let all = Enabled {
        packet_patterns: 1,
        protocol_offloads: 2,
        wake_up_flags: 3,
        media_events: 4,
    };
    let mut bytes = all.bytes();
    assert_eq!(Enabled::parse(&bytes), Ok(all));
    for length in 0..16 {
        assert_eq!(
            Enabled::parse(&bytes[..length]),
            Err((NDIS_STATUS_BUFFER_TOO_SHORT, 16))
        );
    }
    assert_eq!(
        Enabled::parse(&bytes[..16]),
        Err((NDIS_STATUS_BUFFER_TOO_SHORT, 20))
    );
    bytes[1] = NDIS_PM_PARAMETERS_REVISION_1;
    bytes[2] = 16;
    let first = Enabled {
        media_events: 0,
        ..all
    };
    assert_eq!(Enabled::parse(&bytes), Ok(first));
    bytes[2] = 12;
    assert_eq!(
        Enabled::parse(&bytes),
        Err((NDIS_STATUS_INVALID_PARAMETER, 0))
    );
}

#[test]
fn closing_with_patterns_set_is_broken() {
    assert_broken(
        &rules::PROTOCOL_BINDING_STATE,
        &["NdisCloseAdapterEx", "1 wake-on-LAN patterns still set"],
        || {
            let (lab, client) = stack();
            let id = client.add_wake_pattern(&bitmap_pattern(&[1], &[1]));
            client.forget_wake_pattern(id.expect("there is room"));
            lab.remove_client("stack").unwrap();
        },
    );
}

fn stack() -> (Lab, &'static Client) {
    let mut nic = testing::nic();
    nic.wake_up = Some(WakeUp::USUAL);
    let (lab, _nic, client) = testing::stack(nic);
    (lab, client)
}
