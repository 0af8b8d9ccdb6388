//! Which source lines of a driver image ran.
//!
//! The image is the real one: nothing is compiled into it. Where the PDB says that the code of a line
//! begins, the loader puts a breakpoint; the first time that it is reached it is noted and taken out
//! again, so a line costs one trap in a process at most. What ran is kept in a file that all processes
//! of a run share: a suite of many processes adds up by itself, and a process that ends in the middle
//! loses nothing.
//!
//! | file | role |
//! |---|---|
//! | `lines` | the PDB's line table, inlined code included |
//! | `breakpoints` | set while loading, taken out by the trap |
//! | `record` | the shared file |
//! | [`report`] | lines that ran and that did not, by source file |
//!
//! Switched on by the environment variable `NDISHOST_COVERAGE`, a folder for the records. The code of
//! images can be written then, so a driver that writes to its own code is not seen.

mod breakpoints;
mod lines;
mod record;
pub mod report;

pub(crate) use breakpoints::{plant, reached};

use std::path::PathBuf;

/// The folder of the records, if coverage is wanted.
fn folder() -> Option<PathBuf> {
    std::env::var_os(VARIABLE)
        .filter(|folder| !folder.is_empty())
        .map(PathBuf::from)
}

/// Names the folder of the records.
pub const VARIABLE: &str = "NDISHOST_COVERAGE";

/// Why what ran cannot be recorded or reported.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There are no line numbers to be had.
    #[error("the image has no line numbers: {0}")]
    NoLines(String),
    /// The record cannot be made or read.
    #[error("cannot use {path}: {source}")]
    Record {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}
