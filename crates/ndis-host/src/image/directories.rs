//! The data directories that the loader acts on: relocations, load configuration, debug information.

use object::pe;
use object::read::pe::RelocationBlockIterator;

use super::Error;
use super::parse::{Pe, damaged};

/// Places of the load configuration that a loader fills in, as offsets in the image.
#[derive(Debug, Default)]
pub(super) struct LoadConfig {
    /// The stack cookie.
    pub(super) security_cookie: Option<u32>,
    /// The pointer to the function that checks an indirect call's target.
    pub(super) guard_check: Option<u32>,
    /// The pointer to the function that checks the target and jumps to it.
    pub(super) guard_dispatch: Option<u32>,
}

impl Pe {
    /// The offsets in the image of the 64-bit addresses that move with it.
    pub(super) fn relocations(&self) -> Result<Vec<u32>, Error> {
        let Some((offset, size)) = self.directory(pe::IMAGE_DIRECTORY_ENTRY_BASERELOC) else {
            return Ok(Vec::new());
        };
        let start = offset as usize;
        let Some(table) = self.memory.get(start..start.saturating_add(size as usize)) else {
            return Err(damaged("its relocations lie outside of it".to_owned()));
        };
        let mut places = Vec::new();
        for block in RelocationBlockIterator::new(table) {
            let block = block.map_err(|error| damaged(format!("its relocations: {error}")))?;
            for relocation in block {
                let at = relocation.virtual_address;
                match relocation.typ {
                    pe::IMAGE_REL_BASED_ABSOLUTE => {}
                    pe::IMAGE_REL_BASED_DIR64 if self.u64(at).is_some() => places.push(at),
                    pe::IMAGE_REL_BASED_DIR64 => {
                        return Err(damaged(format!(
                            "a relocation at {at:#x} lies outside of it"
                        )));
                    }
                    other => {
                        return Err(Error::Unsupported(format!(
                            "a relocation of type {} at {at:#x}",
                            other.0
                        )));
                    }
                }
            }
        }
        Ok(places)
    }

    /// What the load configuration asks a loader to fill in.
    pub(super) fn load_config(&self) -> LoadConfig {
        let Some((offset, _)) = self.directory(pe::IMAGE_DIRECTORY_ENTRY_LOAD_CONFIG) else {
            return LoadConfig::default();
        };
        // The structure says its own size; the directory's is wrong in old images.
        let size = self.u32(offset).unwrap_or(0);
        let pointer = |field: u32| {
            let address = (size >= field + 8).then(|| self.u64(offset + field))??;
            let place = self.offset_of(address)?;
            self.u64(place).map(|_| place)
        };
        LoadConfig {
            security_cookie: pointer(0x58),
            guard_check: pointer(0x70),
            guard_dispatch: pointer(0x78),
        }
    }

    /// Whether the image has thread-local storage.
    pub(super) fn has_tls(&self) -> bool {
        self.directory(pe::IMAGE_DIRECTORY_ENTRY_TLS).is_some()
    }

    /// The file name of the PDB that the image was linked with.
    pub(super) fn pdb_name(&self) -> Option<String> {
        let (offset, size) = self.directory(pe::IMAGE_DIRECTORY_ENTRY_DEBUG)?;
        for entry in (offset..).step_by(28).take((size / 28).min(64) as usize) {
            const CODEVIEW: u32 = 2;
            if self.u32(entry.checked_add(12)?)? != CODEVIEW {
                continue;
            }
            let data = self.u32(entry.checked_add(20)?)?;
            if self.bytes(data)? != *b"RSDS" {
                continue;
            }
            // Signature, GUID and age come before the null-terminated path.
            let path = self.memory.get(data as usize + 24..)?;
            let end = path.iter().take(1024).position(|byte| *byte == 0)?;
            let path = String::from_utf8_lossy(&path[..end]).into_owned();
            return path.rsplit(['\\', '/']).next().map(str::to_owned);
        }
        None
    }
}
