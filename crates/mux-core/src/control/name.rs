//! A device name on its way: UTF-16 units of the sender's, or bytes of a buffer that is aligned to
//! nothing.

use core::fmt;

use crate::config::MAXIMUM_NAME_LENGTH;

/// A device name: 1 to [`MAXIMUM_NAME_LENGTH`] UTF-16 units, none of them NUL.
#[derive(Clone, Copy)]
pub struct Name<'a>(Source<'a>);

#[derive(Clone, Copy)]
enum Source<'a> {
    Units(&'a [u16]),
    /// Little-endian, of an even length.
    Bytes(&'a [u8]),
}

impl<'a> Name<'a> {
    /// The name with these units; `None` if no device can have it.
    pub fn new(units: &'a [u16]) -> Option<Name<'a>> {
        Name(Source::Units(units)).checked()
    }

    pub(super) fn of_bytes(bytes: &'a [u8]) -> Option<Name<'a>> {
        if !bytes.len().is_multiple_of(2) {
            return None;
        }
        Name(Source::Bytes(bytes)).checked()
    }

    fn checked(self) -> Option<Self> {
        let length = self.units().count();
        let good =
            (1..=MAXIMUM_NAME_LENGTH).contains(&length) && self.units().all(|unit| unit != 0);
        good.then_some(self)
    }

    /// Its UTF-16 units.
    pub fn units(&self) -> impl Iterator<Item = u16> + Clone + use<'a> {
        let (units, bytes): (&[u16], &[u8]) = match self.0 {
            Source::Units(units) => (units, &[]),
            Source::Bytes(bytes) => (&[], bytes),
        };
        let (pairs, _none) = bytes.as_chunks::<2>();
        let decoded = pairs.iter().map(|pair| u16::from_le_bytes(*pair));
        units.iter().copied().chain(decoded)
    }

    /// Its length in bytes as UTF-16: at most 520.
    pub(super) fn byte_length(&self) -> usize {
        self.units().count().saturating_mul(2)
    }

    /// Copies it, and gives the part of `buffer` that it fills: all names fit into
    /// [`MAXIMUM_NAME_LENGTH`] units. `None` if this one does not fit into less.
    pub fn copy_to<'b>(&self, buffer: &'b mut [u16]) -> Option<&'b [u16]> {
        let target = buffer.get_mut(..self.units().count())?;
        for (to, unit) in target.iter_mut().zip(self.units()) {
            *to = unit;
        }
        Some(target)
    }
}

impl PartialEq for Name<'_> {
    /// The same units; [`crate::config::same_name`] says whether the devices are the same.
    fn eq(&self, other: &Self) -> bool {
        self.units().eq(other.units())
    }
}

impl Eq for Name<'_> {}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        char::decode_utf16(self.units())
            .try_for_each(|it| f.write_char(it.unwrap_or(char::REPLACEMENT_CHARACTER)))
    }
}

impl fmt::Debug for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}
