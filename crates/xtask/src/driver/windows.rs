//! The driver's build on Windows: Cargo as it is, with the WDK that `wdk-build` finds.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{Build, Target};
use crate::machine::Need;

/// What the build needs from this machine: what is missing, the build scripts of the WDK crates say
/// better.
pub(super) fn needs(_: Target, _: bool) -> Vec<Need> {
    Vec::new()
}

/// How Cargo is called for `target`.
pub(super) fn prepare(target: Target, _: bool, repository: &Path) -> Result<Build> {
    Ok(Build {
        target,
        workspace: repository.to_path_buf(),
        target_folder: repository.join("target"),
        program: std::env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from),
        arguments: Vec::new(),
        variables: Vec::new(),
    })
}

/// Lints what else is compiled for the driver: nothing, here.
pub(super) fn clippy(_: &Build) -> Result<()> {
    Ok(())
}
