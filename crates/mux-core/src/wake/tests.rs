use alloc::{vec, vec::Vec};

use proptest::prelude::*;

use super::*;

const VLAN10: VlanId = vlan(10);
const VLAN20: VlanId = vlan(20);

const fn vlan(number: u32) -> VlanId {
    match VlanId::new(number) {
        Ok(vlan) => vlan,
        Err(_) => panic!("it is one"),
    }
}

/// A NIC that can everything.
const NIC: WakeUp = WakeUp {
    packet_patterns: 0x1_0A0F,
    patterns: 8,
    pattern_size: 128,
    pattern_offset: 64,
    magic_packet_from: 4,
    pattern_from: 3,
};

const ALL: Allowed = Allowed {
    pattern: true,
    magic_packet: true,
};

#[test]
fn nothing_is_shown_that_nobody_allows() {
    let shown = NIC.shown(VlanId::NONE, Allowed::default(), true);
    assert_eq!(shown, WakeUp::NONE);
}

#[test]
fn a_pattern_is_shown_as_long_as_it_can_be_with_its_tag() {
    let tagged = NIC.shown(VLAN10, ALL, true);
    assert_eq!(
        tagged.packet_patterns, BITMAP_PATTERN,
        "not the magic packet"
    );
    assert_eq!((tagged.pattern_size, tagged.pattern_offset), (124, 60));
    assert_eq!((tagged.patterns, tagged.pattern_from), (8, 3));
    let untagged = NIC.shown(VlanId::NONE, ALL, false);
    assert_eq!((untagged.pattern_size, untagged.pattern_offset), (128, 64));
    assert_eq!(
        untagged.packet_patterns, BITMAP_PATTERN,
        "not for another address"
    );
    let short = WakeUp {
        pattern_offset: 15,
        ..NIC
    };
    assert_eq!(short.shown(VLAN10, ALL, true), WakeUp::NONE);
}

#[test]
fn the_magic_packet_is_shown_for_the_nics_address_without_a_tag() {
    let shown = NIC.shown(VlanId::NONE, ALL, true);
    assert_eq!(shown.packet_patterns, BITMAP_PATTERN | MAGIC_PACKET);
    assert_eq!(shown.magic_packet_from, 4);
}

#[test]
fn whatever_word_is_set_enables_something() {
    for length in [PARAMETERS_LENGTH, 20, 24] {
        let mut bytes = vec![0; length];
        bytes[..4].copy_from_slice(&[0x80, 1, 16, 0]);
        assert!(WakeUp::NONE.can(Parameters::parse(&bytes)));
        for at in 4..length {
            bytes[at] = 0x10;
            assert!(!WakeUp::NONE.can(Parameters::parse(&bytes)), "byte {at}");
            bytes[at] = 0;
        }
    }
}

#[test]
fn parameters_are_what_they_were_parsed_from() {
    let mut bytes = [0; 20];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = at as u8;
    }
    bytes[..4].copy_from_slice(&[0x80, 2, 20, 0]);
    assert_eq!(Parameters::parse(&bytes).bytes(), bytes);
}

fn enable(packet_patterns: u32) -> Parameters {
    Parameters {
        packet_patterns,
        ..Parameters::default()
    }
}

#[test]
fn what_all_want_is_set_and_one_that_goes_takes_its_share_away() {
    let mut sharing = Sharing::new();
    sharing.wish(VLAN10, enable(BITMAP_PATTERN)).unwrap();
    assert_eq!(sharing.next_step(), Ok(Next::Set(enable(BITMAP_PATTERN))));
    sharing.wish(VLAN20, enable(MAGIC_PACKET)).unwrap();
    assert_eq!(sharing.next_step(), Ok(Next::Busy));
    assert_eq!(sharing.done(Some(0)), Some(Done::Set));
    let both = enable(BITMAP_PATTERN | MAGIC_PACKET);
    assert_eq!(sharing.next_step(), Ok(Next::Set(both)));
    sharing.put_back();
    assert_eq!(sharing.next_step(), Ok(Next::Set(both)), "it was not made");
    sharing.done(Some(0));
    assert_eq!(sharing.next_step(), Ok(Next::Settled));
    sharing.leave(VLAN10);
    assert_eq!(sharing.next_step(), Ok(Next::Set(enable(MAGIC_PACKET))));
}

