use proptest::prelude::*;

use super::*;

/// Metadata with its size in front.
fn sized_metadata(rest: &[u8]) -> Vec<u8> {
    let size = (rest.len() as u16 + 2).to_le_bytes();
    [&size, rest].concat()
}

fn event(fields: &[u8]) -> Vec<u8> {
    sized_metadata(&[b"\0Event\0", fields].concat())
}

fn values(fields: &[u8], data: &[u8]) -> Result<Vec<Field>, Problem> {
    decode(&event(fields), data).map(|event| event.fields)
}

fn one(fields: &[u8], data: &[u8]) -> String {
    let fields = values(fields, data).expect("it is right");
    let texts: Vec<String> = fields.iter().map(ToString::to_string).collect();
    texts.join(" ")
}

#[test]
fn the_identifier_is_derived_from_the_name_in_any_case() {
    // The example of the crate's documentation.
    let id = tracelogging::Guid::from_u128(&0xb3864c38_4273_58c5_545b_8b3608343471);
    assert_eq!(provider_id("MyProvider"), id.to_bytes_le());
    assert_eq!(provider_id("MYPROVIDER"), id.to_bytes_le());
    assert_ne!(provider_id("MyProvider2"), id.to_bytes_le());
}

#[test]
fn a_provider_says_its_name() {
    let traits = sized_metadata(b"ndismux\0");
    assert_eq!(provider_name(&traits).as_deref(), Ok("ndismux"));
    let with_group = sized_metadata(&[b"mux\0".as_slice(), &[19, 0, 1], &[7; 16]].concat());
    assert_eq!(provider_name(&with_group).as_deref(), Ok("mux"));
}

#[test]
fn an_event_without_fields_has_a_name() {
    let decoded = decode(&event(b""), &[]).expect("it is right");
    assert_eq!((decoded.name.as_str(), decoded.fields.len()), ("Event", 0));
    // Tags of two bytes.
    let tagged = sized_metadata(b"\x81\x01Tagged\0");
    assert_eq!(decode(&tagged, &[]).expect("it is right").name, "Tagged");
}

#[test]
fn numbers_have_their_width_and_sign() {
    assert_eq!(one(b"A\0\x03B\0\x04", &[0xFF, 0xFF]), "A=-1 B=255");
    assert_eq!(one(b"A\0\x05B\0\x06", &[0xFE, 0xFF, 1, 1]), "A=-2 B=257");
    let data = [(-3_i32).to_le_bytes(), 7_u32.to_le_bytes()].concat();
    assert_eq!(one(b"A\0\x07B\0\x08", &data), "A=-3 B=7");
    let data = [i64::MIN.to_le_bytes(), u64::MAX.to_le_bytes()].concat();
    let shown = format!("A={} B={}", i64::MIN, u64::MAX);
    assert_eq!(one(b"A\0\x09B\0\x0A", &data), shown);
    let data = [1.5_f32.to_le_bytes().as_slice(), &0.25_f64.to_le_bytes()].concat();
    assert_eq!(one(b"A\0\x0BB\0\x0C", &data), "A=1.5 B=0.25");
}

#[test]
fn a_status_and_a_mask_are_hexadecimal() {
    let data = 0xC000_009A_u32.to_le_bytes();
    assert_eq!(one(b"Status\0\x87\x0E", &data), "Status=0xc000009a");
    assert_eq!(one(b"Oid\0\x88\x04", &data), "Oid=0xc000009a");
    assert_eq!(one(b"Mask\0\x14", &data), "Mask=0xc000009a");
    assert_eq!(one(b"On\0\x84\x03", &[1]), "On=true");
}

#[test]
fn texts_end_with_a_zero_or_after_their_length() {
    assert_eq!(one(b"A\0\x01", b"o\0n\0\0\0"), "A=on");
    assert_eq!(one(b"A\0\x02", b"on\0"), "A=on");
    assert_eq!(one(b"A\0\x16", b"\x04\0o\0n\0"), "A=on");
    assert_eq!(one(b"A\0\x97\x23", b"\x02\0on"), "A=on");
    assert_eq!(one(b"A\0\x19", b"\x02\0\x01\xAB"), "A=01ab");
}

