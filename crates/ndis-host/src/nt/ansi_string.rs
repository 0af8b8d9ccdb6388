//! Counted strings of bytes, and their way to UTF-16 and back. A byte of 0x80 or more is the character
//! of that number; a character that has no byte becomes a question mark.

use ndis_sys::nt::{BOOLEAN, NTSTATUS, STATUS_SUCCESS, UNICODE_STRING, USHORT};
use ndis_sys::{STATUS_BUFFER_OVERFLOW, nt::STATUS_INSUFFICIENT_RESOURCES};

use super::pool::{self, Kind};
use super::string::to_text;
use crate::ddi;
use crate::faults::should_fail;

/// STRING, alias ANSI_STRING.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct AnsiString {
    length: USHORT,
    maximum_length: USHORT,
    buffer: *mut u8,
}

ddi! { "ntoskrnl.exe":
    /// Makes a string of a null-terminated one (`nf-wdm-rtlinitansistring.md`).
    [PASSIVE..=DISPATCH, unchecked] fn RtlInitAnsiString(string: *mut AnsiString, source: *const u8) {
        // SAFETY: the driver gives the storage, and a source that is null or ends (the document).
        unsafe { initialize(string, source) };
    }

    /// The same (`nf-wdm-rtlinitstring.md`).
    [PASSIVE..=DISPATCH, unchecked] fn RtlInitString(string: *mut AnsiString, source: *const u8) {
        // SAFETY: the driver gives the storage, and a source that is null or ends (the document).
        unsafe { initialize(string, source) };
    }

    /// Makes UTF-16 of bytes (`nf-wdm-rtlansistringtounicodestring.md`). STATUS_SUCCESS,
    /// STATUS_BUFFER_OVERFLOW, or STATUS_INSUFFICIENT_RESOURCES.
    [PASSIVE..=PASSIVE, unchecked] fn RtlAnsiStringToUnicodeString(
        to: *mut UNICODE_STRING,
        from: *const AnsiString,
        allocate: BOOLEAN,
    ) -> NTSTATUS {
        // SAFETY: the driver gives a string (the function's document).
        let units: Vec<u16> = unsafe { bytes_of(from) }.iter().map(|byte| u16::from(*byte)).collect();
        let bytes: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        // SAFETY: the driver gives a string, or the place for one (the function's document). Both kinds
        // of string have the same fields, and lengths in bytes.
        unsafe { store(to.cast(), &bytes, 2, allocate != 0, "RtlAnsiStringToUnicodeString") }
    }

    /// Makes bytes of UTF-16 (`nf-wdm-rtlunicodestringtoansistring.md`). STATUS_SUCCESS,
    /// STATUS_BUFFER_OVERFLOW, or STATUS_INSUFFICIENT_RESOURCES.
    [PASSIVE..=PASSIVE, unchecked] fn RtlUnicodeStringToAnsiString(
        to: *mut AnsiString,
        from: *const UNICODE_STRING,
        allocate: BOOLEAN,
    ) -> NTSTATUS {
        // SAFETY: the driver gives a string (the function's document).
        let text = unsafe { to_text(from) };
        let bytes: Vec<u8> = text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect();
        // SAFETY: the driver gives a string, or the place for one (the function's document).
        unsafe { store(to, &bytes, 1, allocate != 0, "RtlUnicodeStringToAnsiString") }
    }

    /// Frees the buffer of a string that an Rtl function allocated (`nf-wdm-rtlfreeansistring.md`).
    [PASSIVE..=PASSIVE, unchecked] fn RtlFreeAnsiString(string: *mut AnsiString) {
        // SAFETY: the driver gives a string (the function's document).
        let string = unsafe { &mut *string };
        if !string.buffer.is_null() {
            pool::free(string.buffer, Some(TAG.into()));
        }
        string.length = 0;
        string.maximum_length = 0;
        string.buffer = std::ptr::null_mut();
    }
}

/// # Safety
/// `string` can be written, and `source` is null or null-terminated.
unsafe fn initialize(string: *mut AnsiString, source: *const u8) {
    let length = if source.is_null() {
        0
    } else {
        // SAFETY: the caller's own promise.
        unsafe { libc::strlen(source.cast()) }
    };
    let length = USHORT::try_from(length).unwrap_or(MAX).min(MAX);
    let content = AnsiString {
        length,
        maximum_length: length + USHORT::from(!source.is_null()),
        buffer: source.cast_mut(),
    };
    // SAFETY: the caller's own promise.
    unsafe { string.write(content) };
}