#[test]
fn what_is_refused_is_taken_back_and_tried_again_only_if_somebody_wishes_it() {
    let mut sharing = Sharing::new();
    let before = sharing.wish(VLAN10, enable(BITMAP_PATTERN)).unwrap();
    let _step = sharing.next_step();
    sharing.done(None);
    sharing.take_back(VLAN10, before);
    assert_eq!(sharing.next_step(), Ok(Next::Settled));
    sharing.wish(VLAN20, enable(BITMAP_PATTERN)).unwrap();
    assert_eq!(sharing.next_step(), Ok(Next::Set(enable(BITMAP_PATTERN))));
    sharing.done(None);
    assert_eq!(
        sharing.next_step(),
        Ok(Next::Settled),
        "nobody waits for it"
    );
}

#[test]
fn a_pattern_has_a_number_above_and_another_below() {
    let mut sharing = Sharing::new();
    sharing.add(VLAN10, 7, vec![1]).unwrap();
    sharing.add(VLAN20, 7, vec![2]).unwrap();
    for (bytes, id, vlan) in [(1, 100, VLAN10), (2, 101, VLAN20)] {
        assert_eq!(sharing.next_step(), Ok(Next::Add(vec![bytes])));
        assert_eq!(sharing.done(Some(id)), Some(Done::Added(vlan)));
    }
    // They are to be woken for, though nobody has said so yet.
    assert_eq!(sharing.next_step(), Ok(Next::Set(enable(BITMAP_PATTERN))));
    sharing.done(Some(0));
    assert_eq!(sharing.rejected(100), Some((VLAN10, 7)));
    assert_eq!(sharing.rejected(100), None);
    sharing.remove(VLAN20, 7);
    assert_eq!(sharing.next_step(), Ok(Next::Remove(101)));
    sharing.put_back();
    assert_eq!(sharing.next_step(), Ok(Next::Remove(101)));
    sharing.done(Some(0));
    // With the last pattern goes what was enabled for it.
    assert_eq!(sharing.next_step(), Ok(Next::Set(enable(0))));
    sharing.done(Some(0));
    assert_eq!(sharing.next_step(), Ok(Next::Settled));
    assert_eq!(sharing.take_any(), None);
}

#[test]
fn a_pattern_of_who_enables_nothing_is_not_woken_for() {
    let mut sharing = Sharing::new();
    sharing.add(VLAN10, 1, vec![1]).unwrap();
    let _step = sharing.next_step();
    sharing.done(Some(100));
    sharing.wish(VLAN10, enable(0)).unwrap();
    assert_eq!(sharing.next_step(), Ok(Next::Settled));
}

#[test]
fn a_pattern_that_is_refused_is_forgotten() {
    let mut sharing = Sharing::new();
    sharing.add(VLAN10, 7, vec![1]).unwrap();
    let _step = sharing.next_step();
    assert_eq!(sharing.done(None), Some(Done::Added(VLAN10)));
    assert_eq!(sharing.take_any(), None);
    sharing.add(VLAN10, 8, vec![1]).unwrap();
    let _step = sharing.next_step();
    sharing.put_back();
    sharing.take_back_pattern(VLAN10);
    assert!(!matches!(sharing.next_step(), Ok(Next::Add(_))));
}

