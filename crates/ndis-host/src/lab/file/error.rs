//! What is wrong with a lab file, where, and what to do.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A lab file that cannot be used.
#[derive(Debug)]
pub struct LabFileError {
    file: Option<PathBuf>,
    place: Option<Place>,
    message: String,
}

/// Line and column count from one.
#[derive(Debug)]
struct Place {
    line: usize,
    column: usize,
    text: String,
}

impl LabFileError {
    /// The line that is wrong, counted from one, where the fault has a place.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.place.as_ref().map(|place| place.line)
    }

    pub(super) fn unreadable(path: &Path, error: &io::Error) -> Self {
        let message = format!(
            "cannot read it: {error}; give --lab the path of a lab file, such as labs/demo.toml"
        );
        Self {
            file: Some(path.to_owned()),
            place: None,
            message,
        }
    }

    pub(super) fn at(text: &str, span: Option<Range<usize>>, message: String) -> Self {
        Self {
            file: None,
            place: span.map(|span| Place::find(text, span.start)),
            message,
        }
    }

    pub(super) fn in_file(mut self, path: &Path) -> Self {
        self.file = Some(path.to_owned());
        self
    }
}

impl Place {
    fn find(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
        let text = text
            .lines()
            .nth(line - 1)
            .unwrap_or_default()
            .trim_end()
            .to_owned();
        Self { line, column, text }
    }
}

impl fmt::Display for LabFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{}", file.display())?,
            None => write!(f, "lab file")?,
        }
        if let Some(Place { line, column, .. }) = &self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)?;
        if let Some(Place { text, .. }) = &self.place {
            write!(f, "\n    {}", text.trim_start())?;
        }
        Ok(())
    }
}

impl std::error::Error for LabFileError {}
