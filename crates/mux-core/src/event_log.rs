//! What an administrator reads in the system event log: one message for each thing that the driver
//! could not do as the configuration asks, or at all.
//!
//! An entry has a message's code and two strings: the device that it is about, and a detail that its
//! text has a place for. The texts go into the image as its message table.

use core::fmt;

use crate::config::{ConfigError, MAXIMUM_VIRTUAL_MINIPORTS};

/// A message. `%2` in its text is the device, `%3` the detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// `VlanId` is no number.
    VlanIdNotNumber,
    /// `VlanId` is too large.
    VlanIdOutOfRange,
    /// `NetworkAddress` is not in hexadecimal digits.
    AddressNotHexadecimal,
    /// `NetworkAddress` has the wrong length.
    AddressLength,
    /// `NetworkAddress` is nothing that an adapter can have.
    AddressNotStation,
    /// `UpperBindings` has too many names.
    TooManyNames,
    /// `UpperBindings` has a name that is too long.
    NameTooLong,
    /// A virtual miniport could not be had from NDIS.
    NotStarted,
    /// A changed configuration could not be taken over.
    NotTakenOver,
    /// `VlanId` is that of another virtual miniport of the adapter.
    VlanIdTaken,
    /// `UpperBindings` is no list of names.
    NotNames,
}

impl Message {
    /// Every message, in the order of their identifiers.
    pub const ALL: [Self; 11] = [
        Self::VlanIdNotNumber,
        Self::VlanIdOutOfRange,
        Self::AddressNotHexadecimal,
        Self::AddressLength,
        Self::AddressNotStation,
        Self::TooManyNames,
        Self::NameTooLong,
        Self::NotStarted,
        Self::NotTakenOver,
        Self::VlanIdTaken,
        Self::NotNames,
    ];

    /// The event's identifier, as the viewer shows it. It never changes its meaning.
    #[must_use]
    pub const fn id(self) -> u16 {
        match self {
            Self::VlanIdNotNumber => 1,
            Self::VlanIdOutOfRange => 2,
            Self::AddressNotHexadecimal => 3,
            Self::AddressLength => 4,
            Self::AddressNotStation => 5,
            Self::TooManyNames => 6,
            Self::NameTooLong => 7,
            Self::NotStarted => 8,
            Self::NotTakenOver => 9,
            Self::VlanIdTaken => 10,
            Self::NotNames => 11,
        }
    }

    /// The code of the entry and of the message table: a warning or an error, of a driver that is not
    /// Microsoft's, and the identifier.
    #[must_use]
    pub const fn code(self) -> u32 {
        const WARNING: u32 = 0xA000_0000;
        const ERROR: u32 = 0xE000_0000;
        let severity = match self {
            Self::AddressNotHexadecimal
            | Self::AddressLength
            | Self::AddressNotStation
            | Self::TooManyNames
            | Self::NameTooLong
            | Self::NotNames => WARNING,
            Self::VlanIdNotNumber
            | Self::VlanIdOutOfRange
            | Self::NotStarted
            | Self::NotTakenOver
            | Self::VlanIdTaken => ERROR,
        };
        severity | self.id() as u32
    }

    /// The text, as it stands in the message table.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::VlanIdNotNumber => {
                "The VLAN adapter %2 was not started: its VlanId is not a decimal number. Allowed are \
                 1 to 4094, and 0 for no tag."
            }
            Self::VlanIdOutOfRange => {
                "The VLAN adapter %2 was not started: its VlanId is %3. Allowed are 1 to 4094, and 0 \
                 for no tag."
            }
            Self::AddressNotHexadecimal => {
                "The VLAN adapter %2 uses an address that was made for it: its NetworkAddress is not \
                 a MAC address. Allowed are twelve hexadecimal digits, like 02AABBCCDDEE or \
                 02-AA-BB-CC-DD-EE."
            }
            Self::AddressLength => {
                "The VLAN adapter %2 uses an address that was made for it: its NetworkAddress is %3 \
                 bytes long. Allowed are 6."
            }
            Self::AddressNotStation => {
                "The VLAN adapter %2 uses an address that was made for it: its NetworkAddress is %3, \
                 which no adapter can have. Allowed are addresses other than zero whose first octet \
                 is even."
            }
            Self::TooManyNames => {
                "The network adapter %2 has too many VLAN adapters in its UpperBindings. Those after \
                 number %3 were left out."
            }
            Self::NameTooLong => {
                "The network adapter %2 has a VLAN adapter in its UpperBindings, number %3, whose \
                 name is too long. It was left out."
            }
            Self::NotStarted => {
                "The VLAN adapter %2 was not started: NDIS status %3. The other VLAN adapters are not \
                 concerned."
            }
            Self::NotTakenOver => {
                "The VLAN adapters of the network adapter %2 did not all take over their new \
                 configuration: NDIS status %3. Change it again, or restart the network adapter."
            }
            Self::VlanIdTaken => {
                "The VLAN adapter %2 was not started: its VlanId is %3, and another VLAN adapter of the \
                 same network adapter is in that VLAN. Give it another one."
            }
            Self::NotNames => {
                "The network adapter %2 has an UpperBindings that is not a list of names and counts as \
                 empty. Allowed is REG_MULTI_SZ."
            }
        }
    }
}

