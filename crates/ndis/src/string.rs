//! Counted UTF-16 strings.

use alloc::vec::Vec;
use core::fmt::{self, Write as _};

use ndis_sys as sys;

use crate::{
    mem::try_to_vec,
    status::{Result, Status},
};

/// An owned counted string. Not terminated, and not necessarily valid UTF-16: device names are
/// sequences of 16-bit units to Windows.
#[derive(Default)]
pub struct UnicodeString {
    units: Vec<u16>,
}

impl UnicodeString {
    /// A copy.
    ///
    /// # Errors
    /// [`Status::RESOURCES`] if the pool has no room, [`Status::INVALID_LENGTH`] if the string is
    /// longer than a `UNICODE_STRING` can say (32,767 units).
    pub fn try_from_units(units: &[u16]) -> Result<Self> {
        if units.len() > MAXIMUM_UNITS {
            return Err(Status::INVALID_LENGTH);
        }
        Ok(Self {
            units: try_to_vec(units)?,
        })
    }

    /// The units.
    #[must_use]
    pub fn units(&self) -> &[u16] {
        &self.units
    }

    /// The string as a structure for NDIS, which only reads it, and only while it is lent.
    pub(crate) fn as_raw(&self) -> sys::UNICODE_STRING {
        raw(&self.units)
    }
}

/// Units as text for people: what is not UTF-16 shows as a replacement character.
#[derive(Clone, Copy)]
pub struct Text<'a>(pub &'a [u16]);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        char::decode_utf16(self.0.iter().copied()).try_for_each(|character| {
            f.write_char(character.unwrap_or(char::REPLACEMENT_CHARACTER))
        })
    }
}

/// An ASCII literal as UTF-16 units, at compile time.
///
/// # Panics
/// At compile time, if the text is not ASCII or not `N` bytes long.
#[must_use]
pub const fn ascii<const N: usize>(text: &str) -> [u16; N] {
    let bytes = text.as_bytes();
    assert!(bytes.len() == N, "the length must be that of the text");
    let mut units = [0; N];
    let mut i = 0;
    while i < N {
        assert!(bytes[i].is_ascii(), "only ASCII is the same in UTF-16");
        units[i] = bytes[i] as u16;
        i += 1;
    }
    units
}

/// The same with a terminator: `N` is one more than the length of the text.
///
/// # Panics
/// As [`ascii`].
#[must_use]
pub const fn ascii_terminated<const N: usize>(text: &str) -> [u16; N] {
    let bytes = text.as_bytes();
    assert!(
        bytes.len() + 1 == N,
        "the length must be that of the text and one"
    );
    let mut units = [0; N];
    let mut i = 0;
    while i < bytes.len() {
        assert!(bytes[i].is_ascii(), "only ASCII is the same in UTF-16");
        units[i] = bytes[i] as u16;
        i += 1;
    }
    units
}

/// A `UNICODE_STRING` over units that outlive its use. Longer strings than the structure can say
/// cannot occur: every caller has a bounded string.
pub(crate) fn raw(units: &[u16]) -> sys::UNICODE_STRING {
    debug_assert!(
        units.len() <= MAXIMUM_UNITS,
        "too long for a UNICODE_STRING"
    );
    let bytes = (units.len().min(MAXIMUM_UNITS) * 2) as u16;
    sys::UNICODE_STRING {
        Length: bytes,
        MaximumLength: bytes,
        Buffer: units.as_ptr().cast_mut(),
    }
}

/// A `UNICODE_STRING` over units of which the last is a terminator: it counts to what there is room for,
/// not to the length.
pub(crate) fn raw_terminated(units: &'static [u16]) -> sys::UNICODE_STRING {
    let whole = raw(units);
    sys::UNICODE_STRING {
        Length: whole.Length.saturating_sub(2),
        ..whole
    }
}

/// The units of a string of NDIS's; an absent string is empty.
///
/// # Safety
/// `string` is null, or points at a `UNICODE_STRING` whose buffer holds `Length` bytes; both stay
/// as they are for `'a`.
pub(crate) unsafe fn units<'a>(string: *const sys::UNICODE_STRING) -> &'a [u16] {
    // SAFETY: null or valid, says the caller.
    let Some(string) = (unsafe { string.as_ref() }) else {
        return &[];
    };
    if string.Buffer.is_null() {
        return &[];
    }
    // SAFETY: the buffer holds `Length` bytes for `'a`, says the caller.
    unsafe { core::slice::from_raw_parts(string.Buffer, usize::from(string.Length) / 2) }
}

/// How many units a `UNICODE_STRING` can have.
pub(crate) const MAXIMUM_UNITS: usize = 32_767;
