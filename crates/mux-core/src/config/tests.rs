use proptest::prelude::*;
use std::format;
use std::string::String;
use std::vec::Vec;

use super::*;

#[test]
fn device_names_are_compared_without_regard_to_case() {
    let utf16 = |text: &str| text.encode_utf16().collect::<std::vec::Vec<_>>();
    assert!(same_name(
        &utf16(r"\Device\{4D75AAbb}"),
        &utf16(r"\DEVICE\{4d75aaBB}")
    ));
    assert!(!same_name(&utf16(r"\Device\{1}"), &utf16(r"\Device\{2}")));
    assert!(!same_name(&utf16(r"\Device"), &utf16(r"\Device\{1}")));
    assert!(
        !same_name(&utf16("\u{e4}"), &utf16("\u{c4}")),
        "only ASCII is folded"
    );
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

fn vlan_id(text: &str) -> Result<u16, ConfigError> {
    parse_vlan_id(Value::Text(&wide(text))).map(VlanId::get)
}

fn address(text: &str) -> Result<MacAddress, ConfigError> {
    parse_network_address(&wide(text))
}

fn names(value: &str) -> Vec<String> {
    upper_bindings::names(&[wide(value)])
        .map(|name| String::from_utf16(name).unwrap())
        .collect()
}

#[test]
fn a_vlan_id_is_a_number() {
    assert_eq!(parse_vlan_id(Value::Dword(0)), Ok(VlanId::NONE));
    assert_eq!(parse_vlan_id(Value::Dword(4094)), Ok(VlanId::MAXIMUM));
    assert_eq!(
        parse_vlan_id(Value::Dword(4095)),
        Err(ConfigError::VlanIdOutOfRange { number: 4095 })
    );
}

#[test]
fn a_vlan_id_is_decimal_text() {
    for text in ["10", " 10 ", "\t10", "010", "10\0", "10\0\0", " 10 \0"] {
        assert_eq!(vlan_id(text), Ok(10), "{text:?}");
    }
    assert_eq!(vlan_id("0"), Ok(0));
    assert_eq!(vlan_id("4094"), Ok(4094));
}

#[test]
fn text_that_is_no_decimal_number_is_no_vlan_id() {
    for text in [
        "",
        " ",
        "\0",
        "ten",
        "0x0A",
        "1F",
        "a",
        "-1",
        "+1",
        "1 0",
        "1\u{0}0",
        "10.0",
        "4294967296",
        "99999999999999999999999999",
        "１０",
    ] {
        assert_eq!(vlan_id(text), Err(ConfigError::VlanIdNotNumber), "{text:?}");
    }
}

#[test]
fn a_vlan_id_beyond_4094_is_refused_as_text_too() {
    assert_eq!(
        vlan_id("4095"),
        Err(ConfigError::VlanIdOutOfRange { number: 4095 })
    );
    assert_eq!(
        vlan_id("4294967295"),
        Err(ConfigError::VlanIdOutOfRange { number: u32::MAX })
    );
}

#[test]
fn a_network_address_is_read_in_each_usual_text() {
    let expected = MacAddress([0x02, 0xaa, 0, 0, 0, 1]);
    for text in [
        "02AA00000001",
        "02-AA-00-00-00-01",
        " 02:aa:00:00:00:01 ",
        "02AA00000001\0",
    ] {
        assert_eq!(address(text), Ok(expected), "{text:?}");
    }
}

#[test]
fn other_text_is_no_network_address() {
    for text in [
        "02AA0000000",
        "02AA000000011",
        "02AA0000000G",
        "02 AA 00 00 00 01",
    ] {
        assert_eq!(
            address(text),
            Err(ConfigError::AddressNotHexadecimal),
            "{text:?}"
        );
    }
    assert_eq!(
        parse_network_address(&[0xd800; 12]),
        Err(ConfigError::AddressNotHexadecimal)
    );
}

#[test]
fn an_address_that_no_adapter_can_have_is_refused() {
    for text in ["000000000000", "FFFFFFFFFFFF", "01005E000001"] {
        let error = address(text).unwrap_err();
        assert!(
            matches!(error, ConfigError::AddressNotStation { .. }),
            "{text}"
        );
    }
}

#[test]
fn a_network_address_is_six_bytes() {
    for (text, length) in [("", 0), ("02AA000000", 5), ("02-AA-00-00-00-00-01", 7)] {
        assert_eq!(
            address(text),
            Err(ConfigError::AddressLength { length }),
            "{text:?}"
        );
    }
}

#[test]
fn a_blank_text_says_nothing() {
    for (text, blank) in [("", true), (" \t\0", true), ("0", false), (" -", false)] {
        assert_eq!(is_blank(&wide(text)), blank, "{text:?}");
    }
}

#[test]
fn a_multi_sz_is_its_strings() {
    assert_eq!(names("one\0two\0\0"), ["one", "two"]);
    assert_eq!(names("one\0\0"), ["one"]);
    assert_eq!(names("\0\0"), [""; 0]);
    assert_eq!(names(""), [""; 0]);
}

#[test]
fn a_multi_sz_may_lack_its_terminators() {
    assert_eq!(names("one\0two"), ["one", "two"]);
    assert_eq!(names("one\0two\0"), ["one", "two"]);
}

#[test]
fn empty_strings_in_a_multi_sz_are_skipped() {
    assert_eq!(names("\0one\0\0two\0\0\0"), ["one", "two"]);
}

#[test]
fn a_name_of_260_units_is_taken_and_one_of_261_left_out() {
    let value = format!("{}\0{}\0last\0\0", "a".repeat(260), "b".repeat(261));
    assert_eq!(names(&value), ["a".repeat(260).as_str(), "last"]);
    assert_eq!(
        check_upper_bindings(&[wide(&value)]),
        Err(ConfigError::NameTooLong {
            position: 2,
            length: 261
        })
    );
}

#[test]
fn no_more_than_4094_names_are_taken() {
    let value = "x\0".repeat(4094);
    assert_eq!(names(&value).len(), 4094);
    assert_eq!(check_upper_bindings(&[wide(&value)]), Ok(4094));
    let value = "x\0".repeat(4095);
    assert_eq!(names(&value).len(), 4094);
    assert_eq!(
        check_upper_bindings(&[wide(&value)]),
        Err(ConfigError::TooManyNames)
    );
}

#[test]
fn errors_say_which_value_what_is_wrong_and_what_is_allowed() {
    let errors = [
        ConfigError::VlanIdNotNumber,
        ConfigError::VlanIdOutOfRange { number: 4095 },
        ConfigError::VlanIdTaken {
            vlan: VlanId::MAXIMUM,
        },
        ConfigError::AddressNotHexadecimal,
        ConfigError::AddressLength { length: 5 },
        ConfigError::AddressNotStation {
            address: MacAddress::BROADCAST,
        },
        ConfigError::NotNames,
        ConfigError::TooManyNames,
        ConfigError::NameTooLong {
            position: 2,
            length: 261,
        },
    ];
    assert_eq!(
        errors.map(|error| format!("{error}")),
        [
            "VlanId is not a decimal number: allowed are 1 to 4094, and 0 for no tag",
            "VlanId is 4095: allowed are 1 to 4094, and 0 for no tag",
            "VlanId is 4094, which another virtual miniport of the same adapter has: allowed is each \
             once",
            "NetworkAddress is not a MAC address: allowed are twelve hexadecimal digits, like \
             02AABBCCDDEE or 02-AA-BB-CC-DD-EE",
            "NetworkAddress is 5 bytes long: allowed are 6",
            "NetworkAddress is FF-FF-FF-FF-FF-FF, which no adapter can have: allowed are addresses \
             other than zero whose first octet is even",
            "UpperBindings is not a list of names: allowed is REG_MULTI_SZ",
            "UpperBindings has too many names: allowed are 4094",
            "UpperBindings has a name of 261 characters in place 2: allowed are 260",
        ]
    );
}

#[test]
fn a_keyword_enables_by_one_only() {
    let text = |text: &str| text.encode_utf16().collect::<Vec<u16>>();
    for (value, expected) in [
        ("1", true),
        (" 1\0", true),
        ("0", false),
        ("2", false),
        ("", false),
        ("on", false),
    ] {
        assert_eq!(enables(Value::Text(&text(value))), expected, "{value:?}");
    }
    assert!(enables(Value::Dword(1)));
    assert!(!enables(Value::Dword(0)) && !enables(Value::Dword(2)));
}

proptest! {
    #[test]
    fn what_is_written_to_the_registry_is_read_as_the_same(vlan in 0_u32..=4094, octets: [u8; 6]) {
        let vlan = VlanId::new(vlan).unwrap();
        let (digits, first) = vlan_id_text(vlan);
        prop_assert_eq!(parse_vlan_id(Value::Text(&digits[first..])), Ok(vlan));
        let address = MacAddress(octets);
        let read = parse_network_address(&network_address_text(address));
        prop_assert_eq!(read.is_ok(), address.usable_as_station());
        prop_assert_eq!(read.unwrap_or(address), address);
    }

    #[test]
    fn any_units_are_a_vlan_id_or_refused(units in prop::collection::vec(any::<u16>(), 0..20)) {
        if let Ok(vlan) = parse_vlan_id(Value::Text(&units)) {
            prop_assert!(vlan <= VlanId::MAXIMUM);
        }
    }

    #[test]
    fn every_number_as_text_is_what_it_is_as_number(number: u32, blanks in 0_usize..3) {
        let text = format!("{0}{number}{0}", " ".repeat(blanks));
        prop_assert_eq!(
            parse_vlan_id(Value::Text(&wide(&text))),
            parse_vlan_id(Value::Dword(number))
        );
    }

    #[test]
    fn any_units_are_an_address_or_refused(units in prop::collection::vec(any::<u16>(), 0..20)) {
        if let Ok(address) = parse_network_address(&units) {
            prop_assert!(address.usable_as_station());
        }
    }

    /// Few different units make many terminators.
    #[test]
    fn any_units_are_names(units in prop::collection::vec(0_u16..4, 0..2000)) {
        let parts = [units.as_slice()];
        let names: Vec<_> = upper_bindings::names(&parts).collect();
        prop_assert!(names.iter().all(|name| !name.is_empty() && !name.contains(&0)));
        let joined: Vec<u16> = names.concat();
        let without_terminators: Vec<u16> = units.iter().copied().filter(|unit| *unit != 0).collect();
        prop_assert_eq!(joined, without_terminators);
        prop_assert_eq!(check_upper_bindings(&[&units]), Ok(names.len()));
    }
}
