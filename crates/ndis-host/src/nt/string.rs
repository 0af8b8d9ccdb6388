//! Counted UTF-16 strings, and what the Rtl functions do with them.

use std::ffi::c_char;

use ndis_sys::nt::{BOOLEAN, LONG, NTSTATUS, UNICODE_STRING, USHORT, WCHAR};

use crate::ddi;
use crate::nt::pool::{self, Kind};
use crate::rules;

/// A UNICODE_STRING of the host's own, with its buffer, null-terminated.
pub struct UnicodeString {
    raw: Box<UNICODE_STRING>,
    buffer: Box<[WCHAR]>,
}

// SAFETY: the raw pointer is to the buffer that the value owns; nothing else is shared.
unsafe impl Send for UnicodeString {}
// SAFETY: as above; the host changes neither after creation.
unsafe impl Sync for UnicodeString {}

impl UnicodeString {
    /// A string with the text's UTF-16 form. Text of 32 Ki units or more does not fit and panics.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut buffer: Box<[WCHAR]> = text.encode_utf16().chain([0]).collect();
        let bytes = USHORT::try_from(buffer.len() * 2).expect("the host's strings are short");
        let raw = Box::new(UNICODE_STRING {
            Length: bytes - 2,
            MaximumLength: bytes,
            Buffer: buffer.as_mut_ptr(),
        });
        Self { raw, buffer }
    }

    /// The string for a driver to read, valid as long as `self` is.
    #[must_use]
    pub fn as_ptr(&self) -> *mut UNICODE_STRING {
        (&raw const *self.raw).cast_mut()
    }
}

impl std::fmt::Debug for UnicodeString {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = &self.buffer[..self.buffer.len() - 1];
        write!(f, "{:?}", String::from_utf16_lossy(text))
    }
}

/// The text of a driver's string; lone surrogates become U+FFFD. Null is the empty string.
///
/// # Safety
/// `string` is null or points to a UNICODE_STRING whose buffer has `Length` bytes.
#[must_use]
pub unsafe fn to_text(string: *const UNICODE_STRING) -> String {
    if string.is_null() {
        return String::new();
    }
    // SAFETY: the caller's own promise.
    String::from_utf16_lossy(unsafe { units(string) })
}

/// The text in upper case, one UTF-16 unit for each as Windows does it.
#[must_use]
pub fn upcase(text: &str) -> String {
    let units: Vec<_> = text.encode_utf16().map(upcase_unit).collect();
    String::from_utf16_lossy(&units)
}

/// A UTF-16 unit in upper case; units with no upper case of one unit stay.
#[must_use]
pub fn upcase_unit(unit: WCHAR) -> WCHAR {
    let Some(character) = char::from_u32(u32::from(unit)) else {
        return unit;
    };
    let mut upper = character.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(upper), None) => WCHAR::try_from(u32::from(upper)).unwrap_or(unit),
        _ => unit,
    }
}

