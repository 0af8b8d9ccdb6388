use proptest::prelude::*;

use super::*;

const STATION: MacAddress = MacAddress([2, 0, 0, 0, 0, 1]);
const GROUP: MacAddress = MacAddress([1, 0, 0x5e, 0, 0, 1]);

fn count(frames: u64, bytes: u64) -> Count {
    Count { frames, bytes }
}

#[test]
fn the_kind_is_told_by_the_destination() {
    assert_eq!(Kind::of(STATION), Kind::Directed);
    assert_eq!(Kind::of(GROUP), Kind::Multicast);
    assert_eq!(Kind::of(MacAddress::BROADCAST), Kind::Broadcast);
}

#[test]
fn a_tally_counts_by_kind() {
    let mut tally = Tally::new();
    tally.frame(STATION, 60);
    tally.frame(STATION, 1514);
    tally.frame(GROUP, 100);
    tally.frame(MacAddress::BROADCAST, 42);
    assert_eq!(
        tally,
        Tally {
            directed: count(2, 1574),
            multicast: count(1, 100),
            broadcast: count(1, 42),
        }
    );
    assert_eq!((tally.frames(), tally.bytes()), (4, 1716));
}

#[test]
fn chains_add_up_in_their_direction() {
    let statistics = Statistics::new();
    let mut tally = Tally::new();
    tally.frame(STATION, 60);
    tally.frame(GROUP, 70);
    tally.frame(MacAddress::BROADCAST, 80);
    statistics.add_receive(&tally);
    statistics.add_receive(&tally);
    statistics.add_send(&tally);
    let snapshot = statistics.snapshot();
    assert_eq!(snapshot.send, tally);
    assert_eq!(
        snapshot.receive,
        Tally {
            directed: count(2, 120),
            multicast: count(2, 140),
            broadcast: count(2, 160),
        }
    );
}

#[test]
fn single_frames_are_counted_by_kind() {
    let statistics = Statistics::new();
    statistics.add_receive(&one(Kind::Multicast, 100));
    statistics.add_send(&one(Kind::Broadcast, 42));
    let snapshot = statistics.snapshot();
    assert_eq!(snapshot.receive.multicast, count(1, 100));
    assert_eq!(snapshot.receive.frames(), 1);
    assert_eq!(snapshot.send.broadcast, count(1, 42));
    assert_eq!(snapshot.send.frames(), 1);
}

#[test]
fn errors_and_discards_are_counted_apart() {
    let statistics = Statistics::new();
    statistics.add_receive_errors(1);
    statistics.add_receive_discards(2);
    statistics.add_send_errors(3);
    statistics.add_send_discards(4);
    assert_eq!(
        statistics.snapshot(),
        Snapshot {
            receive_errors: 1,
            receive_discards: 2,
            send_errors: 3,
            send_discards: 4,
            ..Snapshot::default()
        }
    );
}

#[test]
fn bytes_beyond_32_bits_are_counted() {
    let mut tally = Tally::new();
    tally.frame(STATION, u32::MAX);
    tally.frame(STATION, u32::MAX);
    assert_eq!(tally.bytes(), 2 * u64::from(u32::MAX));
}

#[test]
fn counters_that_are_full_wrap() {
    let statistics = Statistics::new();
    let full = Tally {
        directed: count(u64::MAX, u64::MAX),
        ..Tally::new()
    };
    statistics.add_send(&full);
    statistics.add_send(&one(Kind::Directed, 60));
    assert_eq!(statistics.snapshot().send.directed, count(0, 59));
}

proptest! {
    #[test]
    fn chains_count_the_same_however_they_are_cut(
        frames in prop::collection::vec((any::<[u8; 6]>(), any::<u32>()), 0..50),
        cut in 0_usize..50,
    ) {
        let (front, back) = frames.split_at(cut.min(frames.len()));
        let in_two = Statistics::new();
        for part in [front, back] {
            let mut tally = Tally::new();
            part.iter().for_each(|(destination, bytes)| tally.frame(MacAddress(*destination), *bytes));
            in_two.add_receive(&tally);
        }
        let one_by_one = Statistics::new();
        for (destination, bytes) in &frames {
            one_by_one.add_receive(&one(Kind::of(MacAddress(*destination)), *bytes));
        }
        prop_assert_eq!(in_two.snapshot(), one_by_one.snapshot());
        prop_assert_eq!(in_two.snapshot().receive.frames(), frames.len() as u64);
        let bytes: u64 = frames.iter().map(|(_, bytes)| u64::from(*bytes)).sum();
        prop_assert_eq!(in_two.snapshot().receive.bytes(), bytes);
    }
}

/// One frame.
fn one(kind: Kind, bytes: u32) -> Tally {
    let mut tally = Tally::new();
    tally.count(kind, bytes);
    tally
}
