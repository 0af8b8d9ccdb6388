use std::format;
use std::string::String;
use std::vec;

use super::*;

#[test]
fn the_first_value_has_no_number_and_the_others_count_from_two() {
    let name = |part| PartName::new(part).map(|name| String::from_utf16_lossy(name.units()));
    assert_eq!(name(0).as_deref(), Some("UpperBindings"));
    assert_eq!(name(1).as_deref(), Some("UpperBindings2"));
    assert_eq!(name(8).as_deref(), Some("UpperBindings9"));
    assert_eq!(name(9).as_deref(), Some("UpperBindings10"));
    assert_eq!(name(98).as_deref(), Some("UpperBindings99"));
    assert_eq!(name(99), None);
    assert_eq!(name(usize::MAX), None);
}

#[test]
fn a_name_is_added_at_the_end_and_once() {
    let nothing: [Vec<u16>; 0] = [];
    let first = with_name(&nothing, &utf16("a")).unwrap().unwrap();
    assert_eq!((first.part, first.value.as_slice()), (0, &*utf16("a\0\0")));
    let second = with_name(&[first.value], &utf16("b")).unwrap().unwrap();
    assert_eq!(
        (second.part, second.value.as_slice()),
        (0, &*utf16("a\0b\0\0"))
    );
    assert_eq!(
        with_name(&[second.value], &utf16("A")),
        Ok(None),
        "in any case"
    );
}

#[test]
fn an_empty_value_is_filled_before_a_new_one_is_made() {
    let parts = [utf16("\0"), utf16("b\0\0")];
    let changed = with_name(&parts, &utf16("a")).unwrap().unwrap();
    assert_eq!(
        (changed.part, changed.value.as_slice()),
        (0, &*utf16("a\0\0"))
    );
    assert_eq!(
        names(&parts).count(),
        1,
        "the list goes on after an empty value"
    );
}

#[test]
fn a_value_that_is_full_is_followed_by_another_one() {
    let mut parts: Vec<Vec<u16>> = Vec::new();
    for number in 0..300 {
        // What tells them apart comes first: the comparison is what takes time here.
        let name = utf16(&format!("{number:04}{}", "x".repeat(255)));
        let Changed { part, value } = with_name(&parts, &name).unwrap().unwrap();
        assert!(value.len() <= MAXIMUM_PART_LENGTH, "{number}");
        if part == parts.len() {
            parts.push(value);
        } else {
            parts[part] = value;
        }
    }
    // 126 names of 259 units with their terminators, and the last terminator, fit into 32,767 units.
    assert_eq!(parts.len(), 3);
    assert_eq!(names(&parts).count(), 300);
}

#[test]
fn the_list_is_full_when_each_vlan_could_have_one() {
    let many = (0..MAXIMUM_VIRTUAL_MINIPORTS).map(|number| format!("{number}\0"));
    let parts = [utf16(&many.collect::<String>())];
    assert_eq!(
        with_name(&parts, &utf16("one more")),
        Err(ChangeError::Full)
    );
}

#[test]
fn no_more_values_are_made_than_may_be() {
    let full = vec![utf16(&"x".repeat(MAXIMUM_PART_LENGTH - 2)); MAXIMUM_PARTS];
    assert_eq!(with_name(&full, &utf16("a")), Err(ChangeError::Full));
}

#[test]
fn a_name_is_taken_out_of_each_value_that_has_it() {
    let mut parts = [utf16("a\0b\0\0"), utf16("c\0\0"), utf16("B\0\0")];
    for (part, value) in [(0, "a\0\0"), (2, "\0")] {
        let changed = without_name(&parts, &utf16("b")).unwrap().unwrap();
        assert_eq!(
            (changed.part, changed.value.as_slice()),
            (part, &*utf16(value))
        );
        parts[part] = changed.value;
    }
    assert_eq!(without_name(&parts, &utf16("b")), Ok(None));
}

#[test]
fn what_stands_beside_a_name_stays_as_it_is() {
    let odd = utf16(&format!("{}\0a\0", "x".repeat(MAXIMUM_NAME_LENGTH + 1)));
    let changed = without_name(&[odd], &utf16("a")).unwrap().unwrap();
    let kept = utf16(&format!("{}\0\0", "x".repeat(MAXIMUM_NAME_LENGTH + 1)));
    assert_eq!(changed.value, kept);
}

#[test]
fn a_name_that_no_device_has_is_not_added() {
    let nothing: [Vec<u16>; 0] = [];
    let long = "x".repeat(MAXIMUM_NAME_LENGTH + 1);
    for wrong in ["", "a\0b", &long] {
        assert_eq!(
            with_name(&nothing, &utf16(wrong)),
            Err(ChangeError::WrongName),
            "{wrong:?}"
        );
    }
}

fn utf16(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}
