use alloc::vec::Vec;

use super::*;
use crate::{vlans::VlanSet, wire::vlan::VlanId};

/// Parameters with the Toeplitz hash, a table of `entries` and a key, both of `fill`.
fn data(flags: u16, entries: u16, fill: u8) -> Vec<u8> {
    let table = usize::from(entries) * 4;
    let mut data = [0_u8; 40].to_vec();
    data[..3].copy_from_slice(&[0x89, 2, 40]);
    data[4..6].copy_from_slice(&flags.to_ne_bytes());
    data[8..12].copy_from_slice(&0x0201_u32.to_ne_bytes());
    data[12..14].copy_from_slice(&(table as u16).to_ne_bytes());
    data[16..20].copy_from_slice(&40_u32.to_ne_bytes());
    data[20..22].copy_from_slice(&40_u16.to_ne_bytes());
    data[24..28].copy_from_slice(&(40 + table as u32).to_ne_bytes());
    data.resize(40 + table + 40, fill);
    data
}

fn enable(data: &[u8], before: Option<&Parameters>) -> Parameters {
    match Parameters::read(data, before) {
        Ok(Set::Enable(parameters)) => parameters,
        other => panic!("{other:?}"),
    }
}

fn id(vlan: u32) -> VlanId {
    VlanId::new(vlan).expect("it is one")
}

#[test]
fn what_is_read_is_sent_with_the_same_meaning() {
    let sent = enable(&data(0, 2, 7), None).bytes().expect("memory");
    let word = |at: usize| u32::from_ne_bytes(sent[at..at + 4].try_into().expect("four"));
    assert_eq!(sent[..8], [0x89, 2, 40, 0, 0, 0, 0, 0]);
    assert_eq!([word(8), word(12), word(20)], [0x0201, 8, 40]);
    let (table, key) = (word(16) as usize, word(24) as usize);
    assert_eq!(sent[table..table + 8], [7; 8]);
    assert_eq!(sent[key..key + 40], [7; 40]);
    // Reading it again gives the same.
    assert_eq!(enable(&sent, None).bytes().expect("memory"), sent);
}

#[test]
fn what_a_set_leaves_unchanged_is_what_was_set_before() {
    let first = enable(&data(0, 2, 7), None);
    let both = enable(&data(0x8, 4, 9), Some(&first));
    let sent = both.bytes().expect("memory");
    assert_eq!(sent[48..64], [9; 16], "the new table");
    assert_eq!(sent[64..], [7; 40], "the old key");
    let all = enable(&data(0x1f & !0x10, 1, 1), Some(&both));
    assert_eq!(all, both, "nothing has changed");
    for flag in [0x2, 0x4, 0x8] {
        assert_eq!(
            Parameters::read(&data(flag, 2, 7), None),
            Err(Invalid::Data)
        );
    }
}

#[test]
fn scaling_is_switched_off_by_the_flag_or_without_a_hash_function() {
    assert_eq!(Parameters::read(&disabled(), None), Ok(Set::Disable));
    let mut without = data(0, 2, 7);
    without[8] = 0;
    assert_eq!(Parameters::read(&without, None), Ok(Set::Disable));
}

#[test]
fn arrays_outside_the_data_are_not_read() {
    let whole = data(0, 2, 7);
    for length in 0..40 {
        assert_eq!(
            Parameters::read(&whole[..length], None),
            Err(Invalid::Length { needed: 40 })
        );
    }
    for length in 40..whole.len() {
        assert_eq!(
            Parameters::read(&whole[..length], None),
            Err(Invalid::Data),
            "{length}"
        );
    }
    // (place, value): type, revision, size; then sizes and offsets of table, key and masks.
    let wrong = [
        (0, 0x80),
        (1, 1),
        (2, 39),
        (12, 12),
        (12, 6),
        (12, 0),
        (16, 39),
        (17, 1),
        (19, 0xff),
        (20, 39),
        (24, 39),
        (27, 0xff),
        (32, 1),
        (35, 0xff),
    ];
    for (place, value) in wrong {
        let mut data = whole.clone();
        data[place] = value;
        assert_eq!(Parameters::read(&data, None), Err(Invalid::Data), "{place}");
    }
    let mut longer = whole;
    longer[2] = 200;
    assert_eq!(
        Parameters::read(&longer, None),
        Err(Invalid::Length { needed: 200 })
    );
}

