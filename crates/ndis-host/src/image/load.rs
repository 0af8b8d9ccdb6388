//! Loading: from a parsed file to code that can be called.
//!
//! The image gets addresses of its own, which are never given to anything else: after
//! [`unload`](Image::unload) they cannot be touched, so that a call into a driver that is gone is
//! seen and named.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};

use super::parse::{ImportName, Machine, Pe, Section};
use super::symbols::{Symbol, Symbols};
use super::unwind::{Functions, Registers};
use super::{Error, Messages, forbidden};
use crate::call::{self, stub};
use crate::coverage;
use crate::nt::driver::DriverEntry;
use crate::nt::time;

/// An image in this process. Dropping it unloads it.
#[derive(Debug)]
pub struct Image {
    mapped: Arc<Mapped>,
    entry: u32,
    messages: Messages,
}

impl Image {
    /// Loads a driver image: any base, relocated, imports bound, protected as its headers say.
    ///
    /// # Errors
    /// If the file is no whole x64 driver image, if it imports what the host does not have (all that
    /// is missing is named), or if there is no memory.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let pe = Pe::read(path)?;
        check_runnable(&pe)?;
        let bindings = bind(&pe)?;
        let relocations = pe.relocations()?;

        let region = Region::reserve(pe.size as usize)?;
        let mut memory = pe.memory.clone();
        let delta = (region.base as u64).wrapping_sub(pe.preferred_base);
        for place in relocations {
            add(&mut memory, place, delta);
        }
        for (slot, address) in bindings {
            put(&mut memory, slot, address as u64);
        }
        fill_load_config(&pe, &mut memory, region.base);
        let symbols = Symbols::beside(path, &pe);
        let covered = coverage::plant(path, symbols.path(), &pe, &mut memory, region.base)?;
        region.fill(&memory);
        region.protect_as(&pe, covered)?;

        let mapped = Arc::new(Mapped {
            name: path.file_name().map_or_else(
                || path.display().to_string(),
                |name| name.to_string_lossy().into_owned(),
            ),
            symbols,
            sections: pe.sections.clone(),
            functions: Functions::of(&pe),
            region,
            unloaded: AtomicBool::new(false),
        });
        IMAGES
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .push(mapped.clone());
        Ok(Self {
            mapped,
            entry: pe.entry,
            messages: pe.messages(),
        })
    }

    /// The entry point.
    #[must_use]
    pub fn entry(&self) -> DriverEntry {
        let address = self.base() + self.entry as usize;
        // SAFETY: the headers name this address, inside of the image, as the entry point of a native
        // image, and that has this type.
        unsafe { std::mem::transmute::<usize, DriverEntry>(address) }
    }

    /// The texts of its message table.
    #[must_use]
    pub(crate) fn messages(&self) -> &Messages {
        &self.messages
    }

    /// The file name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.mapped.name
    }

    /// The address at which it begins.
    #[must_use]
    pub fn base(&self) -> usize {
        self.mapped.region.base
    }

    /// Bytes that it takes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.mapped.region.size
    }

    /// Whether an address lies in the image.
    #[must_use]
    pub fn contains(&self, address: usize) -> bool {
        self.mapped.contains(address)
    }

    /// Takes the image out of memory. Its addresses stay taken and cannot be touched.
    pub fn unload(self) {}
}

impl Drop for Image {
    fn drop(&mut self) {
        self.mapped.unloaded.store(true, Ordering::SeqCst);
        self.mapped.region.close();
    }
}

/// Where an address lies in an image that is or was loaded.
#[derive(Debug)]
pub struct Place {
    mapped: Arc<Mapped>,
    offset: u32,
}

/// Whether an image was loaded in this process, be it gone or not.
pub(crate) fn any_loaded() -> bool {
    let images = IMAGES
        .read()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    !images.is_empty()
}

/// The image that `address` lies in. None if it lies in none, or while an image is being loaded.
#[must_use]
pub fn place_of(address: usize) -> Option<Place> {
    let images = IMAGES.try_read().ok()?;
    let mapped = images.iter().find(|mapped| mapped.contains(address))?;
    Some(Place {
        mapped: mapped.clone(),
        offset: (address - mapped.region.base) as u32,
    })
}

impl Place {
    /// The image's file name.
    #[must_use]
    pub fn image_name(&self) -> &str {
        &self.mapped.name
    }

    /// The offset in the image.
    #[must_use]
    pub fn offset(&self) -> u32 {
        self.offset
    }

