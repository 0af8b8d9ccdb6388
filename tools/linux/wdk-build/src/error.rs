//! What can be wrong with a kit or a target, each error with what to do about it.

use std::{error::Error, fmt, io, path::PathBuf};

/// Why a build that depends on the WDK cannot be configured.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConfigError {
    /// An environment variable that the build needs is not set.
    Missing(&'static str),
    /// The target is neither x86-64 nor arm64 Windows with the MSVC ABI.
    Target(String),
    /// The kit lacks a folder or a file.
    NotInKit(PathBuf),
    /// The C runtime is not linked statically.
    DynamicCrt,
    /// A file could not be read or written.
    Io(IoError),
}

/// A file operation that failed, with the path it was for.
#[derive(Debug)]
pub struct IoError {
    path: PathBuf,
    source: io::Error,
}

impl IoError {
    /// Names the path that `source` is about.
    pub fn with_path(path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self {
            path: path.into(),
            source,
        }
    }
}

impl From<IoError> for ConfigError {
    fn from(error: IoError) -> Self {
        Self::Io(error)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(
                f,
                "the environment variable {name} is not set: build by `cargo xtask driver`, which sets it"
            ),
            Self::Target(target) => write!(
                f,
                "{target} is no target for a driver: use x86_64-pc-windows-msvc or aarch64-pc-windows-msvc"
            ),
            Self::NotInKit(path) => write!(
                f,
                "the kit that WDKContentRoot names has no {}: name a whole WDK, or none",
                path.display()
            ),
            Self::DynamicCrt => {
                f.write_str("a driver needs `-Ctarget-feature=+crt-static` in RUSTFLAGS")
            }
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl Error for ConfigError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io(error) => Some(&error.source),
            _ => None,
        }
    }
}

impl fmt::Display for IoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot access {}: {}", self.path.display(), self.source)
    }
}

impl Error for IoError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}
