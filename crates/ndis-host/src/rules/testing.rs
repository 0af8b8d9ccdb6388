//! Tests that need a process of their own: a broken rule ends it, and what the host plans or counts is the
//! whole process's.

use std::any::type_name_of_val;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Output};

use super::Rule;

/// Asserts that `f` breaks `rule`, with a report that contains each of `parts`.
///
/// `f` runs in a child: this test binary again, told to run only the calling test, in which this
/// function then runs `f`. `f` must be a closure of the test function itself, by whose path the
/// child is told.
pub(crate) fn assert_broken<F: FnOnce() -> R, R>(rule: &'static Rule, parts: &[&str], f: F) {
    let test = test_of(&f);
    if is_child() {
        f();
        eprintln!("no rule was broken");
        std::process::exit(SURVIVED);
    }
    let child = run(test);
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

/// Runs `f` where no other test runs: in a child as [`assert_broken`] does, of which it asserts success.
pub(crate) fn alone<F: FnOnce()>(f: F) {
    let test = test_of(&f);
    if is_child() {
        return f();
    }
    let child = run(test);
    let output = String::from_utf8_lossy(&child.stdout) + String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{test}, alone:\n{output}");
    assert!(output.contains("1 passed"), "{test} was run:\n{output}");
}

/// The path of the test function that a closure is of.
fn test_of<F>(f: &F) -> &'static str {
    let path = type_name_of_val(f);
    path.trim_end_matches("::{{closure}}")
        .split_once("::")
        .map_or(path, |(_crate, path)| path)
}

fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

fn run(test: &str) -> Output {
    Command::new(std::env::current_exe().expect("the test binary has a path"))
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .output()
        .expect("the test binary runs")
}

const CHILD: &str = "NDIS_HOST_TEST_CHILD";
const SURVIVED: i32 = 77;
