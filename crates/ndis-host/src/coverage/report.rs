//! What ran of an image, by source file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;

use super::record::{self, Record};
use super::{Error, lines};
use crate::image::{self, Pe};

/// The lines of an image's source files.
#[derive(Debug, Serialize)]
pub struct Report {
    /// By file, in order of their names.
    pub files: Vec<SourceFile>,
}

/// The lines of one source file that have code in the image.
#[derive(Debug, Serialize)]
pub struct SourceFile {
    /// The file, as the compiler named it.
    pub name: String,
    /// Lines of which some code ran.
    pub ran: BTreeSet<u32>,
    /// Lines of which no code ran.
    pub missed: BTreeSet<u32>,
}

impl SourceFile {
    /// How many of its lines have code.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.ran.len() + self.missed.len()
    }
}

impl Report {
    /// What the records in `folder` say of `image`, for source files whose names begin with one of
    /// `sources` (for all, if there is none).
    ///
    /// # Errors
    /// The image, its PDB or the record cannot be read, or the image did not run.
    pub fn read(image: &Path, folder: &Path, sources: &[String]) -> Result<Self, ReadError> {
        let pe = Pe::read(image)?;
        let symbols = image::symbols_beside(image, &pe)
            .ok_or_else(|| Error::NoLines(format!("no PDB is beside {}", image.display())))?;
        let lines = lines::read(&symbols)?;
        let path = record::path(folder, image, &pe);
        if !path.is_file() {
            return Err(ReadError::DidNotRun {
                image: image.display().to_string(),
                folder: folder.display().to_string(),
            });
        }
        let record = Record::open(&path, lines.len())?;
        let mut files: BTreeMap<String, SourceFile> = BTreeMap::new();
        for (index, here) in lines.into_values().enumerate() {
            for line in here {
                if !sources.is_empty() && !sources.iter().any(|it| line.file.starts_with(it)) {
                    continue;
                }
                let file = files.entry(line.file.clone()).or_insert(SourceFile {
                    name: line.file,
                    ran: BTreeSet::new(),
                    missed: BTreeSet::new(),
                });
                let lines = if record.was_reached(index) {
                    &mut file.ran
                } else {
                    &mut file.missed
                };
                lines.insert(line.number);
            }
        }
        // A line can have code at several places.
        for file in files.values_mut() {
            let ran = &file.ran;
            file.missed.retain(|line| !ran.contains(line));
        }
        Ok(Self {
            files: files.into_values().collect(),
        })
    }

    /// Lines that ran, and lines that have code, of all files.
    #[must_use]
    pub fn total(&self) -> (usize, usize) {
        let ran = self.files.iter().map(|file| file.ran.len()).sum();
        (ran, self.files.iter().map(SourceFile::lines).sum())
    }
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The image is none.
    #[error(transparent)]
    Image(#[from] image::Error),
    /// Its line numbers, or the record, cannot be read.
    #[error(transparent)]
    Coverage(#[from] Error),
    /// Nothing was recorded for this image.
    #[error(
        "there is no record of {image} in {folder}: run it with NDISHOST_COVERAGE={folder} first, \
         and do not build it again in between"
    )]
    DidNotRun {
        /// The image.
        image: String,
        /// Where a record was looked for.
        folder: String,
    },
}
