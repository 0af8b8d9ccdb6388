//! A PE file's content as far as the host looks at it. Every number in a file may be wrong.

use std::path::Path;

use object::LittleEndian as LE;
use object::pe;
use object::read::pe::{ImageNtHeaders as _, ImageOptionalHeader as _, PeFile64};

use super::Error;
use super::checksum;

/// A parsed image. It owns what it holds; the file may be gone.
#[derive(Debug)]
pub struct Pe {
    /// The processor that the code is for.
    pub machine: Machine,
    /// The subsystem's number: 1 is native, what drivers are.
    pub subsystem: u16,
    /// The address that the image is linked for.
    pub preferred_base: u64,
    /// The entry point's offset in the image, 0 for none.
    pub entry: u32,
    /// Bytes that the loaded image takes.
    pub size: u32,
    /// Bytes of headers at its start.
    pub size_of_headers: u32,
    /// The unit in which sections are placed in memory.
    pub section_alignment: u32,
    /// `IMAGE_DLLCHARACTERISTICS_*`.
    pub dll_characteristics: u16,
    /// The checksum in the header, 0 for none.
    pub checksum: u32,
    /// The checksum of the file's content.
    pub computed_checksum: u32,
    /// The sections, in order.
    pub sections: Vec<Section>,
    /// What the image imports, in order.
    pub imports: Vec<Import>,
    /// The loaded image as it is in the file: headers and sections where they belong, before
    /// relocation.
    pub(super) memory: Vec<u8>,
    /// Offset and size of each data directory.
    directories: Vec<(u32, u32)>,
}

/// The processor that code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// x86-64.
    X64,
    /// 64-bit ARM.
    Arm64,
    /// Another one, by its number.
    Other(u16),
}

/// A section of an image.
#[derive(Clone, Debug)]
pub struct Section {
    /// Its name, at most eight bytes.
    pub name: String,
    /// Its offset in the image.
    pub offset: u32,
    /// Bytes that it takes in memory.
    pub size: u32,
    /// Bytes of it that the file has.
    pub file_size: u32,
    /// Whether it may be read.
    pub read: bool,
    /// Whether it may be written.
    pub write: bool,
    /// Whether it may be executed.
    pub execute: bool,
    /// Whether it may be dropped once `DriverEntry` has run.
    pub discardable: bool,
}

/// A function that an image imports.
#[derive(Clone, Debug)]
pub struct Import {
    /// The module as the import table spells it.
    pub module: String,
    /// The function.
    pub name: ImportName,
    /// The offset in the image of the pointer that the loader sets.
    pub slot: u32,
}

/// How an import names its function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportName {
    /// By name.
    Name(String),
    /// By number.
    Ordinal(u16),
}

impl std::fmt::Display for ImportName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Ordinal(number) => write!(f, "#{number}"),
        }
    }
}

impl Section {
    /// Whether an offset in the image lies in the section.
    #[must_use]
    pub fn contains(&self, offset: u32) -> bool {
        (self.offset..self.offset + self.size).contains(&offset)
    }

    /// The protection as three letters, `r-x`.
    #[must_use]
    pub fn protection(&self) -> String {
        let letter = |allowed, letter| if allowed { letter } else { '-' };
        [
            letter(self.read, 'r'),
            letter(self.write, 'w'),
            letter(self.execute, 'x'),
        ]
        .iter()
        .collect()
    }
}

impl Pe {
    /// Reads and parses a file.
    ///
    /// # Errors
    /// If it cannot be read, or as for [`parse`](Self::parse).
    pub fn read(path: &Path) -> Result<Self, Error> {
        let data = std::fs::read(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&data)
    }

    /// Parses a file's content.
    ///
    /// # Errors
    /// [`Error::NotPe`] if it is no 64-bit PE image, [`Error::Damaged`] if a part of it cannot be.
    pub fn parse(data: &[u8]) -> Result<Self, Error> {
        let file = PeFile64::parse(data).map_err(|error| Error::NotPe(error.to_string()))?;
        let headers = file.nt_headers();
        let optional = headers.optional_header();
        let machine = match headers.file_header().machine.get(LE) {
            pe::IMAGE_FILE_MACHINE_AMD64 => Machine::X64,
            pe::IMAGE_FILE_MACHINE_ARM64 => Machine::Arm64,
            other => Machine::Other(other.0),
        };
        let checksum_at = file.dos_header().nt_headers_offset() as usize + checksum::FIELD;

        let mut parsed = Self {
            machine,
            subsystem: optional.subsystem().0,
            preferred_base: optional.image_base(),
            entry: optional.address_of_entry_point(),
            size: optional.size_of_image(),
            size_of_headers: optional.size_of_headers(),
            section_alignment: optional.section_alignment(),
            dll_characteristics: optional.dll_characteristics().0,
            checksum: optional.check_sum(),
            computed_checksum: checksum::compute(data, checksum_at),
            sections: Vec::new(),
            imports: Vec::new(),
            memory: Vec::new(),
            directories: file
                .data_directories()
                .iter()
                .map(|entry| (entry.virtual_address.get(LE), entry.size.get(LE)))
                .collect(),
        };
        if parsed.size > MAX_SIZE {
            return Err(damaged(format!("it wants {} bytes of memory", parsed.size)));
        }
        parsed.lay_out(data, &file)?;
        parsed.imports = imports_of(&file)?;
        Ok(parsed)
    }