ddi! { "ntoskrnl.exe":
    /// Makes a string of a null-terminated one (`nf-wdm-rtlinitunicodestring.md`).
    [PASSIVE..=DISPATCH] fn RtlInitUnicodeString(
        destination: *mut UNICODE_STRING,
        source: *const WCHAR,
    ) {
        // SAFETY: a source that is not null is null-terminated (the function's document).
        let length = unsafe { terminated(source) }.len();
        let bytes = USHORT::try_from(length * 2).unwrap_or(MAX_BYTES).min(MAX_BYTES);
        let string = UNICODE_STRING {
            Length: bytes,
            MaximumLength: if source.is_null() { 0 } else { bytes + 2 },
            Buffer: source.cast_mut(),
        };
        // SAFETY: the driver gives the place for a string (the function's document).
        unsafe { destination.write(string) };
    }

    /// Whether two strings are equal (`nf-wdm-rtlequalunicodestring.md`).
    [PASSIVE..=DISPATCH] fn RtlEqualUnicodeString(
        first: *const UNICODE_STRING,
        second: *const UNICODE_STRING,
        ignore_case: BOOLEAN,
    ) -> BOOLEAN {
        // SAFETY: the driver gives two valid strings (the function's document).
        let order = unsafe { compare(first, second, ignore_case) };
        BOOLEAN::from(order == 0)
    }

    /// The order of two strings (`nf-wdm-rtlcompareunicodestring.md`).
    [PASSIVE..=DISPATCH, unchecked] fn RtlCompareUnicodeString(
        first: *const UNICODE_STRING,
        second: *const UNICODE_STRING,
        ignore_case: BOOLEAN,
    ) -> LONG {
        // SAFETY: the driver gives two valid strings (the function's document).
        unsafe { compare(first, second, ignore_case) }
    }

    /// Copies as much as fits (`nf-wdm-rtlcopyunicodestring.md`).
    [PASSIVE..=DISPATCH, unchecked] fn RtlCopyUnicodeString(
        destination: *mut UNICODE_STRING,
        source: *const UNICODE_STRING,
    ) {
        let text = if source.is_null() {
            Vec::new()
        } else {
            // SAFETY: a source that is not null is a valid string (the function's document).
            unsafe { units(source) }.to_vec()
        };
        // SAFETY: the driver gives a valid destination (the function's document).
        let fitting = unsafe { capacity(destination) }.min(text.len());
        // SAFETY: `fitting` units fit in the destination's buffer, by the line above.
        unsafe { store(destination, 0, &text[..fitting]) };
    }

    /// Appends a string (`nf-wdm-rtlappendunicodestringtostring.md`). STATUS_BUFFER_TOO_SMALL if it
    /// does not fit.
    [PASSIVE..=DISPATCH, unchecked] fn RtlAppendUnicodeStringToString(
        destination: *mut UNICODE_STRING,
        source: *const UNICODE_STRING,
    ) -> NTSTATUS {
        // SAFETY: the driver gives two valid strings (the function's document).
        let text = unsafe { units(source) }.to_vec();
        // SAFETY: as above.
        unsafe { append(destination, &text) }
    }

    /// Appends a null-terminated string (`nf-wdm-rtlappendunicodetostring.md`).
    /// STATUS_BUFFER_TOO_SMALL if it does not fit.
    [PASSIVE..=DISPATCH, unchecked] fn RtlAppendUnicodeToString(
        destination: *mut UNICODE_STRING,
        source: *const WCHAR,
    ) -> NTSTATUS {
        // SAFETY: a source that is not null is null-terminated (the function's document).
        let text = unsafe { terminated(source) };
        // SAFETY: the driver gives a valid destination (the function's document).
        unsafe { append(destination, text) }
    }

    /// A string in upper case, into a buffer that is allocated if asked for
    /// (`nf-ntifs-rtlupcaseunicodestring.md`). STATUS_BUFFER_OVERFLOW if it does not fit,
    /// STATUS_NO_MEMORY if there is none.
    [PASSIVE..=PASSIVE] fn RtlUpcaseUnicodeString(
        destination: *mut UNICODE_STRING,
        source: *const UNICODE_STRING,
        allocate: BOOLEAN,
    ) -> NTSTATUS {
        // SAFETY: the driver gives a valid source (the function's document).
        let text: Vec<_> = unsafe { units(source) }.iter().map(|unit| upcase_unit(*unit)).collect();
        if allocate != 0 {
            let bytes = text.len() * 2;
            let buffer = pool::allocate(bytes.max(2), *b"rSTR", Kind::Paged);
            if buffer.is_null() {
                return STATUS_NO_MEMORY;
            }
            let string = UNICODE_STRING {
                Length: 0,
                MaximumLength: USHORT::try_from(bytes).unwrap_or(MAX_BYTES),
                Buffer: buffer.cast(),
            };
            // SAFETY: the driver gives the place for a string (the function's document).
            unsafe { destination.write(string) };
        }
        // SAFETY: the destination is valid: made above, or by the driver (the function's document).
        if unsafe { capacity(destination) } < text.len() {
            return STATUS_BUFFER_OVERFLOW;
        }
        // SAFETY: it fits, by the line above.
        unsafe { store(destination, 0, &text) };
        STATUS_SUCCESS
    }

    /// Frees the buffer of a string that an Rtl function allocated
    /// (`nf-wdm-rtlfreeunicodestring.md`).
    [PASSIVE..=PASSIVE, unchecked] fn RtlFreeUnicodeString(string: *mut UNICODE_STRING) {
        // SAFETY: the driver gives a valid string (the function's document).
        let buffer = unsafe { (*string).Buffer };
        if !buffer.is_null() {
            pool::free(buffer.cast(), None);
        }
        // SAFETY: as above.
        unsafe { string.write(UNICODE_STRING::zeroed()) };
    }

    /// A UTF-16 unit in upper case (`nf-ntifs-rtlupcaseunicodechar.md`).
    [PASSIVE..=PASSIVE, unchecked] fn RtlUpcaseUnicodeChar(unit: WCHAR) -> WCHAR {
        upcase_unit(unit)
    }

    /// The length of a null-terminated string (the C library's).
    [PASSIVE..=HIGH, unchecked] fn strlen(text: *const c_char) -> usize {
        // SAFETY: the driver gives a null-terminated string.
        unsafe { std::ffi::CStr::from_ptr(text) }.count_bytes()
    }
}

