//! Counted UTF-16 strings of drivers, and names that live as long as the process.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use ndis_sys::UNICODE_STRING;

/// The text of a driver's string; characters that are no UTF-16 become U+FFFD.
///
/// # Safety
/// A valid `UNICODE_STRING` whose buffer has `Length` bytes, or one of length 0.
pub(crate) unsafe fn read(string: *const UNICODE_STRING) -> String {
    // SAFETY: the caller's contract.
    let string = unsafe { &*string };
    if string.Buffer.is_null() {
        return String::new();
    }
    // SAFETY: the caller's contract.
    let units =
        unsafe { std::slice::from_raw_parts(string.Buffer, usize::from(string.Length) / 2) };
    String::from_utf16_lossy(units)
}

/// The same text for as long as the process lives.
pub(crate) fn intern(text: &str) -> &'static str {
    static NAMES: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    let names = names.get_or_insert_default();
    if let Some(name) = names.get(text) {
        return name;
    }
    let name: &'static str = Box::leak(text.to_owned().into_boxed_str());
    names.insert(name);
    name
}

/// A string of the host's for a driver, with its buffer.
pub(crate) struct Counted {
    _units: Vec<u16>,
    string: Box<UNICODE_STRING>,
}

// SAFETY: the buffer is this value's own and is written by nobody.
unsafe impl Send for Counted {}

impl Counted {
    pub(crate) fn new(text: &str) -> Self {
        let mut units: Vec<u16> = text.encode_utf16().chain([0]).collect();
        let string = Box::new(UNICODE_STRING {
            Length: ((units.len() - 1) * 2) as u16,
            MaximumLength: (units.len() * 2) as u16,
            Buffer: units.as_mut_ptr(),
        });
        Self {
            _units: units,
            string,
        }
    }

    /// Valid as long as this value.
    pub(crate) fn as_ptr(&self) -> *mut UNICODE_STRING {
        std::ptr::from_ref(&*self.string).cast_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counted_string_reads_back() {
        let counted = Counted::new(r"\Device\{X}");
        // SAFETY: the string is alive.
        let read = unsafe { read(counted.as_ptr()) };
        assert_eq!(read, r"\Device\{X}");
        assert!(std::ptr::eq(intern("a"), intern("a")));
    }
}
