//! What the registry says about a binding and its virtual miniports.
//!
//! | value | key | type | meaning |
//! |---|---|---|---|
//! | `UpperBindings` | the binding's | REG_MULTI_SZ | device names of the virtual miniports; [`upper_bindings`] says how a long list goes on |
//! | the device name | the binding's | REG_SZ | what was asked for and the virtual miniport's key has not yet: [`asked`] |
//! | `VlanId` | the virtual miniport's | REG_SZ or REG_DWORD | 1 to 4094; 0 or absent: no tag |
//! | `*WakeOnPattern`, `*WakeOnMagicPacket` | the virtual miniport's | REG_SZ or REG_DWORD | 1: it may wake the computer so; anything else or absent: it may not |
//! | `NetworkAddress` | the virtual miniport's | REG_SZ | the MAC address; absent: one is made up |
//!
//! Everything here may be written by hand, so everything is checked, and each error says which value,
//! what is wrong with it, and what is allowed. Reading the registry is the driver's; an absent value
//! is its to interpret by the table above.

pub mod asked;
pub mod upper_bindings;

use core::fmt;

use crate::wire::mac::MacAddress;
use crate::wire::vlan::VlanId;

/// The name of the value with a binding's virtual miniports.
pub const UPPER_BINDINGS: &str = "UpperBindings";
/// The name of the value with a virtual miniport's VLAN.
pub const VLAN_ID: &str = "VlanId";
/// The name of the value with a virtual miniport's MAC address.
pub const NETWORK_ADDRESS: &str = "NetworkAddress";

/// The name of the value that allows a virtual miniport to wake the computer for patterns.
pub const WAKE_ON_PATTERN: &str = "*WakeOnPattern";
/// The name of the value that allows a virtual miniport to wake the computer for magic packets.
pub const WAKE_ON_MAGIC_PACKET: &str = "*WakeOnMagicPacket";

/// The most virtual miniports that one binding carries: one for each VLAN.
pub const MAXIMUM_VIRTUAL_MINIPORTS: usize = 4094;
/// The longest device name that is taken, in UTF-16 units.
pub const MAXIMUM_NAME_LENGTH: usize = 260;

/// A registry value as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// REG_DWORD.
    Dword(u32),
    /// REG_SZ, in UTF-16 units, with or without terminators.
    Text(&'a [u16]),
}

/// Reads `VlanId`: a number, or decimal digits with spaces around them if need be.
///
/// # Errors
/// [`ConfigError`] if it is no number or above 4094.
pub fn parse_vlan_id(value: Value<'_>) -> Result<VlanId, ConfigError> {
    let number = match value {
        Value::Dword(number) => number,
        Value::Text(text) => decimal(text).ok_or(ConfigError::VlanIdNotNumber)?,
    };
    VlanId::new(number).map_err(|error| ConfigError::VlanIdOutOfRange {
        number: error.value,
    })
}

/// Reads a standardized keyword that enables something: it does if it is 1. What it is not known to be is
/// not enabled.
pub fn enables(value: Value<'_>) -> bool {
    match value {
        Value::Dword(number) => number == 1,
        Value::Text(text) => decimal(text) == Some(1),
    }
}

/// Reads `NetworkAddress` as text: twelve hexadecimal digits, in pairs with `-` or `:` between them if
/// need be, with spaces around them if need be.
///
/// # Errors
/// [`ConfigError`] if it is no MAC address, or one that an adapter cannot have.
pub fn parse_network_address(text: &[u16]) -> Result<MacAddress, ConfigError> {
    let characters = || {
        trimmed(text)
            .iter()
            .map(|unit| char::from_u32(u32::from(*unit)).unwrap_or(char::REPLACEMENT_CHARACTER))
    };
    let address = MacAddress::from_characters(characters())
        .map_err(|_| why_no_address(characters().filter(|it| !matches!(it, '-' | ':'))))?;
    station(address)
}

/// What is wrong with an address of these characters, separators apart.
fn why_no_address(characters: impl Iterator<Item = char>) -> ConfigError {
    let digits = characters
        .into_iter()
        .try_fold(0_usize, |count, character| {
            character.to_digit(16).map(|_| count.saturating_add(1))
        });
    match digits {
        Some(digits) if digits != 12 && digits % 2 == 0 => {
            ConfigError::AddressLength { length: digits / 2 }
        }
        _ => ConfigError::AddressNotHexadecimal,
    }
}

/// Whether a text says nothing: there is none in it but spaces.
pub fn is_blank(text: &[u16]) -> bool {
    trimmed(text).is_empty()
}

/// Whether two device names are the same: Windows compares object names without regard to case. Names
/// of devices are ASCII; other characters are compared as they are.
pub fn same_name(one: &[u16], other: &[u16]) -> bool {
    let folded =
        |unit: u16| u8::try_from(unit).map_or(unit, |byte| u16::from(byte.to_ascii_lowercase()));
    let units = |name| <[u16]>::iter(name).copied().map(folded);
    units(one).eq(units(other))
}

/// Whether [`upper_bindings::names`] gives every name of these values of `UpperBindings`, and how many
/// that are.
///
/// # Errors
/// [`ConfigError`] for the first thing that it leaves out; the names that it gives are good
/// nevertheless.
pub fn check_upper_bindings<P: AsRef<[u16]>>(parts: &[P]) -> Result<usize, ConfigError> {
    let mut count: usize = 0;
    for name in parts.iter().flat_map(|part| strings(part.as_ref())) {
        count = count.saturating_add(1);
        if name.len() > MAXIMUM_NAME_LENGTH {
            return Err(ConfigError::NameTooLong {
                position: count,
                length: name.len(),
            });
        }
        if count > MAXIMUM_VIRTUAL_MINIPORTS {
            return Err(ConfigError::TooManyNames);
        }
    }
    Ok(count)
}

