//! `ndishost check` over the labs, with a few of the faults and schedules: the whole takes minutes, and is
//! what the command is for.

use std::{env, path::Path, process::Command};

use ndismux_tests::{alarm_image, image, ndishost};
use serde_json::Value;

/// Runs the command over a lab, in the folder of the workspace, and reads its summary.
fn check(lab: &str, arguments: &[&str]) -> (Option<i32>, Value) {
    assert!(image().exists());
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let output = Command::new(ndishost())
        .args(["check", "--lab", lab, "--json"])
        .args(arguments)
        .current_dir(root)
        .output()
        .expect("cargo runs");
    let summary = serde_json::from_slice(&output.stdout);
    let summary = summary.unwrap_or_else(|error| {
        panic!("{error}: {}", String::from_utf8_lossy(&output.stderr));
    });
    (output.status.code(), summary)
}

#[test]
fn the_driver_survives_the_script_and_faults_all_over_it() {
    let (code, summary) = check("labs/check.toml", &["--faults", "--pairs", "--limit", "8"]);
    assert_eq!(code, Some(0), "{summary:#}");
    assert_eq!(summary["skipped"], Value::Array(Vec::new()), "{summary:#}");
    assert!(summary["points"].as_u64() > Some(40), "{summary:#}");
    let faults = &summary["faults"];
    assert_eq!(faults["tried"], 8, "{summary:#}");
    // The first calls are DriverEntry's, which fails with them; a pair is among the last.
    assert!(faults["refused"].as_u64() > Some(0), "{summary:#}");
    let met = [&faults["survived"], &faults["refused"]];
    let met: u64 = met.into_iter().filter_map(Value::as_u64).sum();
    assert!(
        met >= 7,
        "points have the same names in each process: {summary:#}"
    );
}

#[test]
fn the_driver_survives_calls_that_fail_at_random() {
    let low_resources = &["--low-resources=2000", "--low-resources-runs", "3"];
    let (code, summary) = check("labs/check.toml", low_resources);
    assert_eq!(code, Some(0), "{summary:#}");
    let simulation = &summary["low_resources"];
    assert_eq!(simulation["tried"], 3, "{summary:#}");
    assert_eq!(simulation["survived"], 3, "{summary:#}");
    let count = |name: &str| simulation[name].as_u64().expect("a number");
    let (calls, failed) = (count("calls"), count("failed"));
    assert!(
        (calls / 10..calls / 3).contains(&failed),
        "a fifth of the calls was to fail: {failed} of {calls}"
    );
}

#[test]
fn pool_is_counted_by_tag_and_by_who_allocated_it() {
    let (code, summary) = check("labs/check.toml", &["--policy", "strict"]);
    assert_eq!(code, Some(0), "{summary:#}");
    let pool = summary["pool"].as_array().expect("a list");
    let of_registration = pool.iter().find(|used| {
        let caller = used["caller"].as_str().expect("a text");
        used["tag"] == "'Devi'" && caller.contains("DeviceRegistration::register")
    });
    let of_registration = of_registration.unwrap_or_else(|| panic!("{summary:#}"));
    assert_ne!(of_registration["allocations"], 0);
    for used in pool {
        assert_eq!(used["allocations"], used["frees"], "{used:#}");
        assert_eq!(used["bytes"], 0, "{used:#}");
        assert_ne!(used["peak"], 0, "{used:#}");
    }
}

#[test]
fn special_pool_finds_a_write_before_a_block_at_its_free_or_at_once() {
    let image = format!(
        "alarm={}",
        alarm_image("special_pool_written_before", false).display()
    );
    let broken = |end: &str| {
        let options = [
            "--image",
            &image,
            "--policy",
            "strict",
            "--special-pool",
            end,
        ];
        let (code, summary) = check("tests/alarms/labs/device.toml", &options);
        assert_eq!(code, Some(1), "{summary:#}");
        summary["bad"][0]["what"]["rule"].clone()
    };
    assert_eq!(broken("end"), "SPECIAL_POOL_DETECTED_MEMORY_CORRUPTION");
    assert_eq!(
        broken("start"),
        "DRIVER_PAGE_FAULT_BEYOND_END_OF_ALLOCATION"
    );
}

#[test]
fn a_point_that_never_comes_by_is_not_counted_as_survived() {
    let (code, summary) = check(
        "labs/check.toml",
        &["--faults", "--only", "0123456789abcdef"],
    );
    assert_eq!(code, Some(0), "{summary:#}");
    assert_eq!(summary["faults"]["not_met"], 1, "{summary:#}");
    assert_eq!(summary["faults"]["survived"], 0, "{summary:#}");
}

#[test]
fn the_control_plane_survives_each_policy_and_faults_and_schedules_of_its_script() {
    let plain: &[&str] = &[];
    let faults = &["--faults", "--limit", "8"];
    let schedules = &["--schedules", "4", "--race", "script"];
    for arguments in [plain, faults, schedules] {
        let (code, summary) = check("labs/control-plane.toml", arguments);
        assert_eq!(code, Some(0), "{summary:#}");
        assert_eq!(summary["skipped"], Value::Array(Vec::new()), "{summary:#}");
    }
}