#[test]
fn who_halts_takes_its_patterns_away_and_what_is_stuck_goes_before_the_close() {
    let mut sharing = Sharing::new();
    for (above, below) in [(1, 100), (2, 101)] {
        sharing.add(VLAN10, above, vec![1]).unwrap();
        let _step = sharing.next_step();
        sharing.done(Some(below));
    }
    sharing.leave(VLAN10);
    assert_eq!(sharing.next_step(), Ok(Next::Remove(100)));
    sharing.done(None);
    assert_eq!(
        sharing.next_step(),
        Ok(Next::Remove(101)),
        "the other one is tried"
    );
    sharing.done(Some(0));
    assert_eq!(sharing.next_step(), Ok(Next::Settled));
    assert_eq!(sharing.take_any(), Some(100));
    assert_eq!(sharing.take_any(), None);
}

/// A buffer of OID_PM_ADD_WOL_PATTERN.
fn buffer(mask: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut buffer = vec![0; PATTERN_LENGTH];
    buffer[..4].copy_from_slice(&[0x80, 2, 196, 0]);
    let numbers = [
        (12, 1),
        (148, 7),
        (152, 9),
        (160, PATTERN_LENGTH),
        (164, mask.len()),
        (168, PATTERN_LENGTH + mask.len()),
        (172, bytes.len()),
    ];
    for (at, number) in numbers {
        buffer[at..at + 4].copy_from_slice(&(number as u32).to_ne_bytes());
    }
    [&buffer, mask, bytes].concat()
}

/// Whether a frame matches a pattern in such a buffer.
fn matches(buffer: &[u8], frame: &[u8]) -> bool {
    let number = |at: usize| u32::from_ne_bytes(*buffer[at..].first_chunk().unwrap()) as usize;
    let mask = &buffer[number(160)..][..number(164)];
    let bytes = &buffer[number(168)..][..number(172)];
    (0..bytes.len()).all(|at| {
        mask[at / 8] >> (at % 8) & 1 == 0 || frame.get(at).is_some_and(|byte| *byte == bytes[at])
    })
}

#[test]
fn a_tag_is_woven_in_behind_the_addresses() {
    let woven = weave(&buffer(&[0x0F, 0x30], &[9; 14]), vlan(0x123), 128).unwrap();
    assert_eq!(
        woven[148..156],
        [0; 8],
        "its number and place in a list are its own"
    );
    let mask = [0x0F, 0b1011_0000, 0b11];
    let bytes = [&[9; 12][..], &[0x81, 0, 0, 0x23, 9, 9]].concat();
    assert_eq!(woven[PATTERN_LENGTH..], [&mask[..], &bytes].concat());
    // One that ends before the tag is filled up with what is not looked at.
    let woven = weave(&buffer(&[1], &[9]), VLAN10, 128).unwrap();
    let bytes = [&[9][..], &[0; 11], &[0x81, 0, 0, 10]].concat();
    assert_eq!(
        woven[PATTERN_LENGTH..],
        [&[1, 0b1011_0000][..], &bytes].concat()
    );
}

#[test]
fn what_does_not_fit_below_is_refused() {
    let pattern = buffer(&[0xFF; 2], &[9; 14]);
    assert_eq!(weave(&pattern, VLAN10, 17), Err(Refused::Invalid));
    assert!(weave(&pattern, VLAN10, 18).is_ok());
    assert!(weave(&pattern, VlanId::NONE, 14).is_ok());
    assert_eq!(weave(&pattern, VlanId::NONE, 13), Err(Refused::Invalid));
    let mut syn = pattern;
    syn[12] = 3;
    assert_eq!(weave(&syn, VLAN10, 128), Err(Refused::NotSupported));
}

