//! The settings of a virtual miniport that Device Manager shows: `Ndi\\params` in the miniport's INF file.
//!
//! Source documents: specifying-configuration-parameters-for-the-advanced-properties-page.md,
//! keywords-that-can-be-edited.md and standardized-inf-keywords-for-power-management.md.

use std::collections::BTreeSet;

use mux_core::config::{NETWORK_ADDRESS, VLAN_ID, WAKE_ON_MAGIC_PACKET, WAKE_ON_PATTERN};

use super::miniport;
use super::network::{added, installs, registry};
use super::reader::{Inf, Line};

#[test]
fn advanced_page_shows_what_the_driver_reads_and_nothing_else() {
    let inf = miniport();
    for install in installs(&inf) {
        let read = [
            NETWORK_ADDRESS,
            VLAN_ID,
            WAKE_ON_MAGIC_PACKET,
            WAKE_ON_PATTERN,
        ];
        let read = BTreeSet::from(read.map(str::to_owned));
        assert_eq!(keywords(&inf, &install), read, "[{install}]");
    }
}

#[test]
fn every_setting_has_a_text_a_type_and_a_value_to_begin_with() {
    let inf = miniport();
    let strings = inf.strings();
    for install in installs(&inf) {
        for keyword in keywords(&inf, &install) {
            let key = format!(r"Ndi\params\{keyword}");
            let value = |name| registry(&inf, &install, &key, name);
            let text = value("ParamDesc");
            let text: Vec<_> = text.iter().map(|it| it.trim_matches('%')).collect();
            let [text] = text.as_slice() else {
                panic!("{keyword}: one ParamDesc, not {text:?}")
            };
            if let Some((_, standard)) = STANDARD_TEXTS.iter().find(|(name, _)| *name == keyword) {
                assert_eq!(strings[&text.to_ascii_lowercase()], *standard, "{keyword}");
            }
            let kind = value("Type");
            assert_eq!(kind.len(), 1, "{keyword}: one Type");
            assert!(
                ["int", "long", "word", "dword", "edit", "enum"].contains(&kind[0].as_str()),
                "{keyword}: {kind:?}"
            );
            if value("Optional") != ["1"] {
                assert_eq!(value("Default").len(), 1, "{keyword}: a required setting");
            }
            let choices = choices(&inf, &install, &key);
            assert_eq!(kind == ["enum"], !choices.is_empty(), "{keyword}");
            for (number, choice) in choices.iter().enumerate() {
                assert_eq!(*choice, number.to_string(), "{keyword}: from zero");
            }
        }
    }
}

#[test]
fn settings_begin_untagged_and_asleep() {
    let inf = miniport();
    for install in installs(&inf) {
        let value = |keyword, name| {
            let key = format!(r"Ndi\params\{keyword}");
            registry(&inf, &install, &key, name)
        };
        let expected = [
            ("Type", "int"),
            ("Default", "0"),
            ("Optional", "0"),
            ("Min", "0"),
            ("Max", "4094"),
            ("Step", "1"),
        ];
        for (name, data) in expected {
            assert_eq!(value(VLAN_ID, name), [data], "{VLAN_ID} {name}");
        }
        assert_eq!(value(NETWORK_ADDRESS, "Type"), ["edit"]);
        assert_eq!(value(NETWORK_ADDRESS, "Optional"), ["1"]);
        for keyword in [WAKE_ON_PATTERN, WAKE_ON_MAGIC_PACKET] {
            assert_eq!(value(keyword, "Type"), ["enum"], "{keyword}");
            assert_eq!(value(keyword, "Default"), ["0"], "{keyword}");
        }
    }
}

fn keywords(inf: &Inf, install: &str) -> BTreeSet<String> {
    let lines = added(inf, install).into_iter();
    let keys = lines.filter_map(|line| line.field(1).strip_prefix(r"Ndi\params\"));
    keys.map(|key| key.trim_end_matches(r"\enum").to_owned())
        .collect()
}

/// The values of an enumeration, in the order of the file.
fn choices<'a>(inf: &'a Inf, install: &str, key: &str) -> Vec<&'a str> {
    let below = format!(r"{key}\enum");
    let lines = added(inf, install).into_iter();
    let lines = lines.filter(|line| line.field(1) == below);
    lines.map(|line: &Line| line.field(2)).collect()
}

/// What the documents call the standardized keywords.
const STANDARD_TEXTS: [(&str, &str); 3] = [
    (NETWORK_ADDRESS, "Network Address"),
    (WAKE_ON_PATTERN, "Wake on pattern match"),
    (WAKE_ON_MAGIC_PACKET, "Wake on magic packet"),
];
