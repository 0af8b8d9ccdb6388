//! `ndishost check` over labs of built-in parts: what it prints, and how it exits.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

/// A lab file that is gone with the test.
struct Lab(PathBuf);

impl Lab {
    fn new(name: &str, text: &str) -> Self {
        let name = format!("ndishost-check-{}-{name}.toml", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).expect("the temporary folder can be written");
        Self(path)
    }

    fn check(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_ndishost"))
            .args(["check", "--lab"])
            .arg(&self.0)
            .args(arguments)
            .output()
            .expect("the command starts")
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // Should it stay, it is a small file in the temporary folder.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn text(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}

const NIC_AND_CLIENT: &str = r#"
[[nic]]
name = "nic"
wire = "memory"
shapes = "awkward"
[[client]]
name = "client"
above = "nic"
wire = "memory"
"#;

#[test]
fn built_in_parts_survive_every_policy() {
    let lab = Lab::new("policies", NIC_AND_CLIENT);
    let output = lab.check(&["--json"]);
    let summary: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    assert_eq!(output.status.code(), Some(0), "{summary:#}");
    let policies = ndis_host::cli::check::policies::names().len();
    assert_eq!(summary["policies"]["tried"], policies);
    assert_eq!(summary["policies"]["survived"], policies);
    assert_eq!(summary["bad"], Value::Array(Vec::new()));
    assert_eq!(
        summary["skipped"],
        Value::Array(Vec::new()),
        "every step was done"
    );
    assert_eq!(summary["exit_code"], 0);
    assert!(
        summary["rules"]["evaluated"].as_u64() > Some(0),
        "{summary:#}"
    );
}

#[test]
fn a_step_that_finds_what_should_not_be_is_bad_and_says_how_to_repeat() {
    let steps = "\n[[step]]\nplug = \"nic\"\n[[step]]\nattach = \"client\"\n[[step]]\nunplug = \"nic\"\n\
                 [[step]]\nrunning = \"client\"\n";
    let lab = Lab::new("unexpected", &format!("{NIC_AND_CLIENT}{steps}"));
    let output = lab.check(&["--policy", "inline"]);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains("running client: the client is Unbound"),
        "{told}"
    );
    let repeat = format!("ndishost check --lab {} --policy inline\n", lab.0.display());
    assert!(told.contains(&repeat), "{told}");
    assert!(told.contains("exit code  1"), "{told}");
}

#[test]
fn a_run_that_takes_too_long_hangs_and_its_last_calls_are_told() {
    // Traffic for longer than the run may take.
    let steps = "\n[[step]]\nplug = \"nic\"\n[[step]]\nattach = \"client\"\n\
                 [[step]]\ntraffic = { frames = 4000000 }\n";
    let lab = Lab::new("hangs", &format!("{NIC_AND_CLIENT}{steps}"));
    let output = lab.check(&["--policy", "strict", "--timeout", "1"]);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains("hangs; its last calls") && told.contains("nic runs"),
        "{told}"
    );
}

#[test]
fn schedules_are_runs_of_their_own_and_a_seed_means_one() {
    let lab = Lab::new("schedules", NIC_AND_CLIENT);
    let output = lab.check(&["--schedules", "4", "--race", "script", "--json"]);
    let summary: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    assert_eq!(output.status.code(), Some(0), "{summary:#}");
    let script = &summary["schedules"]["script"];
    assert_eq!(
        (&script["tried"], &script["survived"]),
        (&4.into(), &4.into())
    );
    assert!(
        summary["switch_points"].as_u64() > Some(1000),
        "{summary:#}"
    );
    let output = lab.check(&[
        "--schedules",
        "4",
        "--race",
        "script",
        "--seed",
        "random/3/0x2a",
    ]);
    let told = text(&output.stdout);
    assert!(told.contains("schedules  1 tried"), "{told}");
}

#[test]
fn what_cannot_be_checked_is_refused_with_the_reason() {
    let cases = [
        (
            "wire",
            NIC_AND_CLIENT.replace("\"memory\"", "{ tap = \"tap0\" }"),
            "wire = \"memory\"",
        ),
        (
            "step",
            format!("{NIC_AND_CLIENT}[[step]]\ndance = \"nic\"\n"),
            "unknown variant `dance`",
        ),
        (
            "image",
            format!("{NIC_AND_CLIENT}[[image]]\nfile = \"none.sys\"\nservice = \"none\"\n"),
            "none.sys",
        ),
    ];
    for (name, file, wanted) in cases {
        let output = Lab::new(name, &file).check(&[]);
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{name}: {told}");
        assert!(told.contains(wanted), "{name}: {told}");
    }
    let lab = Lab::new("usage", NIC_AND_CLIENT);
    assert_eq!(
        lab.check(&["--schedules", "2", "--seed", "now"])
            .status
            .code(),
        Some(2)
    );
    for usage in [
        &["--only", "12", "--faults"][..],
        &["--pairs"],
        &["--policy", "kind"],
    ] {
        assert_eq!(lab.check(usage).status.code(), Some(2), "{usage:?}");
    }
}

#[test]
fn a_check_that_is_interrupted_says_so_and_does_not_succeed() {
    let steps = "\n[[step]]\nplug = \"nic\"\n[[step]]\nattach = \"client\"\n\
                 [[step]]\ntraffic = { frames = 4000000 }\n";
    let lab = Lab::new("interrupted", &format!("{NIC_AND_CLIENT}{steps}"));
    let check = Command::new(env!("CARGO_BIN_EXE_ndishost"))
        .args(["check", "--policy", "strict", "--lab"])
        .arg(&lab.0)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the command starts");
    // By then it watches for signals: that is the first thing it does.
    std::thread::sleep(std::time::Duration::from_secs(1));
    let pid = libc::pid_t::try_from(check.id()).expect("a process id");
    // SAFETY: the process is this test's own child, which is not waited for before this.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGINT) }, 0);
    let output = check.wait_with_output().expect("it ends");
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(130), "{told}");
    assert!(told.contains("interrupted before all was tried"), "{told}");
}