/// The units of a driver's null-terminated string; null is none.
///
/// # Safety
/// `text` is null, or null-terminated and stays unchanged while the slice is used.
pub(super) unsafe fn terminated<'a>(text: *const WCHAR) -> &'a [WCHAR] {
    if text.is_null() {
        return &[];
    }
    let mut length = 0;
    // SAFETY: the caller's own promise; no unit after the terminator is read.
    while unsafe { *text.wrapping_add(length) } != 0 {
        length += 1;
    }
    // SAFETY: that many units were just read.
    unsafe { std::slice::from_raw_parts(text, length) }
}

/// The units of a driver's string, after a look at its shape.
///
/// # Safety
/// `string` points to a UNICODE_STRING whose buffer has `Length` bytes and stays unchanged while the
/// slice is used.
unsafe fn units<'a>(string: *const UNICODE_STRING) -> &'a [WCHAR] {
    // SAFETY: the caller's own promise.
    let string = unsafe { string.read() };
    if string.Length > string.MaximumLength
        || !string.Length.is_multiple_of(2)
        || (string.Length != 0 && string.Buffer.is_null())
    {
        rules::broken(
            &rules::INVALID_STRING,
            format_args!(
                "a UNICODE_STRING has Length {}, MaximumLength {} and Buffer {:p}",
                string.Length, string.MaximumLength, string.Buffer
            ),
        );
    }
    rules::held(&rules::INVALID_STRING);
    if string.Length == 0 {
        return &[];
    }
    // SAFETY: the buffer is not null by the check above, and the rest is the caller's promise.
    unsafe { std::slice::from_raw_parts(string.Buffer, usize::from(string.Length / 2)) }
}

/// # Safety
/// Both are valid strings.
unsafe fn compare(
    first: *const UNICODE_STRING,
    second: *const UNICODE_STRING,
    ignore_case: BOOLEAN,
) -> LONG {
    let fold = |unit: &WCHAR| {
        if ignore_case == 0 {
            *unit
        } else {
            upcase_unit(*unit)
        }
    };
    // SAFETY: the caller's own promise.
    let first = unsafe { units(first) };
    // SAFETY: the caller's own promise.
    let second = unsafe { units(second) };
    for (a, b) in first.iter().map(fold).zip(second.iter().map(fold)) {
        if a != b {
            return LONG::from(a) - LONG::from(b);
        }
    }
    first.len() as LONG - second.len() as LONG
}

/// How many units the string's buffer has room for.
///
/// # Safety
/// `string` is a valid string.
unsafe fn capacity(string: *const UNICODE_STRING) -> usize {
    // SAFETY: the caller's own promise.
    let string = unsafe { string.read() };
    usize::from(string.MaximumLength / 2)
}

/// # Safety
/// `destination` is a valid string.
unsafe fn append(destination: *mut UNICODE_STRING, text: &[WCHAR]) -> NTSTATUS {
    // SAFETY: the caller's own promise.
    let used = unsafe { units(destination) }.len();
    // SAFETY: the caller's own promise.
    if unsafe { capacity(destination) } < used + text.len() {
        return STATUS_BUFFER_TOO_SMALL;
    }
    // SAFETY: it fits, by the line above.
    unsafe { store(destination, used, text) };
    STATUS_SUCCESS
}