    /// Whether the image was unloaded.
    #[must_use]
    pub fn is_unloaded(&self) -> bool {
        self.mapped.unloaded.load(Ordering::SeqCst)
    }

    /// The section and its protection, in words.
    #[must_use]
    pub fn protection(&self) -> String {
        let mut sections = self.mapped.sections.iter();
        let section = sections.find(|section| section.contains(self.offset));
        section.map_or_else(
            || "outside of its sections".to_owned(),
            |section| format!("in section {} ({})", section.name, section.protection()),
        )
    }

    /// The function that the instruction `back` bytes before this place belongs to: 1 for a return
    /// address, whose call is the instruction before it.
    pub(crate) fn symbol(&self, back: u32) -> Option<Symbol> {
        self.mapped.symbols.at(self.offset.saturating_sub(back))
    }

    /// Turns the registers of this place into those of its function's caller, after the return.
    /// `None` if `read` has no memory where the stack should be.
    pub(crate) fn leave(
        &self,
        registers: &mut Registers,
        read: impl Fn(u64) -> Option<u64>,
    ) -> Option<()> {
        match self.mapped.functions.at(self.offset) {
            Some(function) => function.undo(self.offset, registers, read),
            // What changes neither stack nor preserved registers has no entry.
            None => registers.pop_return(read),
        }
    }
}

#[derive(Debug)]
struct Mapped {
    name: String,
    region: Region,
    symbols: Symbols,
    sections: Vec<Section>,
    functions: Functions,
    unloaded: AtomicBool,
}

impl Mapped {
    fn contains(&self, address: usize) -> bool {
        (self.region.base..self.region.base + self.region.size).contains(&address)
    }
}

fn check_runnable(pe: &Pe) -> Result<(), Error> {
    let refuse = |why: String| Err(Error::Unsupported(why));
    if pe.machine != Machine::X64 {
        return refuse(format!(
            "it is for {:?}, and this host is x86-64",
            pe.machine
        ));
    }
    if pe.subsystem != NATIVE {
        return refuse(format!(
            "its subsystem is {}, and drivers are native (1)",
            pe.subsystem
        ));
    }
    if pe.entry == 0 || pe.entry >= pe.size {
        return refuse("it has no entry point".to_owned());
    }
    if pe.checksum != 0 && pe.checksum != pe.computed_checksum {
        return refuse(format!(
            "its checksum is {:#010x} and should be {:#010x}",
            pe.checksum, pe.computed_checksum
        ));
    }
    if pe.has_tls() {
        return refuse("it has thread-local storage, which the kernel does not set up".to_owned());
    }
    if pe.section_alignment < PAGE as u32 {
        return refuse(format!(
            "its sections are aligned to {} bytes, so pages cannot be protected",
            pe.section_alignment
        ));
    }
    if let Some(section) = pe
        .sections
        .iter()
        .find(|section| section.write && section.execute)
    {
        return refuse(format!(
            "section {} can be written and executed",
            section.name
        ));
    }
    let old: Vec<_> = forbidden::imports(pe).collect();
    if !old.is_empty() {
        return refuse(format!("it imports NDIS 5 functions: {}", old.join(", ")));
    }
    Ok(())
}

/// The slot of each import and the address that it gets.
fn bind(pe: &Pe) -> Result<Vec<(u32, usize)>, Error> {
    let mut missing = Vec::new();
    let mut bindings = Vec::new();
    for import in &pe.imports {
        let export = match &import.name {
            ImportName::Name(name) => call::find(&import.module, name),
            ImportName::Ordinal(_) => None,
        };
        match export {
            Some(export) => bindings.push((import.slot, stub::address_of(export))),
            None => missing.push(format!("{}!{}", import.module, import.name)),
        }
    }
    if !missing.is_empty() {
        return Err(Error::MissingImports(missing));
    }
    if let Some((slot, _)) = bindings.iter().find(|(slot, _)| pe.u64(*slot).is_none()) {
        return Err(Error::Damaged(format!(
            "an import's slot at {slot:#x} lies outside"
        )));
    }
    Ok(bindings)
}

