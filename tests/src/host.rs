//! The command `ndishost`, for tests of what it prints and how it exits.

use std::{env, path::PathBuf, process::Command, sync::LazyLock};

/// The command, built like this test is.
///
/// # Panics
/// If it does not build.
#[must_use]
pub fn ndishost() -> PathBuf {
    static COMMAND: LazyLock<PathBuf> = LazyLock::new(build);
    COMMAND.clone()
}

fn build() -> PathBuf {
    let test = env::current_exe().expect("the running test has an executable");
    // Tests are in the folder `deps` of their profile.
    let profile = test
        .ancestors()
        .nth(2)
        .expect("it is in a folder of folders");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "-q", "-p", "ndis-host", "--bin", "ndishost"]);
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    let built = cargo
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .status()
        .expect("cargo starts");
    assert!(built.success(), "ndishost does not build");
    profile.join("ndishost")
}