/// Puts `text` at unit `at`, ends the string after it, and null-terminates it if there is room.
///
/// # Safety
/// `destination` is a valid string whose buffer has room for it.
unsafe fn store(destination: *mut UNICODE_STRING, at: usize, text: &[WCHAR]) {
    // SAFETY: the caller's own promise.
    let string = unsafe { &mut *destination };
    let end = at + text.len();
    let room = usize::from(string.MaximumLength / 2);
    for (index, unit) in (at..).zip(text.iter().chain((end < room).then_some(&0))) {
        // SAFETY: the index is below `room`: `text` fits, and the null only if there is room.
        unsafe { string.Buffer.wrapping_add(index).write(*unit) };
    }
    string.Length = (end * 2) as USHORT;
}

const MAX_BYTES: USHORT = 0xfffc;
const STATUS_SUCCESS: NTSTATUS = 0;
const STATUS_BUFFER_OVERFLOW: NTSTATUS = 0x8000_0005_u32.cast_signed();
const STATUS_BUFFER_TOO_SMALL: NTSTATUS = 0xC000_0023_u32.cast_signed();
const STATUS_NO_MEMORY: NTSTATUS = 0xC000_0017_u32.cast_signed();

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::assert_broken;

    fn buffer(units: usize) -> (UNICODE_STRING, Vec<WCHAR>) {
        let mut buffer = vec![0xffff; units];
        let string = UNICODE_STRING {
            Length: 0,
            MaximumLength: (units * 2) as USHORT,
            Buffer: buffer.as_mut_ptr(),
        };
        (string, buffer)
    }

    fn text(string: &UNICODE_STRING) -> String {
        // SAFETY: the tests' strings are valid.
        unsafe { to_text(string) }
    }

    #[test]
    fn init_takes_the_length_without_the_null() {
        let source: Vec<WCHAR> = "abc\0".encode_utf16().collect();
        let mut string = UNICODE_STRING::zeroed();
        // SAFETY: both arguments are valid.
        unsafe { RtlInitUnicodeString(&raw mut string, source.as_ptr()) };
        assert_eq!((string.Length, string.MaximumLength), (6, 8));
        // SAFETY: as above.
        unsafe { RtlInitUnicodeString(&raw mut string, std::ptr::null()) };
        assert_eq!((string.Length, string.MaximumLength), (0, 0));
        assert!(string.Buffer.is_null());
    }

    #[test]
    fn equality_with_and_without_case() {
        let (a, b) = (UnicodeString::new("Äther"), UnicodeString::new("äTHER"));
        for (ignore, expected) in [(0, 0), (1, 1)] {
            // SAFETY: both strings are valid.
            let equal = unsafe { RtlEqualUnicodeString(a.as_ptr(), b.as_ptr(), ignore) };
            assert_eq!(equal, expected);
        }
    }

    #[test]
    fn copy_cuts_what_does_not_fit() {
        let (mut string, _buffer) = buffer(3);
        let source = UnicodeString::new("abcdef");
        // SAFETY: both strings are valid.
        unsafe { RtlCopyUnicodeString(&raw mut string, source.as_ptr()) };
        assert_eq!(text(&string), "abc");
    }

    #[test]
    fn append_fails_whole_when_it_does_not_fit() {
        let (mut string, _buffer) = buffer(5);
        let source = UnicodeString::new("abc");
        let mut append = || {
            // SAFETY: both strings are valid.
            let status =
                unsafe { RtlAppendUnicodeStringToString(&raw mut string, source.as_ptr()) };
            (status, text(&string))
        };
        assert_eq!(append(), (STATUS_SUCCESS, "abc".to_owned()));
        assert_eq!(append(), (STATUS_BUFFER_TOO_SMALL, "abc".to_owned()));
    }

    #[test]
    fn upcase_keeps_units_without_a_single_upper_one() {
        assert_eq!(upcase("straße ÿ"), "STRAßE Ÿ");
    }

    #[test]
    fn a_length_beyond_the_maximum_breaks_the_string_rule() {
        assert_broken(
            &rules::INVALID_STRING,
            &["Length 4, MaximumLength 2"],
            || {
                let (mut string, _buffer) = buffer(1);
                string.Length = 4;
                // SAFETY: what is wrong with the string is seen before its buffer is read.
                unsafe { RtlEqualUnicodeString(&raw const string, &raw const string, 0) };
            },
        );
    }
}
