//! The tables in the modules' documents are the tables in the code, and every row has its test.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::{binding, instance};

#[test]
fn instance_document_shows_its_table() {
    let rows = rendered(instance::TRANSITIONS);
    assert_eq!(documented(include_str!("instance.rs")), rows);
}

#[test]
fn binding_document_shows_its_table() {
    let rows = rendered(binding::TRANSITIONS);
    assert_eq!(documented(include_str!("binding.rs")), rows);
}

#[test]
fn every_instance_row_has_a_test_of_its_name() {
    for row in instance::TRANSITIONS {
        assert_tested(include_str!("instance/tests.rs"), row.name);
    }
}

#[test]
fn every_binding_row_has_a_test_of_its_name() {
    for row in binding::TRANSITIONS {
        assert_tested(include_str!("binding/tests.rs"), row.name);
    }
}

fn rendered(rows: &[impl ToString]) -> Vec<String> {
    rows.iter().map(|row| row.to_string()).collect()
}

fn documented(source: &str) -> Vec<String> {
    source
        .lines()
        .filter_map(|line| line.strip_prefix("//! "))
        .skip_while(|line| !line.starts_with("|---"))
        .skip(1)
        .map(String::from)
        .collect()
}

fn assert_tested(tests: &str, name: &str) {
    let function = format!("#[test]\nfn {name}() {{");
    assert_eq!(
        tests.matches(&function).count(),
        1,
        "row without its one test: {name}"
    );
}
