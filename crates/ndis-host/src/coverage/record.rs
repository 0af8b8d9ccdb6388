//! The record of what ran: a byte for each breakpoint of an image, in a file that all processes map.

use std::fs::{self, File};
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU8, Ordering};

use super::Error;
use crate::image::Pe;

/// The record's file for an image: a changed image begins a new one.
pub(super) fn path(folder: &Path, image: &Path, pe: &Pe) -> PathBuf {
    let name = image.file_name().unwrap_or_default().to_string_lossy();
    folder.join(format!("{name}-{:08x}.hits", pe.computed_checksum))
}

/// A record, mapped until the process ends.
#[derive(Debug)]
pub(super) struct Record {
    hits: NonNull<[AtomicU8]>,
}

// SAFETY: the memory is shared, stays mapped for good, and is only touched by atomic operations.
unsafe impl Sync for Record {}
// SAFETY: as above.
unsafe impl Send for Record {}

impl Record {
    /// Opens or makes the record at `path`, for that many breakpoints.
    pub(super) fn open(path: &Path, length: usize) -> Result<Self, Error> {
        let failed = |source| Error::Record {
            path: path.to_owned(),
            source,
        };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(failed)?;
        // Several processes may do this at once; all of them ask for the same.
        file.set_len(length as u64).map_err(failed)?;
        // SAFETY: a new mapping at an address that the kernel chooses touches no memory in use.
        let memory = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                length,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                0,
            )
        };
        if memory == libc::MAP_FAILED {
            return Err(failed(std::io::Error::last_os_error()));
        }
        let first = NonNull::new(memory.cast::<AtomicU8>()).expect("a mapping is not at 0");
        Ok(Self {
            hits: NonNull::slice_from_raw_parts(first, length),
        })
    }

    /// Notes that breakpoint `index` was reached.
    pub(super) fn note(&self, index: usize) {
        self.hits()[index].store(1, Ordering::Relaxed);
    }

    /// Whether breakpoint `index` was reached, in any process.
    pub(super) fn was_reached(&self, index: usize) -> bool {
        self.hits()[index].load(Ordering::Relaxed) != 0
    }

    fn hits(&self) -> &[AtomicU8] {
        // SAFETY: `open` mapped that many bytes, and nothing ever unmaps them.
        unsafe { self.hits.as_ref() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_mapping_notes_another_sees() {
        let path = std::env::temp_dir().join(format!("record-{}.hits", std::process::id()));
        let record = Record::open(&path, 3).expect("a file can be made");
        record.note(1);
        let again = Record::open(&path, 3).expect("the file is there");
        let reached: Vec<_> = (0..3).map(|index| again.was_reached(index)).collect();
        fs::remove_file(&path).expect("the file is there");
        assert_eq!(reached, [false, true, false]);
    }
}
