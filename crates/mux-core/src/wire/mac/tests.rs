use std::collections::{BTreeSet, HashSet};
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

const STATION: MacAddress = MacAddress([0x02, 0xaa, 0x0b, 0xcc, 0x1d, 0xee]);

#[test]
fn the_three_usual_texts_are_read() {
    for text in [
        "02-AA-0B-CC-1D-EE",
        "02:aa:0b:cc:1d:ee",
        "02AA0BCC1DEE",
        "02aA0bcC1Dee",
    ] {
        assert_eq!(text.parse(), Ok(STATION), "{text}");
    }
}

#[test]
fn other_texts_are_refused() {
    for text in [
        "",
        "0",
        "02AA0BCC1DE",
        "02AA0BCC1DEE0",
        "02AA0BCC1DEE-",
        "-02AA0BCC1DEE",
        "02-AA-0B-CC-1D",
        "02-AA-0B-CC-1D-EE-",
        "02-AA-0B-CC-1D-EE-FF",
        "02-AA:0B-CC:1D-EE",
        "02-AA-0B-CC-1DEE",
        "02AA-0BCC-1DEE",
        "02-AA-0B-CC-1D-GG",
        "2-AA-0B-CC-1D-EE",
        "+2-AA-0B-CC-1D-EE",
        " 02AA0BCC1DEE",
        "02AA0BCC1DEE ",
        "０２AA0BCC1DEE",
    ] {
        assert_eq!(
            text.parse::<MacAddress>(),
            Err(ParseMacAddressError),
            "{text:?}"
        );
    }
}

#[test]
fn addresses_are_written_as_windows_does() {
    assert_eq!(STATION.to_string(), "02-AA-0B-CC-1D-EE");
}

#[test]
fn kinds_are_told_by_the_first_octet() {
    assert!(MacAddress::BROADCAST.is_broadcast());
    assert!(MacAddress::BROADCAST.is_multicast());
    let group = MacAddress([0x01, 0, 0x5e, 0, 0, 1]);
    assert!(group.is_multicast() && !group.is_broadcast() && !group.is_locally_administered());
    let universal = MacAddress([0x00, 0x15, 0x5d, 1, 2, 3]);
    assert!(!universal.is_multicast() && !universal.is_locally_administered());
    assert!(STATION.is_locally_administered() && !STATION.is_multicast());
}

#[test]
fn a_station_has_neither_a_group_address_nor_zero() {
    assert!(STATION.usable_as_station());
    assert!(!MacAddress::ZERO.usable_as_station());
    assert!(!MacAddress::BROADCAST.usable_as_station());
    assert!(!MacAddress([1, 0, 0, 0, 0, 0]).usable_as_station());
}

/// The value is part of what users see: it must not change between versions.
#[test]
fn derived_is_the_same_for_ever() {
    let nic = MacAddress([0x00, 0x15, 0x5d, 0x01, 0x02, 0x03]);
    let derived = MacAddress::derived(
        nic,
        &name(r"\Device\{5F1B3C2A-0000-4000-8000-000000000001}"),
    );
    assert_eq!(derived.to_string(), "6A-AE-A8-59-0B-32");
}

#[test]
fn derived_takes_ascii_letters_in_either_case() {
    let upper = MacAddress::derived(STATION, &name(r"\DEVICE\{5F1B3C2A}"));
    let lower = MacAddress::derived(STATION, &name(r"\Device\{5f1b3c2a}"));
    assert_eq!(upper, lower);
}

#[test]
fn derived_of_4094_names_on_one_adapter_are_4094_addresses() {
    let distinct: HashSet<_> = (0..4094)
        .map(|number| {
            let name = name(&format!(
                r"\Device\{{5F1B3C2A-0000-4000-8000-{number:012X}}}"
            ));
            MacAddress::derived(STATION, &name)
        })
        .collect();
    assert_eq!(distinct.len(), 4094);
}

#[test]
fn d12_what_is_taken_is_passed_over_and_the_same_one_taken_every_time() {
    let name = name(r"\Device\{1}");
    let first = MacAddress::unique(STATION, &name, |_| false);
    assert_eq!(first, MacAddress::derived(STATION, &name));
    let mut taken = BTreeSet::from([first]);
    for _ in 0..100 {
        let next = MacAddress::unique(STATION, &name, |address| taken.contains(&address));
        assert_eq!(
            next,
            MacAddress::unique(STATION, &name, |address| taken.contains(&address))
        );
        assert!(next.usable_as_station() && next.is_locally_administered() && next != STATION);
        assert!(taken.insert(next), "{next} was taken");
    }
    // With everything taken there is still an answer.
    assert_eq!(MacAddress::unique(STATION, &name, |_| true), first);
}

/// Of the hash so few bits are compared that most names collide.
#[test]
fn d12_as_many_names_as_there_are_vlans_never_share_an_address() {
    let narrow = |address: MacAddress| {
        let [.., e, f] = address.octets();
        u16::from_le_bytes([e, f])
    };
    let mut taken = BTreeSet::new();
    for number in 0..4094 {
        let name = name(&std::format!(r"\Device\{{{number}}}"));
        let free = |taken: &BTreeSet<u16>| {
            MacAddress::unique(STATION, &name, |address| taken.contains(&narrow(address)))
        };
        let address = free(&taken);
        assert!(taken.insert(narrow(address)), "{address} was taken");
    }
}

#[test]
fn derived_differs_between_adapters() {
    let name = name("one");
    let distinct: HashSet<_> = (0..=255)
        .map(|last| MacAddress::derived(MacAddress([0, 0x15, 0x5d, 0, 0, last]), &name))
        .collect();
    assert_eq!(distinct.len(), 256);
}

/// No name is known whose hash hits the adapter's address, so the rule is asked from the inside.
#[test]
fn an_address_that_hits_the_adapters_own_moves_aside() {
    assert_eq!(
        aside(STATION, STATION),
        MacAddress([0x02, 0xaa, 0x0b, 0xcc, 0x1d, 0xef])
    );
    assert_eq!(aside(STATION, MacAddress::ZERO), STATION);
}

proptest! {
    #[test]
    fn display_and_parse_agree(octets: [u8; 6]) {
        let address = MacAddress(octets);
        prop_assert_eq!(address.to_string().parse(), Ok(address));
        prop_assert_eq!(address.to_string().replace('-', ":").to_lowercase().parse(), Ok(address));
        prop_assert_eq!(address.to_string().replace('-', "").parse(), Ok(address));
    }

    /// Random text is seldom an address; the other two strategies come close.
    #[test]
    fn any_text_is_read_or_refused(
        text in prop_oneof![
            any::<String>(),
            "[0-9A-Fa-f]{11,13}",
            "([0-9A-F]{2}-){5}[0-9A-F]{2}[0-9A-F-]?",
            "([0-9A-F]{2}[:-]?){6}",
        ],
    ) {
        if let Ok(address) = text.parse::<MacAddress>() {
            let written = address.to_string();
            let forms = [written.replace('-', ":"), written.replace('-', ""), written];
            prop_assert!(forms.contains(&text.to_uppercase()), "{text:?} read as {address}");
        }
    }

    #[test]
    fn derived_is_always_a_station_of_its_own(nic: [u8; 6], name: Vec<u16>) {
        let nic = MacAddress(nic);
        let derived = MacAddress::derived(nic, &name);
        prop_assert!(derived.usable_as_station());
        prop_assert!(derived.is_locally_administered());
        prop_assert_ne!(derived, nic);
        prop_assert_eq!(derived, MacAddress::derived(nic, &name));
    }
}

fn name(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}