#[test]
fn masks_and_the_default_processor_are_kept() {
    let mut third = data(0, 2, 7);
    third.splice(40..40, [1, 0, 2, 0]);
    third[1] = 3;
    third[2] = 44;
    third[16] = 44;
    third[24] = 52;
    third[28..32].copy_from_slice(&92_u32.to_ne_bytes());
    third[32] = 1;
    third[36] = 16;
    third.extend([3; 16]);
    let sent = enable(&third, None).bytes().expect("memory");
    assert_eq!(sent[..3], [0x89, 3, 44]);
    assert_eq!(sent[40..44], [1, 0, 2, 0]);
    assert_eq!(sent[48..64], [3; 16]);
    assert_eq!(enable(&sent, None).bytes().expect("memory"), sent);
}

#[test]
fn the_newest_parameters_win_and_the_last_who_leaves_switches_off() {
    let mut sharing = Sharing::new();
    let send = |sharing: &mut Sharing| match sharing.next_step() {
        Next::Send(data) => {
            assert_eq!(sharing.next_step(), Next::Busy);
            assert_eq!(sharing.done(true), None);
            Some(data.expect("memory"))
        }
        _ => None,
    };
    let whole = |fill| enable(&data(0, 2, fill), None).bytes().ok();
    sharing.set(id(10), &disabled()).expect("valid");
    assert_eq!(send(&mut sharing), None, "it is off");
    sharing.set(id(10), &data(0, 2, 1)).expect("valid");
    assert_eq!(send(&mut sharing), whole(1));
    sharing.set(id(20), &data(0, 2, 2)).expect("valid");
    assert_eq!(send(&mut sharing), whole(2));
    sharing.set(id(10), &disabled()).expect("valid");
    assert_eq!(send(&mut sharing), None, "20 still wants its own");
    sharing.set(id(10), &data(0x8, 2, 3)).expect("valid");
    let mixed = send(&mut sharing).expect("it is newer");
    assert_eq!(mixed[mixed.len() - 40..], [1; 40], "its own key, not 20's");
    sharing.leave(id(10));
    assert_eq!(send(&mut sharing), whole(2), "20's own again");
    assert!(sharing.is_set());
    sharing.set(id(20), &disabled()).expect("valid");
    assert_eq!(send(&mut sharing), Some(disabled().to_vec()));
    assert!(!sharing.is_set());
    assert_eq!(sharing.next_step(), Next::Settled);
}

#[test]
fn what_others_had_set_comes_back_when_nobody_wants_scaling_any_more() {
    let mut sharing = Sharing::new();
    sharing.learn(&data(0, 4, 9));
    sharing.set(id(10), &data(0, 2, 1)).expect("valid");
    let step = |sharing: &mut Sharing| match sharing.next_step() {
        Next::Send(data) => data.expect("memory"),
        other => panic!("{other:?}"),
    };
    let _first = step(&mut sharing);
    sharing.learn(&data(0, 4, 1));
    assert_eq!(sharing.done(true), None);
    sharing.learn(&data(0, 4, 1));
    sharing.leave(id(10));
    let others = enable(&data(0, 4, 9), None).bytes();
    assert_eq!(
        Ok(step(&mut sharing)),
        others,
        "not what was set from above"
    );
    assert_eq!(sharing.done(true), None);
    assert_eq!(sharing.take_others(), others.ok());
    assert_eq!(sharing.take_others(), None);
    // Who had it off gets it off.
    sharing.learn(&data(0, 4, 9));
    sharing.learn(&disabled());
    assert_eq!(sharing.take_others(), None);
}

