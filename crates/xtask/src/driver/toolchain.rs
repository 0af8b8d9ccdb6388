//! The Rust toolchain that builds for a Windows driver target on Linux.
//!
//! A toolchain can do so if it has `core` and `alloc` for the target, or their sources to build them
//! from. The one that runs this command is taken if it can (`rustup target add …` or `rustup
//! component add rust-src` make it so); otherwise the distribution's, whose packages bring the
//! sources that belong to its compiler.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::process;

/// A toolchain that can build for the target it was found for.
#[derive(Debug, Clone)]
pub(super) struct Toolchain {
    /// The folder of `lib/rustlib`.
    pub(super) sysroot: PathBuf,
    /// Whether `core` and `alloc` must be built along.
    pub(super) builds_core: bool,
}

impl Toolchain {
    /// The first toolchain of this machine that can build for `target`.
    pub(super) fn find(target: &str) -> Option<Self> {
        let mut rustc = Command::new("rustc");
        rustc.args(["--print", "sysroot"]);
        process::text(&mut rustc)
            .into_iter()
            .chain(["/usr".to_owned()])
            .find_map(|sysroot| Self::at(sysroot.into(), target))
    }

    /// One of the toolchain's programs.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.sysroot.join("bin").join(name)
    }

    /// Where the sources of `core` lie, in the spellings that a compiler may record.
    pub(super) fn core_sources(&self) -> Vec<PathBuf> {
        let sources = self.sysroot.join("lib/rustlib/src/rust");
        let resolved = sources.canonicalize().ok();
        std::iter::once(sources).chain(resolved).collect()
    }

    fn at(sysroot: PathBuf, target: &str) -> Option<Self> {
        let rustlib = sysroot.join("lib/rustlib");
        let builds_core = !has_core(&rustlib.join(target).join("lib"));
        let has_sources = rustlib.join("src/rust/library/core/Cargo.toml").is_file();
        let toolchain = Self {
            sysroot,
            builds_core,
        };
        let usable = toolchain.program("cargo").is_file()
            && (!builds_core || has_sources)
            && is_recent(&toolchain.program("rustc"));
        usable.then_some(toolchain)
    }
}

/// Whether a target's library folder has a compiled `core`.
fn has_core(folder: &Path) -> bool {
    folder.read_dir().is_ok_and(|entries| {
        entries.flatten().any(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("libcore-") && name.ends_with(".rlib")
        })
    })
}

/// Whether a compiler is as new as this workspace asks for.
fn is_recent(rustc: &Path) -> bool {
    let mut command = Command::new(rustc);
    command.arg("--version");
    process::text(&mut command)
        .and_then(|text| version(text.split_whitespace().nth(1)?))
        .is_some_and(|found| Some(found) >= version(env!("CARGO_PKG_RUST_VERSION")))
}

/// Major and minor of `1.96.0`.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn versions_compare_by_number() {
        assert!(version("1.100.0-nightly") > version("1.91"));
        assert_eq!(version("rustc"), None);
    }
}
