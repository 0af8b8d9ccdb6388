use proptest::prelude::*;

use super::*;

fn indication(code: u32, length: usize) -> Indication {
    Indication {
        code,
        port: 0,
        directed: false,
        length,
    }
}

#[test]
fn each_row_is_followed_when_its_buffer_is_there() {
    for row in TABLE {
        assert_eq!(
            action(indication(row.code, row.least)),
            row.action,
            "{}",
            row.name
        );
        assert!(!row.why.is_empty(), "{}", row.name);
    }
}

#[test]
fn codes_ascend() {
    assert!(TABLE.is_sorted_by(|one, other| one.code < other.code));
}

#[test]
fn a_short_buffer_another_port_and_another_destination_are_swallowed() {
    for row in TABLE.iter().filter(|row| row.action != Action::Swallow) {
        let whole = indication(row.code, row.least);
        let of_a_port = Indication { port: 1, ..whole };
        let directed = Indication {
            directed: true,
            ..whole
        };
        let short = indication(row.code, row.least - 1);
        for swallowed in [short, of_a_port, directed] {
            assert_eq!(action(swallowed), Action::Swallow, "{}", row.name);
        }
    }
}

#[test]
fn of_two_changes_of_the_network_the_definite_one_is_told() {
    for (kept, change, told) in [
        (None, 1, 1),
        (None, 2, 2),
        (Some(1), 2, 2),
        (Some(2), 1, 2),
        (Some(1), 1, 1),
    ] {
        assert_eq!(stronger(kept, change), told, "{kept:?} {change}");
    }
}

proptest! {
    #[test]
    fn a_code_without_a_row_is_swallowed(code: u32, length in 0_usize..4096) {
        prop_assume!(TABLE.iter().all(|row| row.code != code));
        prop_assert_eq!(action(indication(code, length)), Action::Swallow);
    }
}
