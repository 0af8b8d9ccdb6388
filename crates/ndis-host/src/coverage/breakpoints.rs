//! Breakpoints: one where the code of each line begins, until it is reached.

use std::path::Path;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU8, Ordering};

use super::record::{self, Record};
use super::{Error, folder, lines};
use crate::image::Pe;

/// Puts breakpoints into the content of an image that will be at `base`, unless coverage is off or
/// the image has no PDB. Answers whether there are any: then its code must be writable.
///
/// # Errors
/// The PDB or the record cannot be used.
pub(crate) fn plant(
    image: &Path,
    symbols: Option<&Path>,
    pe: &Pe,
    memory: &mut [u8],
    base: usize,
) -> Result<bool, Error> {
    let (Some(folder), Some(symbols)) = (folder(), symbols) else {
        return Ok(false);
    };
    let offsets: Vec<u32> = lines::read(symbols)?.into_keys().collect();
    let record = Record::open(&record::path(&folder, image, pe), offsets.len())?;
    let mut originals = Vec::with_capacity(offsets.len());
    for (index, offset) in offsets.iter().enumerate() {
        let mut sections = pe.sections.iter();
        let is_code = sections.any(|section| section.execute && section.contains(*offset));
        let byte = memory.get_mut(*offset as usize).filter(|_| is_code);
        originals.push(byte.as_deref().copied().unwrap_or(BREAKPOINT));
        // What another process reached needs no trap here.
        if let Some(byte) = byte
            && !record.was_reached(index)
        {
            *byte = BREAKPOINT;
        }
    }
    publish(Planted {
        next: ptr::null_mut(),
        base,
        offsets,
        originals,
        record,
    });
    Ok(true)
}

/// Called for a breakpoint trap at `instruction`: if it is one of ours, notes it and takes it out, and
/// the instruction there can run. Takes no lock, as signal handlers must not.
pub(crate) fn reached(instruction: usize) -> bool {
    let mut next = PLANTED.load(Ordering::Acquire);
    // SAFETY: what `publish` put there stays for good.
    while let Some(planted) = unsafe { next.as_ref() } {
        if planted.reached(instruction) {
            return true;
        }
        next = planted.next;
    }
    false
}

/// The breakpoints of one loaded image.
struct Planted {
    next: *mut Planted,
    base: usize,
    /// Where they are, in order.
    offsets: Vec<u32>,
    /// The byte of the code that each one replaced.
    originals: Vec<u8>,
    record: Record,
}

impl Planted {
    fn reached(&self, instruction: usize) -> bool {
        let offset = instruction.checked_sub(self.base);
        let Some(offset) = offset.and_then(|offset| u32::try_from(offset).ok()) else {
            return false;
        };
        let Ok(index) = self.offsets.binary_search(&offset) else {
            return false;
        };
        let original = self.originals[index];
        if original == BREAKPOINT {
            // The driver's own.
            return false;
        }
        self.record.note(index);
        // SAFETY: the image is loaded, or this code would not have run, and its code is writable, as
        // `plant` answered. Threads that come here at once all store the same byte.
        let byte = unsafe { AtomicU8::from_ptr(instruction as *mut u8) };
        byte.store(original, Ordering::SeqCst);
        true
    }
}

/// Makes breakpoints known to [`reached`], for good: a process loads few images.
fn publish(planted: Planted) {
    let planted = Box::into_raw(Box::new(planted));
    let mut first = PLANTED.load(Ordering::Acquire);
    loop {
        // SAFETY: nobody else knows of it yet.
        unsafe { (*planted).next = first };
        let swapped = PLANTED.compare_exchange(first, planted, Ordering::AcqRel, Ordering::Acquire);
        match swapped {
            Ok(_) => return,
            Err(other) => first = other,
        }
    }
}

/// `int3`.
const BREAKPOINT: u8 = 0xcc;

static PLANTED: AtomicPtr<Planted> = AtomicPtr::new(ptr::null_mut());
