//! What a report contains.

use std::process::Command;

use super::*;
use crate::call;
use crate::nt::irql::Irql;
use crate::nt::pool::{self, Kind, Tag};
use crate::nt::sched;
use crate::rules::testing::assert_broken;
use crate::rules::{NBL_OWNERSHIP, POOL_LEAK, broken};

const PASSIVE: std::ops::RangeInclusive<Irql> = Irql::PASSIVE..=Irql::PASSIVE;

#[test]
fn a_report_has_where_the_document_its_page_and_how_to_repeat_it() {
    assert_broken(
        &POOL_LEAK,
        &[
            "  in        ",
            "  document  ",
            "            https://learn.microsoft.com/windows-hardware/drivers/",
            "Thread \"",
            "in the driver's MiniportHaltEx",
            "-> MiniportHaltEx",
            "NdisSetEvent ×3\n",
            "To repeat it\n  ndishost run --lab 'my lab.toml'",
        ],
        || {
            static FUNCTION: call::Called = call::Called::new(call::Function {
                module: "ndis.sys",
                name: "NdisSetEvent",
                irql: Irql::PASSIVE..=Irql::DISPATCH,
            });
            repeat_by("ndishost run --lab 'my lab.toml'".to_owned());
            call::callback("MiniportHaltEx", PASSIVE, || {
                (0..3).for_each(|_| drop(call::enter(&FUNCTION)));
                broken(&POOL_LEAK, "3 blocks")
            })
        },
    );
}

#[test]
fn a_report_has_the_last_calls_of_other_threads_by_their_names() {
    assert_broken(
        &POOL_LEAK,
        &["Last calls of \"bystander\"", "-> MiniportPause"],
        || {
            let (called, never) = (sched::Signal::new(), sched::Signal::new());
            let set = called.clone();
            sched::spawn("bystander", move || {
                call::callback("MiniportPause", PASSIVE, || {
                    set.set();
                    never.wait(None);
                });
            });
            called.wait(None);
            broken(&POOL_LEAK, "3 blocks")
        },
    );
}

#[test]
fn a_report_says_what_the_addresses_in_it_are() {
    assert_broken(
        &NBL_OWNERSHIP,
        &[
            "pool block of 24 bytes",
            "tag 'Abcd'",
            "allocated by",
            " is in the nonpaged",
        ],
        || {
            let block = pool::allocate(24, Tag(u32::from_le_bytes(*b"Abcd")), Kind::NonPaged);
            let inside = block.wrapping_add(8);
            broken(&NBL_OWNERSHIP, format_args!("{inside:p} is no NBL"))
        },
    );
}

#[test]
fn a_report_to_people_is_short_and_without_colours_in_a_pipe() {
    if std::env::var_os("NDIS_HOST_REPORT_LENGTH").is_some() {
        for _ in 0..100 {
            call::callback("MiniportPause", PASSIVE, || {});
            call::callback("MiniportRestart", PASSIVE, || {});
        }
        broken(&POOL_LEAK, "3 blocks");
    }
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "--test-threads=1"])
        .arg("rules::report::tests::a_report_to_people_is_short_and_without_colours_in_a_pipe")
        .env("NDIS_HOST_REPORT_LENGTH", "1")
        .output()
        .unwrap();
    let report = String::from_utf8(child.stderr).unwrap();
    assert!(report.contains("RULE BROKEN: "), "{report}");
    assert!(report.lines().count() < 60, "{report}");
    assert!(!report.contains('\x1b'));
}

#[test]
fn the_report_for_tools_has_the_same_in_fields() {
    let file = std::env::temp_dir().join(format!("ndis-host-report-{}.json", std::process::id()));
    // The child that breaks the rule finds the name in its environment.
    let named = std::env::var_os("NDIS_HOST_REPORT_TEST").map_or(file, PathBuf::from);
    if std::env::var_os("NDIS_HOST_REPORT_TEST").is_some() {
        report_to(named);
        call::callback("MiniportHaltEx", PASSIVE, || broken(&POOL_LEAK, "3 blocks"));
    }
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "--test-threads=1"])
        .arg("rules::report::tests::the_report_for_tools_has_the_same_in_fields")
        .env("NDIS_HOST_REPORT_TEST", &named)
        .output()
        .unwrap();
    assert_eq!(child.status.code(), Some(1));
    let text = std::fs::read_to_string(&named).unwrap();
    std::fs::remove_file(&named).unwrap();
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["schema"], "ndishost-report");
    assert_eq!(report["rule"], POOL_LEAK.name);
    assert_eq!(report["happened"], "3 blocks");
    assert_eq!(report["document"], POOL_LEAK.source);
    assert_eq!(report["within"][0], "the driver's MiniportHaltEx");
    let calls = report["calls"].as_array().unwrap();
    assert_eq!(calls.last().unwrap()["name"], "MiniportHaltEx");
    assert_eq!(calls.last().unwrap()["kind"], "callback");
}

#[test]
fn every_document_of_a_rule_has_a_page() {
    for rule in crate::rules::all() {
        let page = page::of(rule.source);
        assert!(
            page.starts_with("https://") && !page.ends_with(".md"),
            "{page}"
        );
    }
}