impl ConfigError {
    /// The message for it.
    #[must_use]
    pub const fn message(&self) -> Message {
        match self {
            Self::VlanIdNotNumber => Message::VlanIdNotNumber,
            Self::VlanIdOutOfRange { .. } => Message::VlanIdOutOfRange,
            Self::VlanIdTaken { .. } => Message::VlanIdTaken,
            Self::AddressNotHexadecimal => Message::AddressNotHexadecimal,
            Self::AddressLength { .. } => Message::AddressLength,
            Self::AddressNotStation { .. } => Message::AddressNotStation,
            Self::NotNames => Message::NotNames,
            Self::TooManyNames => Message::TooManyNames,
            Self::NameTooLong { .. } => Message::NameTooLong,
        }
    }

    /// What its message has a place for; empty if it has none. At most 24 characters: an entry has
    /// little room.
    #[must_use]
    pub const fn detail(&self) -> Detail<'_> {
        Detail(self)
    }
}

/// The detail of a configuration error, in few characters.
#[derive(Clone, Copy, Debug)]
pub struct Detail<'a>(&'a ConfigError);

impl fmt::Display for Detail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ConfigError::VlanIdNotNumber
            | ConfigError::AddressNotHexadecimal
            | ConfigError::NotNames => Ok(()),
            ConfigError::VlanIdTaken { vlan } => write!(f, "{vlan}"),
            ConfigError::VlanIdOutOfRange { number } => write!(f, "{number}"),
            ConfigError::AddressLength { length } => write!(f, "{length}"),
            ConfigError::AddressNotStation { address } => write!(f, "{address}"),
            ConfigError::TooManyNames => write!(f, "{MAXIMUM_VIRTUAL_MINIPORTS}"),
            ConfigError::NameTooLong { position, .. } => write!(f, "{position}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString as _;

    use super::*;
    use crate::{MacAddress, VlanId};

    #[test]
    fn identifiers_count_from_one_and_codes_are_the_drivers_own() {
        for (index, message) in Message::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(message.id()), index + 1);
            let code = message.code();
            assert_eq!(code & 0xFFFF, u32::from(message.id()));
            assert_ne!(code & 0x2000_0000, 0, "the customer bit of {message:?}");
            assert!(
                message.text().contains("%2"),
                "{message:?} names its device"
            );
        }
    }

    #[test]
    fn a_message_has_a_place_for_a_detail_exactly_if_there_is_one() {
        let errors = [
            ConfigError::VlanIdNotNumber,
            ConfigError::VlanIdOutOfRange { number: u32::MAX },
            ConfigError::VlanIdTaken {
                vlan: VlanId::MAXIMUM,
            },
            ConfigError::AddressNotHexadecimal,
            ConfigError::NotNames,
            ConfigError::AddressLength { length: usize::MAX },
            ConfigError::AddressNotStation {
                address: MacAddress([0xFF; 6]),
            },
            ConfigError::TooManyNames,
            ConfigError::NameTooLong {
                position: 4094,
                length: 261,
            },
        ];
        for error in errors {
            let detail = error.detail().to_string();
            assert_eq!(
                error.message().text().contains("%3"),
                !detail.is_empty(),
                "{error:?}"
            );
            assert!(detail.len() <= 24, "{detail}");
        }
    }
}
