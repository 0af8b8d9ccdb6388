//! The shadow workspace: this repository as the driver's build on Linux sees it.
//!
//! `wdk-build` must be replaced there, which changes the lock file, and the committed `Cargo.toml`
//! and `Cargo.lock` must stay those that Windows uses. So the build runs in a folder of its own, in
//! which everything is a link to this repository except those two files. (A patch by `cargo --config`
//! would not do: it reaches the standard library's workspace too.)

use std::{fs, os::unix::fs::symlink, path::Path, process::Command};

use anyhow::{Context, Result};

use crate::{
    process,
    repository::{create_folder, entries, read, write},
};

/// Brings the shadow of `repository` in `folder` up to date. `cargo` starts a Cargo there, to resolve
/// the lock file when that has to follow the repository's.
pub(super) fn prepare(repository: &Path, folder: &Path, cargo: impl Fn() -> Command) -> Result<()> {
    create_folder(folder)?;
    link_entries(repository, folder)?;

    // The crate that takes `wdk-build`'s place is a member, to be linted like the others.
    let manifest = read(&repository.join("Cargo.toml"))?.replacen(
        "members = [",
        &format!("members = [{STAND_IN:?}, "),
        1,
    );
    let patch = format!("\n[patch.crates-io]\nwdk-build = {{ path = {STAND_IN:?} }}\n");
    write(&folder.join("Cargo.toml"), manifest + &patch)?;

    let committed = read(&repository.join("Cargo.lock"))?;
    let seen = folder.join("Cargo.lock.committed");
    if fs::read_to_string(&seen).ok().as_ref() != Some(&committed) {
        write(&folder.join("Cargo.lock"), &committed)?;
        resolve(cargo)?;
        write(&seen, &committed)?;
    }
    Ok(())
}

/// Makes every entry of the repository one of its shadow, and no other.
fn link_entries(repository: &Path, folder: &Path) -> Result<()> {
    let shadowed = |name: &str| {
        !name.starts_with('.') && !name.starts_with("target") && !name.starts_with("Cargo.")
    };
    // An entry may have gone since, and the repository may have moved.
    for link in entries(folder)? {
        let here = |target: &Path| target.parent() == Some(repository) && target.exists();
        if link.is_symlink() && !fs::read_link(&link).is_ok_and(|target| here(&target)) {
            fs::remove_file(&link).with_context(|| format!("cannot remove {}", link.display()))?;
        }
    }
    for entry in entries(repository)? {
        let Some(name) = entry.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        let link = folder.join(name);
        if shadowed(name) && !link.is_symlink() {
            symlink(&entry, &link).with_context(|| format!("cannot link {}", link.display()))?;
        }
    }
    Ok(())
}

/// Lets the lock file take in the patch, from what this machine knows of the registry if that is
/// enough.
fn resolve(cargo: impl Fn() -> Command) -> Result<()> {
    let update = |offline: &[&str]| {
        let mut command = cargo();
        command
            .args(["update", "--workspace", "--quiet"])
            .args(offline);
        command
    };
    let offline = process::output(&mut update(&["--offline"]), "resolve the driver's packages")?;
    if offline.status.success() {
        return Ok(());
    }
    process::run(&mut update(&[]), "resolve the driver's packages")
}

/// Where the crate lies that takes the place of `wdk-build`.
const STAND_IN: &str = "tools/linux/wdk-build";
