//! Seeded runs of a stack of built-in parts: the same seed gives the same run, in each process.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};

use ndis_host::lab::Lab;
use ndis_host::ndis::BindingState;
use ndis_host::nic::NicConfig;
use ndis_host::nt::sched::{self, Seed};
use ndis_host::rules;

const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
const LONG: Duration = Duration::from_secs(10);

/// What a child prints of its run, or the test goes on in the parent.
const CHILD: &str = "NDIS_HOST_SEEDED_CHILD";

/// Runs this test executable again for `test` alone, under `seed`.
fn child(test: &str, seed: Seed) -> (Option<i32>, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(CHILD, seed.to_string());
    let output = sched::prepare_child(&mut command).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

/// Starts the seeded run if this is a child.
fn is_child() -> bool {
    let Ok(seed) = std::env::var(CHILD) else {
        return false;
    };
    sched::start_seeded(seed.parse().unwrap());
    assert_eq!(rules::relax(), Err(rules::NotRelaxed::Seeded));
    true
}

fn frame(destination: [u8; 6], number: u8) -> Vec<u8> {
    let mut frame = [destination, [2, 0, 0, 0, 0, 9], [8, 0, number, 0, 0, 0]].concat();
    frame.resize(60, number);
    frame
}

/// Two clients on one NIC, with traffic both ways while one of them comes and goes.
fn traffic_while_a_client_comes_and_goes() {
    let lab = Lab::new();
    let nic = lab.add_nic(NicConfig::new("nic0", MAC));
    let one = lab.add_client("one", "nic0").unwrap();
    lab.add_client("two", "nic0").unwrap();
    lab.plug_nic("nic0").unwrap();
    assert!(one.wait_state(BindingState::Running, LONG));
    let far = nic.clone();
    let sender = sched::spawn("sender", move || {
        for number in 0..8 {
            one.send(&[frame([2, 0, 0, 0, 0, 9], number)]).wait(LONG);
            far.inject(&frame(MAC, number));
        }
    });
    lab.remove_client("two").unwrap();
    sender.join();
    lab.remove_client("one").unwrap();
    lab.unplug_nic("nic0").unwrap();
    let report = sched::report().unwrap();
    println!(
        "trace {:#x} crossings {} steps {} switches {} threads {} time {:?}",
        report.trace, report.crossings, report.steps, report.switches, report.threads, report.time
    );
}

fn trace(test: &str, seed: Seed) -> String {
    let (code, text) = child(test, seed);
    assert_eq!(code, Some(0), "{seed}:\n{text}");
    let line = text.lines().find(|line| line.contains("trace 0x"));
    line.unwrap_or_else(|| panic!("{seed}:\n{text}")).to_owned()
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_seed_another() {
    const TEST: &str = "the_same_seed_gives_the_same_run_and_another_seed_another";
    if is_child() {
        traffic_while_a_client_comes_and_goes();
        return;
    }
    let mut traces = BTreeSet::new();
    for number in 0..8 {
        let seed = Seed::nth(42, number, 600);
        let first = trace(TEST, seed);
        assert_eq!(first, trace(TEST, seed), "{seed}");
        traces.insert(first);
    }
    assert_eq!(traces.len(), 8, "{traces:?}");
}

#[test]
fn an_hour_on_the_clock_takes_no_time() {
    if !is_child() {
        let started = Instant::now();
        let (code, text) = child("an_hour_on_the_clock_takes_no_time", Seed::nth(1, 0, 10));
        assert_eq!(code, Some(0), "{text}");
        assert!(started.elapsed() < LONG, "{:?}", started.elapsed());
        return;
    }
    let hour = Duration::from_secs(3600);
    let thread = sched::spawn("sleeper", move || sched::sleep(hour));
    thread.join();
    assert!(!sched::Signal::new().wait(Some(hour)));
    assert_eq!(sched::now(), 2 * hour);
}

#[test]
fn threads_that_wait_for_each_other_are_reported_with_what_they_wait_for() {
    const TEST: &str = "threads_that_wait_for_each_other_are_reported_with_what_they_wait_for";
    if !is_child() {
        let (code, text) = child(TEST, Seed::nth(1, 1, 10));
        assert_eq!(code, Some(1), "{text}");
        for part in [
            "RULE BROKEN: SYNTHETIC_WATCHDOG_TIMEOUT",
            "\nSchedule\n  pct/2/10/",
            "\"waiter\" waits since 0.000 s (tests/seeded.rs:",
        ] {
            let inside = text.replace("crates/ndis-host/", "");
            assert!(inside.contains(part), "{part:?} in:\n{text}");
        }
        return;
    }
    let never = sched::Signal::new();
    let waits = never.clone();
    let thread = sched::spawn("waiter", move || {
        waits.wait(None);
    });
    thread.join();
}

#[test]
fn a_thread_from_elsewhere_is_refused() {
    if !is_child() {
        let (code, text) = child("a_thread_from_elsewhere_is_refused", Seed::nth(1, 0, 10));
        assert_ne!(code, Some(0), "{text}");
        assert!(
            text.contains("is not under the seeded scheduler: start it by sched::spawn"),
            "{text}"
        );
        return;
    }
    std::thread::spawn(sched::prepare_thread).join().unwrap();
}
