//! The names of a binding's virtual miniports, over as many registry values as they take.
//!
//! NDIS reads and writes a REG_MULTI_SZ by a `UNICODE_STRING`, which has at most 65,534 bytes: some 700
//! device names with a GUID. A longer list goes on in `UpperBindings2`, `UpperBindings3` and so on; the
//! first value that is not there ends it. An empty one does not, because NDIS can write values and not
//! delete them.
//!
//! A change touches one value, so that a write that fails leaves the list as it was.

use alloc::collections::TryReserveError;
use alloc::vec::Vec;
use core::fmt;

use super::{MAXIMUM_NAME_LENGTH, MAXIMUM_VIRTUAL_MINIPORTS, UPPER_BINDINGS, same_name, strings};

/// The most values that a list goes over.
pub const MAXIMUM_PARTS: usize = 99;

/// The longest value, in UTF-16 units with all terminators.
pub const MAXIMUM_PART_LENGTH: usize = 32_767;

/// The name of one of the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartName {
    units: [u16; UPPER_BINDINGS.len() + 2],
    length: usize,
}

/// A value as it is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Which value, counted from 0.
    pub part: usize,
    /// Its new content, with all terminators.
    pub value: Vec<u16>,
}

/// A change that cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeError {
    /// The list has [`MAXIMUM_VIRTUAL_MINIPORTS`] names, or no value has room for another one.
    Full,
    /// The name has a NUL in it, is empty, or has more than [`MAXIMUM_NAME_LENGTH`] units.
    WrongName,
    /// No memory.
    NoMemory,
}

impl PartName {
    /// The name of a value, counted from 0; `None` from [`MAXIMUM_PARTS`] on.
    pub fn new(part: usize) -> Option<PartName> {
        let mut name = PartName {
            units: [0; UPPER_BINDINGS.len() + 2],
            length: 0,
        };
        let number = part.checked_add(1).filter(|&it| it <= MAXIMUM_PARTS)?;
        let digits = [number / 10, number % 10].map(|digit| char::from_digit(digit as u32, 10));
        let number = match (number, digits) {
            (1, _) => [None, None],
            (2..10, [_, one]) => [one, None],
            (_, both) => both,
        };
        let characters = UPPER_BINDINGS.chars().chain(number.into_iter().flatten());
        for (unit, character) in name.units.iter_mut().zip(characters) {
            *unit = u32::from(character) as u16;
            name.length = name.length.saturating_add(1);
        }
        Some(name)
    }

    /// Its UTF-16 units.
    pub fn units(&self) -> &[u16] {
        self.units.get(..self.length).unwrap_or_default()
    }
}

/// The names in all values of a list, in order.
///
/// Tolerant: final terminators may be missing, empty strings are skipped wherever they are. Never more
/// than [`MAXIMUM_VIRTUAL_MINIPORTS`] names, none longer than [`MAXIMUM_NAME_LENGTH`]: what that leaves
/// out, [`check_upper_bindings`](super::check_upper_bindings) reports. A name that stands there twice
/// comes twice.
pub fn names<P: AsRef<[u16]>>(parts: &[P]) -> impl Iterator<Item = &[u16]> {
    parts
        .iter()
        .flat_map(|part| strings(part.as_ref()))
        .filter(|name| name.len() <= MAXIMUM_NAME_LENGTH)
        .take(MAXIMUM_VIRTUAL_MINIPORTS)
}

/// Adds a name at the end of the first value that has room. `None` if the list has it already.
///
/// # Errors
/// [`ChangeError`].
pub fn with_name<P: AsRef<[u16]>>(
    parts: &[P],
    name: &[u16],
) -> Result<Option<Changed>, ChangeError> {
    if name.is_empty() || name.len() > MAXIMUM_NAME_LENGTH || name.contains(&0) {
        return Err(ChangeError::WrongName);
    }
    if names(parts).any(|known| same_name(known, name)) {
        return Ok(None);
    }
    if names(parts).count() >= MAXIMUM_VIRTUAL_MINIPORTS {
        return Err(ChangeError::Full);
    }
    let empty: &[u16] = &[];
    let parts = parts.iter().map(AsRef::as_ref);
    let has_room = |part: &[u16]| {
        value_length(strings(part).chain([name])).is_some_and(|it| it <= MAXIMUM_PART_LENGTH)
    };
    let (part, before) = parts
        .chain([empty])
        .take(MAXIMUM_PARTS)
        .enumerate()
        .find(|(_, part)| has_room(part))
        .ok_or(ChangeError::Full)?;
    let value = value(|| strings(before).chain([name]))?;
    Ok(Some(Changed { part, value }))
}

/// Takes a name out of the first value that has it. `None` if none has: a name that stands in several
/// takes as many changes.
///
/// # Errors
/// [`ChangeError::NoMemory`].
pub fn without_name<P: AsRef<[u16]>>(
    parts: &[P],
    name: &[u16],
) -> Result<Option<Changed>, ChangeError> {
    let has = |part: &P| strings(part.as_ref()).any(|known| same_name(known, name));
    let Some((part, before)) = parts.iter().enumerate().find(|(_, part)| has(part)) else {
        return Ok(None);
    };
    let others = || strings(before.as_ref()).filter(|known| !same_name(known, name));
    let value = value(others)?;
    Ok(Some(Changed { part, value }))
}

/// A REG_MULTI_SZ of these names.
fn value<'a, N: Iterator<Item = &'a [u16]>>(
    names: impl Fn() -> N,
) -> Result<Vec<u16>, ChangeError> {
    let length = value_length(names()).ok_or(ChangeError::Full)?;
    let mut value = Vec::new();
    value.try_reserve_exact(length)?;
    for name in names() {
        value.extend_from_slice(name);
        value.push(0);
    }
    value.push(0);
    Ok(value)
}

/// Its length in units, with all terminators.
fn value_length<'a>(mut names: impl Iterator<Item = &'a [u16]>) -> Option<usize> {
    names.try_fold(1_usize, |length, name| {
        length.checked_add(name.len())?.checked_add(1)
    })
}

impl From<TryReserveError> for ChangeError {
    fn from(_: TryReserveError) -> Self {
        ChangeError::NoMemory
    }
}

impl fmt::Display for ChangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => write!(
                f,
                "{UPPER_BINDINGS} has {MAXIMUM_VIRTUAL_MINIPORTS} names, or no room"
            ),
            Self::WrongName => f.write_str("the name is none that a device can have"),
            Self::NoMemory => f.write_str("there is no memory"),
        }
    }
}

impl core::error::Error for ChangeError {}

#[cfg(test)]
mod tests;
