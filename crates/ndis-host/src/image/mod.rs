//! Driver images: PE files that are inspected, or loaded and run.
//!
//! [`Pe`] is a file's content, parsed and never trusted. [`Image`] is one loaded into this process:
//! relocated, its imports bound, its sections protected as its headers say. Its addresses stay known
//! for good ([`place_of`]), so that reports name images that are gone.
//!
//! Not here: the driver object and `DriverEntry` (`nt::driver`).

mod checksum;
mod directories;
mod forbidden;
pub mod inspect;
mod load;
mod messages;
mod parse;
mod symbols;
#[cfg(test)]
pub(crate) mod testing;
mod unwind;

use std::path::PathBuf;

pub(crate) use load::any_loaded;
pub use load::{Image, Place, place_of};
pub(crate) use messages::Messages;
pub use parse::{Import, ImportName, Machine, Pe, Section};
pub(crate) use symbols::beside as symbols_beside;
pub use unwind::Registers;

/// Why an image cannot be inspected or loaded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is no 64-bit PE image, or is cut off.
    #[error("not a 64-bit PE image: {0}")]
    NotPe(String),
    /// A part of the image contradicts its headers.
    #[error("damaged image: {0}")]
    Damaged(String),
    /// A driver image that this host cannot or will not run.
    #[error("the image cannot be run: {0}")]
    Unsupported(String),
    /// The image imports what the host does not have.
    #[error("the host does not implement what the image imports: {}", .0.join(", "))]
    MissingImports(Vec<String>),
    /// What runs of it cannot be recorded.
    #[error(transparent)]
    Coverage(#[from] crate::coverage::Error),
    /// Memory for the image cannot be had or protected.
    #[error("cannot map the image: {0}")]
    Memory(std::io::Error),
}
