//! `cargo xtask test-drivers`: the images that only tests load, from the packages in `tests/drivers`.
//!
//! All of them are built in one run of Cargo, and the correct twins of the wrong drivers in a second
//! one, with a feature; Cargo keeps both. They are put where the tests look for them:
//!
//! | folder | from |
//! |---|---|
//! | `target/driver/test` | the packages that are one driver each |
//! | `target/driver/alarms` | each example of the package `alarms` |
//! | `target/driver/alarms/twin` | the same examples with the feature `twin` |

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result};

use super::{Build, Target, collect};
use crate::{
    process,
    repository::{self, entries},
};

/// Builds all of them.
pub(crate) fn run() -> Result<()> {
    let build = Build::prepare(Target::X64, false)?;
    let out = repository::root().join("target/driver");
    let built = build
        .target_folder
        .join(build.target.name())
        .join("release");

    process::run(&mut all(&build, "build"), "build the test drivers")?;
    for package in DRIVERS {
        collect(&built, package, &out.join("test"))?;
    }
    let alarms = alarms()?;
    collect_alarms(&built, &alarms, &out.join(ALARMS))?;

    let mut cargo = build.cargo("build");
    cargo.args(["--release", "--examples", "--package", ALARMS]);
    cargo.args(["--features", "twin"]);
    process::run(&mut cargo, "build the twins of the wrong drivers")?;
    collect_alarms(&built, &alarms, &out.join(ALARMS).join("twin"))
}

/// Lints all of them.
pub(super) fn clippy(build: &Build) -> Result<()> {
    let mut cargo = all(build, "clippy");
    cargo.args(["--", "--deny", "warnings"]);
    process::run(&mut cargo, "lint the test drivers")
}

/// Cargo's `command` for all of them.
fn all(build: &Build, command: &str) -> Command {
    let mut cargo = build.cargo(command);
    cargo.args(["--release", "--lib", "--examples"]);
    for package in DRIVERS.iter().chain(&[ALARMS]) {
        cargo.args(["--package", package]);
    }
    cargo
}

/// The names of the wrong drivers.
fn alarms() -> Result<Vec<String>> {
    let folder = repository::root().join("tests/drivers/alarms/examples");
    let sources = entries(&folder)?;
    Ok(sources
        .iter()
        .filter_map(|source| Some(source.file_stem()?.to_str()?.to_owned()))
        .collect())
}

/// Makes the images in `out` those of `alarms`, and no others.
fn collect_alarms(built: &Path, alarms: &[String], out: &Path) -> Result<()> {
    repository::create_folder(out)?;
    for old in entries(out)? {
        let known = old
            .file_stem()
            .is_some_and(|stem| alarms.iter().any(|alarm| stem == alarm.as_str()));
        if old.is_file() && !known {
            fs::remove_file(&old).with_context(|| format!("cannot remove {}", old.display()))?;
        }
    }
    for alarm in alarms {
        let image = built.join("examples").join(alarm);
        place(
            &image.with_extension("dll"),
            &out.join(alarm).with_extension("sys"),
        )?;
        place(
            &image.with_extension("pdb"),
            &out.join(alarm).with_extension("pdb"),
        )?;
    }
    eprintln!("{}: {} images", out.display(), alarms.len());
    Ok(())
}

/// Makes `to` the file `from`. A link costs no copy of the symbols, and Cargo never writes to a file
/// that it made: it makes another.
fn place(from: &Path, to: &Path) -> Result<()> {
    let context = || format!("the build made no {}", from.display());
    if to.exists() {
        fs::remove_file(to).with_context(|| format!("cannot remove {}", to.display()))?;
    }
    fs::hard_link(from, to).with_context(context)
}

/// The packages that are one driver each.
const DRIVERS: &[&str] = &["soft-miniport", "test-filter", "test-protocol"];

/// The package of which each example is a driver.
const ALARMS: &str = "alarms";