/// A registry value that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// `VlanId` is text, but not decimal digits that fit 32 bits.
    VlanIdNotNumber,
    /// `VlanId` is above 4094.
    VlanIdOutOfRange {
        /// What it is.
        number: u32,
    },
    /// `VlanId` is that of another virtual miniport on the same adapter.
    VlanIdTaken {
        /// Which.
        vlan: VlanId,
    },
    /// `NetworkAddress` is not twelve hexadecimal digits.
    AddressNotHexadecimal,
    /// `NetworkAddress` is not six bytes.
    AddressLength {
        /// How many it is.
        length: usize,
    },
    /// `NetworkAddress` is a group address or zero.
    AddressNotStation {
        /// What it is.
        address: MacAddress,
    },
    /// `UpperBindings` is no REG_MULTI_SZ.
    NotNames,
    /// `UpperBindings` has more than [`MAXIMUM_VIRTUAL_MINIPORTS`] names.
    TooManyNames,
    /// `UpperBindings` has a name longer than [`MAXIMUM_NAME_LENGTH`].
    NameTooLong {
        /// Which, counted from 1.
        position: usize,
        /// Its length in UTF-16 units.
        length: usize,
    },
}

impl ConfigError {
    /// The name of the registry value that is wrong.
    pub const fn value_name(&self) -> &'static str {
        match self {
            Self::VlanIdNotNumber | Self::VlanIdOutOfRange { .. } | Self::VlanIdTaken { .. } => {
                VLAN_ID
            }
            Self::AddressNotHexadecimal
            | Self::AddressLength { .. }
            | Self::AddressNotStation { .. } => NETWORK_ADDRESS,
            Self::NotNames | Self::TooManyNames | Self::NameTooLong { .. } => UPPER_BINDINGS,
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const VLANS: &str = "allowed are 1 to 4094, and 0 for no tag";
        write!(f, "{} ", self.value_name())?;
        match self {
            Self::VlanIdNotNumber => write!(f, "is not a decimal number: {VLANS}"),
            Self::VlanIdOutOfRange { number } => write!(f, "is {number}: {VLANS}"),
            Self::VlanIdTaken { vlan } => write!(
                f,
                "is {vlan}, which another virtual miniport of the same adapter has: allowed is each once"
            ),
            Self::AddressNotHexadecimal => f.write_str(
                "is not a MAC address: allowed are twelve hexadecimal digits, like 02AABBCCDDEE or \
                 02-AA-BB-CC-DD-EE",
            ),
            Self::AddressLength { length } => {
                write!(f, "is {length} bytes long: allowed are 6")
            }
            Self::AddressNotStation { address } => write!(
                f,
                "is {address}, which no adapter can have: allowed are addresses other than zero \
                 whose first octet is even"
            ),
            Self::NotNames => f.write_str("is not a list of names: allowed is REG_MULTI_SZ"),
            Self::TooManyNames => write!(
                f,
                "has too many names: allowed are {MAXIMUM_VIRTUAL_MINIPORTS}"
            ),
            Self::NameTooLong { position, length } => write!(
                f,
                "has a name of {length} characters in place {position}: allowed are \
                 {MAXIMUM_NAME_LENGTH}"
            ),
        }
    }
}

impl core::error::Error for ConfigError {}

/// What is written to `VlanId`: decimal digits, and where the first one is.
pub fn vlan_id_text(vlan: VlanId) -> ([u16; 4], usize) {
    let number = vlan.get();
    let digits = [
        number / 1000,
        number / 100 % 10,
        number / 10 % 10,
        number % 10,
    ];
    let first = digits.iter().position(|&digit| digit != 0).unwrap_or(3);
    (
        digits.map(|digit| digit.saturating_add(u16::from(b'0'))),
        first,
    )
}

/// What is written to `NetworkAddress`: twelve hexadecimal digits.
pub fn network_address_text(address: MacAddress) -> [u16; 12] {
    let mut digits = [0; 12];
    let nibbles = address
        .octets()
        .into_iter()
        .flat_map(|octet| [octet >> 4, octet & 15]);
    for (place, nibble) in digits.iter_mut().zip(nibbles) {
        let digit =
            char::from_digit(u32::from(nibble), 16).map_or('0', |it| it.to_ascii_uppercase());
        *place = u32::from(digit) as u16;
    }
    digits
}

fn station(address: MacAddress) -> Result<MacAddress, ConfigError> {
    if address.usable_as_station() {
        Ok(address)
    } else {
        Err(ConfigError::AddressNotStation { address })
    }
}

fn strings(value: &[u16]) -> impl Iterator<Item = &[u16]> {
    value
        .split(|unit| *unit == 0)
        .filter(|name| !name.is_empty())
}

/// `None` for anything but digits, and for a number beyond 32 bits.
fn decimal(text: &[u16]) -> Option<u32> {
    let digits = trimmed(text);
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u32, |number, unit| {
        let digit = char::from_u32(u32::from(*unit))?.to_digit(10)?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

/// Without the terminators at the end, and then without spaces and tabs around.
fn trimmed(mut text: &[u16]) -> &[u16] {
    const BLANK: [u16; 2] = [b' ' as u16, b'\t' as u16];
    while let [rest @ .., 0] = text {
        text = rest;
    }
    while let [rest @ .., last] = text
        && BLANK.contains(last)
    {
        text = rest;
    }
    while let [first, rest @ ..] = text
        && BLANK.contains(first)
    {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests;
