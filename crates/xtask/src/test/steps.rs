//! The steps of `cargo xtask test`.

use std::{path::PathBuf, process::Command};

use crate::repository;

/// One check.
pub(super) struct Step {
    /// Its name on the command line.
    pub(super) name: &'static str,
    /// What it checks.
    pub(super) what: &'static str,
    /// Whether it compiles the driver, which needs something from the machine.
    pub(super) builds_driver: bool,
    /// Whether the driver image comes from it.
    pub(super) makes_image: bool,
    /// Whether it runs the driver image.
    pub(super) needs_image: bool,
    /// Whether it is skipped on other systems.
    pub(super) linux_only: bool,
    /// What it runs; the first command that fails ends it.
    pub(super) commands: fn() -> Vec<Command>,
}

/// A step that needs nothing but Cargo; the others say where they differ.
const PLAIN: Step = Step {
    name: "",
    what: "",
    builds_driver: false,
    makes_image: false,
    needs_image: false,
    linux_only: false,
    commands: Vec::new,
};

pub(super) const STEPS: &[Step] = &[
    Step {
        name: "format",
        what: "the sources are formatted by rustfmt",
        commands: || {
            let mut stand_in = Command::new("rustfmt");
            stand_in
                .args(["--check", "--edition", "2024"])
                .arg("tools/linux/wdk-build/src/lib.rs")
                .current_dir(repository::root());
            vec![cargo(&["fmt", "--all", "--check"]), stand_in]
        },
        ..PLAIN
    },
    Step {
        name: "clippy",
        what: "no lint is broken in what runs on this machine",
        commands: || {
            let deny = ["--", "--deny", "warnings"];
            vec![
                cargo(&[&["clippy", "--all-targets"], &deny[..]].concat()),
                cargo(&[&["clippy", "--package", E2E, "--all-targets"], &deny[..]].concat()),
            ]
        },
        ..PLAIN
    },
    Step {
        name: "clippy-driver",
        what: "no lint is broken in the driver, for its Windows target",
        builds_driver: true,
        commands: || vec![xtask("clippy-driver")],
        ..PLAIN
    },
    Step {
        name: "unit",
        what: "unit tests and documentation examples",
        commands: || vec![cargo(&["test", "--no-fail-fast"])],
        ..PLAIN
    },
    Step {
        name: "driver",
        what: "the driver image builds",
        builds_driver: true,
        makes_image: true,
        commands: || vec![xtask("driver")],
        ..PLAIN
    },
    Step {
        name: "test-drivers",
        what: "the images that only tests load build",
        builds_driver: true,
        commands: || vec![xtask("test-drivers")],
        ..PLAIN
    },
    Step {
        name: "inspect",
        what: "the image is what Windows loads and imports only what it may",
        needs_image: true,
        linux_only: true,
        commands: || {
            let mut inspect = cargo(&["run", "--quiet", "--package", "ndis-host"]);
            inspect
                .args(["--bin", "ndishost", "--", "inspect"])
                .arg(image());
            vec![inspect]
        },
        ..PLAIN
    },
    Step {
        name: "end-to-end",
        what: "the image passes its tests in ndis-host",
        needs_image: true,
        linux_only: true,
        commands: || {
            let mut tests = cargo(&["test", "--package", E2E, "--no-fail-fast"]);
            tests.env("NDISMUX_IMAGE", image());
            // A record of other tests would say too much.
            let _ = std::fs::remove_dir_all(records());
            tests.env("NDISHOST_COVERAGE", records());
            vec![tests]
        },
        ..PLAIN
    },
    Step {
        name: "coverage",
        what: "these tests run nearly all lines of the image",
        needs_image: true,
        linux_only: true,
        commands: || {
            let mut report = cargo(&["run", "--quiet", "--package", "ndis-host"]);
            report
                .args(["--bin", "ndishost", "--", "coverage"])
                .arg(image())
                .args(["--source", "/ndismux/", "--missed", "--at-least", "90"])
                .arg("--records")
                .arg(records());
            vec![report]
        },
        ..PLAIN
    },
    Step {
        name: "doc",
        what: "the documentation builds without a warning",
        builds_driver: true,
        commands: || {
            let mut host = cargo(&["doc", "--no-deps"]);
            host.env("RUSTDOCFLAGS", "--deny warnings");
            vec![host, xtask("doc-driver")]
        },
        ..PLAIN
    },
];

/// The package of the tests that run the driver image.
const E2E: &str = "ndismux-tests";

/// Where `cargo xtask driver` puts the image.
fn image() -> PathBuf {
    repository::root().join("target/driver/ndismux.sys")
}

/// Where the end-to-end tests record which lines of the image ran.
fn records() -> PathBuf {
    repository::root().join("target/coverage")
}

/// This workspace's Cargo.
fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(arguments).current_dir(repository::root());
    cargo
}

/// Another run of this program.
fn xtask(command: &str) -> Command {
    let program = std::env::current_exe().unwrap_or_else(|_| "cargo-xtask".into());
    let mut xtask = Command::new(program);
    xtask.arg(command).current_dir(repository::root());
    xtask
}