#[test]
fn arrays_and_structures_have_elements_and_fields() {
    assert_eq!(one(b"A\0\x24\x03\0", &[1, 2, 3]), "A=[1 2 3]");
    assert_eq!(one(b"A\0\x44", &[2, 0, 8, 9]), "A=[8 9]");
    // A structure of a number and a structure of one number, then a number of its own.
    let fields = b"S\0\x98\x02A\0\x04T\0\x98\x01B\0\x04C\0\x04";
    assert_eq!(one(fields, &[1, 2, 3]), "S={A=1 T={B=2}} C=3");
    // Two such structures.
    assert_eq!(one(b"S\0\xB8\x01\x02\0A\0\x04", &[5, 6]), "S=[{A=5} {A=6}]");
}

#[test]
fn what_does_not_fit_is_named() {
    let field = |name: &str| name.to_owned();
    assert_eq!(
        values(b"A\0\x08", &[1, 2]),
        Err(Problem::DataEnds(field("A")))
    );
    assert_eq!(
        values(b"A\0\x16", &[9, 0, 1]),
        Err(Problem::DataEnds(field("A")))
    );
    assert_eq!(
        values(b"A\0\x02", b"endless"),
        Err(Problem::DataEnds(field("A")))
    );
    assert_eq!(values(b"A\0\x04", &[1, 2]), Err(Problem::DataLeft(1)));
    assert_eq!(
        values(b"A\0", &[]),
        Err(Problem::MetadataEnds("a field's type"))
    );
    assert_eq!(
        values(b"A", &[]),
        Err(Problem::MetadataEnds("a field's name"))
    );
    assert_eq!(
        values(b"\xFF\0\x04", &[1]),
        Err(Problem::NoText("a field's name"))
    );
    assert_eq!(
        values(b"S\0\x98\x02A\0\x04", &[1]),
        Err(Problem::FieldsMissing(field("S")))
    );
    let none = Problem::NoType {
        field: field("A"),
        kind: 16,
    };
    assert_eq!(values(b"A\0\x10", &[]), Err(none));
    assert_eq!(
        decode(&[9, 0, 0], &[]),
        Err(Problem::Size { says: 9, is: 3 })
    );
    assert_eq!(decode(&[9], &[]), Err(Problem::Size { says: 0, is: 1 }));
    let own = values(b"A\0\x64", &[1]).expect_err("it is not understood");
    assert!(!own.is_malformed());
}

#[test]
fn structures_in_structures_and_empty_elements_have_an_end() {
    let deep: Vec<u8> = b"S\0\x98\x01".repeat(20);
    assert_eq!(
        values(&[&deep[..], b"A\0\x04"].concat(), &[1]),
        Err(Problem::TooMuch)
    );
    // 65,535 elements of 65,535 elements of nothing.
    let wide: Vec<u8> = b"S\0\xB8\x01\xFF\xFF".repeat(4);
    assert_eq!(
        values(&[&wide[..], b"A\0\0"].concat(), &[]),
        Err(Problem::TooMuch)
    );
}

proptest! {
    #[test]
    fn nonsense_never_panics(
        fields in proptest::collection::vec(any::<u8>(), 0..64),
        data in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let _ = decode(&event(&fields), &data);
        let _ = decode(&fields, &data);
        let _ = provider_name(&fields);
    }

    /// Bytes of few kinds, of which much is right.
    #[test]
    fn near_sense_never_panics(
        fields in proptest::collection::vec(
            prop::sample::select(vec![0, b'A', 1, 2, 4, 8, 22, 24, 0x98, 0xB8, 0x38, 0x44, 0x64]), 0..64),
        data in proptest::collection::vec(0_u8..4, 0..64),
    ) {
        let _ = decode(&event(&fields), &data);
    }
}