/// # Safety
/// `string` points to a valid string.
unsafe fn bytes_of<'a>(string: *const AnsiString) -> &'a [u8] {
    // SAFETY: the caller's own promise.
    let string = unsafe { &*string };
    if string.length == 0 {
        return &[];
    }
    // SAFETY: a valid string has that many bytes.
    unsafe { std::slice::from_raw_parts(string.buffer, usize::from(string.length)) }
}

/// Puts `bytes` and a null of `null` bytes into a string, or into a buffer made for it. A string of the
/// driver's needs no room for the null.
///
/// # Safety
/// `to` points to a valid string, or to the place for one if a buffer is to be made.
unsafe fn store(
    to: *mut AnsiString,
    bytes: &[u8],
    null: usize,
    allocate: bool,
    function: &'static str,
) -> NTSTATUS {
    let room = bytes.len() + null;
    let Ok(maximum_length) = USHORT::try_from(room) else {
        return STATUS_BUFFER_OVERFLOW;
    };
    if allocate {
        if should_fail(function) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        let buffer = pool::allocate(room, TAG, Kind::Paged);
        if buffer.is_null() {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        let string = AnsiString {
            length: 0,
            maximum_length,
            buffer,
        };
        // SAFETY: the caller's own promise.
        unsafe { to.write(string) };
    }
    // SAFETY: the caller's own promise, or the line above.
    let to = unsafe { &mut *to };
    if usize::from(to.maximum_length) < bytes.len() {
        return STATUS_BUFFER_OVERFLOW;
    }
    // SAFETY: the buffer has that many bytes, by the line above.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to.buffer, bytes.len()) };
    if usize::from(to.maximum_length) >= room {
        // SAFETY: the buffer has room for the null as well.
        unsafe { to.buffer.wrapping_add(bytes.len()).write_bytes(0, null) };
    }
    to.length = bytes.len() as USHORT;
    STATUS_SUCCESS
}

const TAG: [u8; 4] = *b"rSTR";
const MAX: USHORT = USHORT::MAX - 1;
const _: () = assert!(size_of::<AnsiString>() == size_of::<UNICODE_STRING>());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nt::string::{RtlFreeUnicodeString, UnicodeString};
    use crate::rules::testing::alone;

    #[test]
    fn a_string_goes_to_utf16_and_back() {
        let mut ansi = AnsiString {
            length: 0,
            maximum_length: 0,
            buffer: std::ptr::null_mut(),
        };
        // SAFETY: the literal ends with a null; the strings are variables; the same below.
        unsafe { RtlInitAnsiString(&raw mut ansi, c"net0".as_ptr().cast()) };
        assert_eq!((ansi.length, ansi.maximum_length), (4, 5));
        let mut unicode = UNICODE_STRING::zeroed();
        // SAFETY: as above.
        let status = unsafe { RtlAnsiStringToUnicodeString(&raw mut unicode, &raw const ansi, 1) };
        assert_eq!((status, unicode.Length, unicode.MaximumLength), (0, 8, 10));
        // SAFETY: as above.
        assert_eq!(unsafe { to_text(&raw const unicode) }, "net0");
        // SAFETY: the string was allocated by the call above.
        unsafe { RtlFreeUnicodeString(&raw mut unicode) };
    }

    #[test]
    fn what_does_not_fit_overflows() {
        let long = UnicodeString::new("abc\u{4e00}");
        let mut buffer = [0_u8; 4];
        let mut ansi = AnsiString {
            length: 0,
            maximum_length: 3,
            buffer: buffer.as_mut_ptr(),
        };
        // SAFETY: both strings are valid; the same below.
        let status = unsafe { RtlUnicodeStringToAnsiString(&raw mut ansi, long.as_ptr(), 0) };
        assert_eq!(status, STATUS_BUFFER_OVERFLOW);
        ansi.maximum_length = 4;
        // SAFETY: as above.
        let status = unsafe { RtlUnicodeStringToAnsiString(&raw mut ansi, long.as_ptr(), 0) };
        assert_eq!((status, ansi.length, &buffer), (STATUS_SUCCESS, 4, b"abc?"));
    }

    #[test]
    fn an_allocation_that_is_told_to_fail_is_seen() {
        alone(|| {
            crate::faults::fail_nth("RtlUnicodeStringToAnsiString", 1);
            let (text, mut ansi) = (
                UnicodeString::new("x"),
                AnsiString {
                    length: 0,
                    maximum_length: 0,
                    buffer: std::ptr::null_mut(),
                },
            );
            // SAFETY: both are variables.
            let status = unsafe { RtlUnicodeStringToAnsiString(&raw mut ansi, text.as_ptr(), 1) };
            assert_eq!(status, STATUS_INSUFFICIENT_RESOURCES);
        });
    }
}
