//! Races over the driver image, each under many schedules, each schedule in a process of its own.

use std::{
    env,
    process::{Command, Stdio},
};

use ndis_host::{
    lab::{
        Lab,
        race::{Race, Stage},
    },
    nt::sched::{self, Seed},
};

use crate::{MuxLab, NIC, SERVICE, VLAN10, VLAN20, device};

/// Runs a race under as many schedules as `NDISMUX_SCHEDULES` says, and two of them twice, which must
/// do the same. `test` is the caller's own path.
///
/// # Panics
/// If a schedule fails, with its seed and what it printed.
pub fn race(test: &str, name: &str) {
    if let Ok(seed) = env::var(SEED) {
        run(name, seed.parse().expect("the parent gives a seed"));
        return;
    }
    let number = |variable: &str, default: u64| {
        env::var(variable).map_or(default, |text| text.parse().expect("a number"))
    };
    let (base, count) = (number("NDISMUX_SEED", 1), number("NDISMUX_SCHEDULES", 6));
    let first = child(test, Seed::nth(base, 0, 1));
    let steps = steps_of(&first);
    for schedule in 0..count {
        let seed = Seed::nth(base, schedule, steps);
        let said = child(test, seed);
        if schedule < 2 {
            assert_eq!(said, child(test, seed), "{seed} does not repeat");
        }
    }
}

fn run(name: &str, seed: Seed) {
    sched::start_seeded(seed);
    let lab: &'static Lab = Box::leak(Box::new(MuxLab::new(&[VLAN10, VLAN20]).into_lab()));
    let names = [VLAN10.name, VLAN20.name];
    let stage = Stage::of(lab, &[SERVICE], &[NIC], &names).with_list(
        SERVICE,
        NIC,
        "UpperBindings",
        &names.map(device),
    );
    let race = Race::find(name).expect("the test names a race");
    race.run(&stage).unwrap_or_else(|what| panic!("{what}"));
    println!("{DONE}{:?}", sched::report().expect("the run is seeded"));
}

/// The report of one schedule.
fn child(test: &str, seed: Seed) -> String {
    let test = test
        .split_once("::")
        .map_or(test, |(_crate, within)| within);
    let mut command = Command::new(env::current_exe().expect("the running test has an executable"));
    command
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(SEED, seed.to_string())
        .stdin(Stdio::null());
    let output = sched::prepare_child(&mut command).output();
    let output = output.expect("the test's own executable starts");
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let report = text.lines().find_map(|line| line.split_once(DONE));
    match report {
        Some((_, report)) if output.status.success() => report.to_owned(),
        _ => panic!("schedule {seed} ({}):\n{text}", output.status),
    }
}

fn steps_of(report: &str) -> u64 {
    let (_, rest) = report
        .split_once(" steps: ")
        .expect("a report has its steps");
    let digits = rest.split(',').next().expect("split has a first part");
    digits.parse().expect("steps are a number")
}

/// Set in the process of a single schedule.
const SEED: &str = "NDISMUX_TEST_SEED";
const DONE: &str = "schedule done: ";