#[test]
fn frames_are_hashed_for_those_who_want_the_hash_that_the_adapter_has() {
    let mut sharing = Sharing::new();
    let settle = |sharing: &mut Sharing, succeeded| {
        while let Next::Send(_) = sharing.next_step() {
            assert_eq!(sharing.hashed(), VlanSet::new(), "while it changes");
            let _failed = sharing.done(succeeded);
        }
    };
    let hashed = |sharing: &Sharing, vlans: &[u32]| {
        let mut set = VlanSet::new();
        assert!(vlans.iter().all(|vlan| set.insert(id(*vlan))));
        assert_eq!(sharing.hashed(), set, "{vlans:?}");
    };
    hashed(&sharing, &[]);
    sharing.set(id(10), &data(0, 2, 1)).expect("valid");
    settle(&mut sharing, true);
    hashed(&sharing, &[10]);
    // The key of the other, and a table of its own.
    let mut same_hash = data(0, 4, 1);
    same_hash[40..56].fill(9);
    sharing.set(id(20), &same_hash).expect("valid");
    settle(&mut sharing, true);
    hashed(&sharing, &[10, 20]);
    sharing.set(id(30), &data(0, 2, 3)).expect("valid");
    settle(&mut sharing, true);
    hashed(&sharing, &[30]);
    // Other types of hashes are another hash, too.
    let mut other_types = data(0, 2, 3);
    other_types[9] = 4;
    sharing.set(id(20), &other_types).expect("valid");
    settle(&mut sharing, true);
    hashed(&sharing, &[20]);
    sharing.set(id(10), &other_types).expect("valid");
    settle(&mut sharing, false);
    sharing.take_back(id(10));
    hashed(&sharing, &[20]);
    sharing.leave(id(20));
    settle(&mut sharing, true);
    hashed(&sharing, &[30]);
    sharing.set(id(30), &disabled()).expect("valid");
    settle(&mut sharing, true);
    hashed(&sharing, &[10]);
}

#[test]
fn what_is_refused_below_is_taken_back_and_leaves_the_others_alone() {
    let mut sharing = Sharing::new();
    sharing.set(id(10), &data(0, 2, 1)).expect("valid");
    assert!(matches!(sharing.next_step(), Next::Send(_)));
    assert_eq!(sharing.done(true), None);
    let second = sharing.set(id(20), &data(0, 2, 2)).expect("valid");
    assert!(matches!(sharing.next_step(), Next::Send(_)));
    let third = sharing.set(id(10), &data(0, 2, 3)).expect("valid");
    let failed = sharing.done(false).expect("it failed");
    assert!(failed.contains(&second) && !failed.contains(&third));
    sharing.take_back(id(20));
    assert!(
        matches!(sharing.next_step(), Next::Send(_)),
        "10's newer ones"
    );
    let failed = sharing.done(false).expect("it failed");
    assert!(failed.contains(&third));
    sharing.take_back(id(10));
    assert_eq!(
        sharing.next_step(),
        Next::Settled,
        "10's first ones are below"
    );
    let fourth = sharing.set(id(10), &disabled()).expect("valid");
    assert!(matches!(sharing.next_step(), Next::Send(_)));
    assert!(sharing.done(false).expect("it failed").contains(&fourth));
    sharing.take_back(id(10));
    assert!(sharing.is_set());
    assert_eq!(sharing.next_step(), Next::Settled);
}

#[test]
fn what_nobody_waits_for_is_not_tried_again_and_again() {
    let mut sharing = Sharing::new();
    sharing.set(id(10), &data(0, 2, 1)).expect("valid");
    assert!(matches!(sharing.next_step(), Next::Send(_)));
    assert_eq!(sharing.done(true), None);
    sharing.leave(id(10));
    assert!(matches!(sharing.next_step(), Next::Send(_)));
    sharing.put_back();
    assert!(
        matches!(sharing.next_step(), Next::Send(_)),
        "it was not sent"
    );
    assert!(sharing.done(false).is_some());
    assert_eq!(sharing.next_step(), Next::Settled);
}

#[test]
fn capabilities_of_rss_v2_and_of_ports_are_not_shown() {
    assert_eq!(shown(0xffff_ffff), 0xafff_ffff);
    assert_eq!(shown(0x0700_0301), 0x0700_0301);
}