    /// Offset and size of a data directory, if the image has it.
    pub(super) fn directory(&self, entry: usize) -> Option<(u32, u32)> {
        let (offset, size) = *self.directories.get(entry)?;
        (offset != 0 && size != 0).then_some((offset, size))
    }

    /// `N` bytes at an offset in the image, if they are in it.
    pub(super) fn bytes<const N: usize>(&self, offset: u32) -> Option<[u8; N]> {
        let start = offset as usize;
        self.memory
            .get(start..start.checked_add(N)?)?
            .try_into()
            .ok()
    }

    /// The 32-bit number at an offset in the image.
    pub(super) fn u32(&self, offset: u32) -> Option<u32> {
        self.bytes(offset).map(u32::from_le_bytes)
    }

    /// The 64-bit number at an offset in the image.
    pub(super) fn u64(&self, offset: u32) -> Option<u64> {
        self.bytes(offset).map(u64::from_le_bytes)
    }

    /// The offset in the image of an address that is given for the preferred base.
    pub(super) fn offset_of(&self, address: u64) -> Option<u32> {
        let offset = address.checked_sub(self.preferred_base)?;
        u32::try_from(offset)
            .ok()
            .filter(|offset| *offset < self.size)
    }

    /// Puts headers and sections where they are in memory.
    fn lay_out(&mut self, data: &[u8], file: &PeFile64<'_>) -> Result<(), Error> {
        self.memory = vec![0; self.size as usize];
        let headers = self.size_of_headers as usize;
        let (Some(to), Some(from)) = (self.memory.get_mut(..headers), data.get(..headers)) else {
            return Err(damaged("its headers do not fit".to_owned()));
        };
        to.copy_from_slice(from);

        for header in file.section_table().iter() {
            let section = section_of(header);
            let name = &section.name;
            let start = section.offset as usize;
            let end = start + section.size.max(section.file_size) as usize;
            let Some(memory) = self
                .memory
                .get_mut(start..end.min(start + section.size as usize))
            else {
                return Err(damaged(format!("section {name} lies outside of the image")));
            };
            let file_size = section.file_size as usize;
            let from = header.pointer_to_raw_data.get(LE) as usize;
            let Some(content) = data.get(from..from.saturating_add(file_size)) else {
                return Err(damaged(format!("section {name} is cut off")));
            };
            memory[..file_size].copy_from_slice(content);
            self.sections.push(section);
        }
        Ok(())
    }
}

fn section_of(header: &pe::ImageSectionHeader) -> Section {
    let end = header.name.iter().position(|byte| *byte == 0);
    let name = &header.name[..end.unwrap_or(header.name.len())];
    let flags = header.characteristics.get(LE).0;
    let raw_size = header.size_of_raw_data.get(LE);
    // Linkers that leave the size in memory 0 mean the size in the file.
    let size = match header.virtual_size.get(LE) {
        0 => raw_size,
        size => size,
    };
    let in_file = header.pointer_to_raw_data.get(LE) != 0;
    Section {
        name: String::from_utf8_lossy(name).into_owned(),
        offset: header.virtual_address.get(LE),
        size,
        file_size: if in_file { raw_size.min(size) } else { 0 },
        read: flags & pe::IMAGE_SCN_MEM_READ.0 != 0,
        write: flags & pe::IMAGE_SCN_MEM_WRITE.0 != 0,
        execute: flags & pe::IMAGE_SCN_MEM_EXECUTE.0 != 0,
        discardable: flags & pe::IMAGE_SCN_MEM_DISCARDABLE.0 != 0,
    }
}

fn imports_of(file: &PeFile64<'_>) -> Result<Vec<Import>, Error> {
    let bad = |error: object::read::Error| damaged(format!("its import table: {error}"));
    let mut imports = Vec::new();
    let Some(table) = file.import_table().map_err(bad)? else {
        return Ok(imports);
    };
    for descriptor in table.descriptors().map_err(bad)? {
        let descriptor = descriptor.map_err(bad)?;
        let module = table.name(descriptor.name.get(LE)).map_err(bad)?;
        let module = String::from_utf8_lossy(module).into_owned();
        let first = descriptor.first_thunk.get(LE);
        let names = match descriptor.original_first_thunk.get(LE) {
            0 => first,
            names => names,
        };
        let mut thunks = table.thunks(names).map_err(bad)?;
        let mut slot = first;
        while let Some(thunk) = thunks.next::<pe::ImageNtHeaders64>().map_err(bad)? {
            let import = table.import::<pe::ImageNtHeaders64>(thunk).map_err(bad)?;
            let name = match import {
                object::read::pe::Import::Ordinal(number) => ImportName::Ordinal(number),
                object::read::pe::Import::Name(_, name) => {
                    ImportName::Name(String::from_utf8_lossy(name).into_owned())
                }
            };
            imports.push(Import {
                module: module.clone(),
                name,
                slot,
            });
            if imports.len() > MAX_IMPORTS {
                return Err(damaged(format!("more than {MAX_IMPORTS} imports")));
            }
            slot = slot.wrapping_add(8);
        }
    }
    Ok(imports)
}

pub(super) fn damaged(what: String) -> Error {
    Error::Damaged(what)
}

/// No driver comes near; a number in a damaged file does.
const MAX_SIZE: u32 = 256 << 20;
const MAX_IMPORTS: usize = 20_000;