/// A stack cookie of its own for each load, and functions for indirect calls where the linker left
/// the pointers to them empty.
fn fill_load_config(pe: &Pe, memory: &mut [u8], base: usize) {
    let config = pe.load_config();
    if let Some(place) = config.security_cookie {
        let clock = time::system_time().cast_unsigned();
        // The upper 16 bits are 0 in a cookie, and its default value means that nobody set it.
        let cookie = (clock.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ base as u64) >> 16;
        put(
            memory,
            place,
            if cookie == DEFAULT_COOKIE {
                cookie + 1
            } else {
                cookie
            },
        );
    }
    if let Some(place) = config.guard_check
        && pe.u64(place) == Some(0)
    {
        put(
            memory,
            place,
            stub::make_code("guard check", &[0xc3]) as u64,
        ); // ret
    }
    if let Some(place) = config.guard_dispatch
        && pe.u64(place) == Some(0)
    {
        put(
            memory,
            place,
            stub::make_code("guard dispatch", &[0xff, 0xe0]) as u64,
        ); // jmp rax
    }
}

/// Adds to the 64-bit number at an offset that was checked to be inside.
fn add(memory: &mut [u8], offset: u32, delta: u64) {
    let at = offset as usize;
    let number = memory[at..at + 8]
        .first_chunk()
        .copied()
        .map_or(0, u64::from_le_bytes);
    put(memory, offset, number.wrapping_add(delta));
}

fn put(memory: &mut [u8], offset: u32, number: u64) {
    let at = offset as usize;
    memory[at..at + 8].copy_from_slice(&number.to_le_bytes());
}

/// The addresses of an image.
#[derive(Debug)]
struct Region {
    base: usize,
    size: usize,
}

impl Region {
    fn reserve(size: usize) -> Result<Self, Error> {
        let size = size.next_multiple_of(PAGE);
        // SAFETY: a new mapping at an address that the kernel chooses touches no memory in use.
        let base = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                size,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if base == libc::MAP_FAILED {
            return Err(Error::Memory(std::io::Error::last_os_error()));
        }
        Ok(Self {
            base: base as usize,
            size,
        })
    }

    fn fill(&self, memory: &[u8]) {
        assert!(memory.len() <= self.size);
        // SAFETY: the region is at least as long, by the line above, writable as it was reserved, and
        // nobody knows of it yet.
        unsafe {
            std::ptr::copy_nonoverlapping(memory.as_ptr(), self.base as *mut u8, memory.len());
        }
    }

    /// Headers and gaps can be read, each section what its flags say.
    /// Code is writable too if `covered`.
    fn protect_as(&self, pe: &Pe, covered: bool) -> Result<(), Error> {
        self.protect(0, self.size, libc::PROT_READ)?;
        for section in &pe.sections {
            let start = section.offset as usize;
            if !start.is_multiple_of(PAGE) {
                return Err(Error::Damaged(format!(
                    "section {} is not aligned",
                    section.name
                )));
            }
            let flag = |allowed, flag| if allowed { flag } else { libc::PROT_NONE };
            let protection = flag(section.read, libc::PROT_READ)
                | flag(
                    section.write || (covered && section.execute),
                    libc::PROT_WRITE,
                )
                | flag(section.execute, libc::PROT_EXEC);
            let size = (section.size as usize).next_multiple_of(PAGE);
            self.protect(start, size, protection)?;
        }
        Ok(())
    }

    fn protect(&self, start: usize, size: usize, protection: i32) -> Result<(), Error> {
        assert!(
            start + size <= self.size,
            "sections lie inside of the image"
        );
        let address = (self.base + start) as *mut libc::c_void;
        // SAFETY: the range is this region's own, by the line above; no code of it runs yet, or any
        // more.
        if unsafe { libc::mprotect(address, size, protection) } != 0 {
            return Err(Error::Memory(std::io::Error::last_os_error()));
        }
        Ok(())
    }

    /// Gives the memory back and keeps the addresses.
    fn close(&self) {
        let address = self.base as *mut libc::c_void;
        // SAFETY: the region is this image's own. Whoever still uses it is a driver that was
        // unloaded, and the fault names it.
        unsafe { libc::mprotect(address, self.size, libc::PROT_NONE) };
        // SAFETY: as above.
        unsafe { libc::madvise(address, self.size, libc::MADV_DONTNEED) };
    }
}

const PAGE: usize = 4096;
const NATIVE: u16 = 1;
const DEFAULT_COOKIE: u64 = 0x2b99_2ddf_a232;

/// Every image that was ever loaded.
static IMAGES: RwLock<Vec<Arc<Mapped>>> = RwLock::new(Vec::new());

#[cfg(test)]
mod tests;