proptest! {
    #[test]
    fn any_bytes_are_woven_or_refused(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..400),
        offsets in any::<[u8; 4]>(),
        vlan in 0_u32..4095,
    ) {
        if let Some(head) = bytes.first_chunk_mut::<176>() {
            head[..4].copy_from_slice(&[0x80, 1, 196, 0]);
            head[12..16].copy_from_slice(&1_u32.to_ne_bytes());
            for (at, offset) in [160, 164, 168, 172].into_iter().zip(offsets) {
                head[at..at + 4].copy_from_slice(&u32::from(offset).to_ne_bytes());
            }
        }
        if let Ok(woven) = weave(&bytes, VlanId::new(vlan).unwrap(), 64) {
            let length = u32::from_ne_bytes(*woven[172..].first_chunk().unwrap());
            prop_assert!(length <= 64);
            // What comes out is a right pattern itself.
            prop_assert!(weave(&woven, VlanId::NONE, 64).is_ok());
        }
    }

    #[test]
    fn a_tagged_frame_matches_below_if_it_does_above_without_the_tag(
        pattern in proptest::collection::vec((any::<bool>(), 0_u8..3), 1..40),
        frame in proptest::collection::vec(0_u8..3, 14..60),
        number in 1_u32..4095,
        priority in 0_u8..16,
        other in 1_u16..256,
    ) {
        let mut mask = vec![0; pattern.len().div_ceil(8)];
        for (at, (looked_at, _)) in pattern.iter().enumerate() {
            mask[at / 8] |= u8::from(*looked_at) << (at % 8);
        }
        let bytes: Vec<u8> = pattern.iter().map(|(_, byte)| *byte).collect();
        let above = buffer(&mask, &bytes);
        let woven = weave(&above, VlanId::new(number).unwrap(), 128).unwrap();
        let tagged = |vlan: u16| {
            let [high, low] = vlan.to_be_bytes();
            let tag = [0x81, 0, priority << 4 | high, low];
            [&frame[..12], &tag, &frame[12..]].concat()
        };
        prop_assert_eq!(matches(&woven, &tagged(number as u16)), matches(&above, &frame));
        // A frame without a tag, and one of a VLAN with other lower bits, never does.
        prop_assert!(!matches(&woven, &frame));
        prop_assert!(!matches(&woven, &tagged(number as u16 ^ other)));
    }

    #[test]
    fn the_requests_always_come_to_an_end(
        steps in proptest::collection::vec((0_u8..8, 1_u32..4, 0_u32..3), 0..60)
    ) {
        let mut sharing = Sharing::new();
        let mut below = Vec::new();
        let mut next_id = 100;
        let mut flight = None;
        for (step, number, above) in steps {
            let vlan = vlan(number);
            match step {
                0 => { let _before = sharing.wish(vlan, enable(above)); }
                1 => { let _added = sharing.add(vlan, above, vec![above as u8]); }
                2 => sharing.remove(vlan, above),
                3 => sharing.leave(vlan),
                4 | 5 => match sharing.next_step() {
                    Ok(Next::Busy | Next::Settled) | Err(OutOfMemory) => {}
                    Ok(next) => flight = Some(next),
                },
                _ => match flight.take() {
                    Some(Next::Add(_)) => {
                        next_id += 1;
                        below.push(next_id);
                        sharing.done(Some(next_id));
                    }
                    Some(Next::Remove(id)) => {
                        below.retain(|other| *other != id);
                        sharing.done(Some(0));
                    }
                    _ => { sharing.done(Some(0)); }
                },
            }
        }
        for vlan in [1, 2, 3].map(vlan) {
            sharing.leave(vlan);
        }
        for _ in 0..200 {
            match flight.take() {
                // Whoever adds waits for it before it leaves; the test need not.
                Some(Next::Add(_)) => sharing.put_back(),
                Some(Next::Remove(id)) => {
                    below.retain(|other| *other != id);
                    sharing.done(Some(0));
                }
                _ => { sharing.done(Some(0)); }
            }
            match sharing.next_step() {
                Ok(Next::Settled) => break,
                Ok(next) => flight = Some(next),
                Err(OutOfMemory) => unreachable!("there is memory"),
            }
        }
        prop_assert_eq!(sharing.next_step(), Ok(Next::Settled));
        prop_assert_eq!(below, Vec::<u32>::new());
    }
}
