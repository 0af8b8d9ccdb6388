//! Tests of broken rules: a rule ends the process, so the breaking runs in a process of its own.

use std::any::type_name_of_val;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

use super::Rule;

/// Asserts that `f` breaks `rule`, with a report that contains each of `parts`.
///
/// `f` runs in a child: this test binary again, told to run only the calling test, in which this
/// function then runs `f`. `f` must be a closure of the test function itself, by whose path the
/// child is told.
pub(crate) fn assert_broken<F: FnOnce() -> R, R>(rule: &'static Rule, parts: &[&str], f: F) {
    let path = type_name_of_val(&f);
    let test = path
        .trim_end_matches("::{{closure}}")
        .split_once("::")
        .map_or(path, |(_crate, path)| path);
    if std::env::var_os(CHILD).is_some() {
        f();
        eprintln!("no rule was broken");
        std::process::exit(SURVIVED);
    }
    let child = Command::new(std::env::current_exe().expect("the test binary has a path"))
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .output()
        .expect("the test binary runs");
    let report = String::from_utf8_lossy(&child.stderr);
    assert_eq!(
        child.status.code(),
        Some(1),
        "{test} ends with exit code 1 (signal {:?}):\n{report}",
        child.status.signal()
    );
    let headline = format!("RULE BROKEN: {}\n", rule.name);
    assert!(report.contains(&headline), "{headline:?} in:\n{report}");
    for part in parts {
        assert!(report.contains(part), "{part:?} in:\n{report}");
    }
}

const CHILD: &str = "NDIS_HOST_TEST_CHILD";
const SURVIVED: i32 = 77;
