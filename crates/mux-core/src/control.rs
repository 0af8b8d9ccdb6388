//! What an administrator's program and the driver's control device say to each other.
//!
//! The device is [`DEVICE_NAME`], which programs open as [`SYMBOLIC_NAME`] (`\\.\ndismux`). One device
//! control request is one question: its code says which ([`Operation`]), its input is a [`Request`], its
//! output an answer. All are METHOD_BUFFERED. Both sides use this module: the driver decodes requests
//! and encodes answers, `muxctl` the other way round.
//!
//! # Requests
//!
//! Every request has the same fixed part, little-endian, and the names after it. What a request does not
//! use is zero.
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 2 | version, [`VERSION`] |
//! | 2 | 2 | flags: bit 0 the VLAN is given, bit 1 the address is given, bit 2 it is the derived one |
//! | 4 | 4 | length of the request in bytes, the names with it |
//! | 8 | 2 | VLAN, 0 to 4094 |
//! | 10 | 2 | length of the NIC's device name in bytes |
//! | 12 | 2 | length of the virtual miniport's device name in bytes |
//! | 14 | 2 | zero |
//! | 16 | 6 | MAC address |
//! | 22 | 2 | zero |
//! | 24 | | the NIC's device name in UTF-16, then the virtual miniport's, without terminators |
//!
//! | operation | code | access | NIC | device | VLAN | address | answer |
//! |---|---|---|---|---|---|---|---|
//! | list | `0x12_6004` | read | – | – | – | – | [`list`] |
//! | add | `0x12_A008` | write | yes | yes | yes | if wanted | [`Acknowledgement`] |
//! | remove | `0x12_A00C` | write | – | yes | – | – | [`Acknowledgement`] |
//! | set | `0x12_A010` | write | – | yes | if wanted | if wanted | [`Acknowledgement`] |
//! | statistics | `0x12_6014` | read | – | yes | – | – | [`StatisticsAnswer`] |
//!
//! *Add* is answered when NDIS was asked to initialize the virtual miniport; the list shows when it is up.
//! *Remove* is answered when it is gone, *set* when the old one is gone and NDIS was asked to initialize it
//! anew. What they change holds after the next start as well: the driver writes the name into
//! `UpperBindings` of the binding, or takes it out, before it answers, and `VlanId` and `NetworkAddress` into
//! the virtual miniport's configuration when it is initialized, where alone they can be written. An address
//! that is not given leaves what is there.
//!
//! # Answers
//!
//! Every answer begins with the version (2 bytes), two bytes of zero, and its length in bytes (4).
//!
//! | status | when |
//! |---|---|
//! | [`status::SUCCESS`] | done; the answer is in the buffer |
//! | [`status::BUFFER_OVERFLOW`] | list: the answer was cut short, and says how long it is |
//! | [`status::BUFFER_TOO_SMALL`] | the buffer holds no answer; nothing was done |
//! | [`status::REVISION_MISMATCH`] | the request has a version that the driver does not speak |
//! | [`status::INVALID_PARAMETER`] | any other [`RequestError`] |
//! | [`status::INVALID_DEVICE_REQUEST`] | the code is none of these |
//! | [`status::NO_SUCH_DEVICE`] | add: the driver is not bound to such a NIC |
//! | [`status::OBJECT_NAME_NOT_FOUND`] | no NIC has such a virtual miniport |
//! | [`status::OBJECT_NAME_COLLISION`] | add: a NIC has this virtual miniport already, or NDIS has one of that device |
//! | [`status::ADDRESS_ALREADY_EXISTS`] | add, set: another virtual miniport of the NIC is in that VLAN |
//! | [`status::INSUFFICIENT_RESOURCES`] | no memory, or [`crate::config::MAXIMUM_VIRTUAL_MINIPORTS`] are there; nothing was done |
//! | any other error | the registry could not be written, or NDIS refused; all is as before, but for a *set* whose virtual miniport NDIS refused twice, the new one and the old: that is down until the next reconfiguration, and has what it had |
//!
//! # In the driver
//!
//! The input and the output of a METHOD_BUFFERED request are the same memory: decode the request and
//! copy from it what is needed ([`Name::copy_to`]) before the answer is encoded. Check that the answer
//! fits ([`Operation::least_answer`]) before anything is done. Nothing here allocates.
//!
//! Sources: "Defining I/O Control Codes", "Buffer Descriptions for I/O Control Codes", the page of
//! `NdisRegisterDeviceEx`.

use core::fmt;

use crate::config::MAXIMUM_NAME_LENGTH;
use crate::wire::mac::MacAddress;
use crate::wire::vlan::VlanIdError;

pub use answer::{Acknowledgement, StatisticsAnswer};
pub use list::{Binding, Entry, Link, List, ListWriter, VirtualMiniport};
pub use name::Name;
pub use request::Request;

mod answer;
mod bytes;
pub mod list;
mod name;
mod request;
pub mod status;

/// The name of the device object.
pub const DEVICE_NAME: &str = r"\Device\ndismux";
/// The symbolic link, which programs open as `\\.\ndismux`.
pub const SYMBOLIC_NAME: &str = r"\DosDevices\ndismux";
/// The version of all requests and answers here.
pub const VERSION: u16 = 1;
/// The bytes that every answer begins with.
pub const HEADER_LENGTH: usize = 8;
/// The longest request in bytes: two names of the greatest length.
pub const MAXIMUM_REQUEST_LENGTH: usize = request::FIXED + 4 * MAXIMUM_NAME_LENGTH;

/// What a device control request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Every binding with its virtual miniports.
    List,
    /// A new virtual miniport on a NIC.
    Add,
    /// A virtual miniport goes.
    Remove,
    /// A virtual miniport gets another VLAN or address.
    Set,
    /// What a virtual miniport has counted.
    Statistics,
}

impl Operation {
    /// All of them.
    pub const ALL: [Operation; 5] = [
        Operation::List,
        Operation::Add,
        Operation::Remove,
        Operation::Set,
        Operation::Statistics,
    ];

    /// The device control code.
    pub const fn code(self) -> u32 {
        match self {
            Operation::List => code(0x801, FILE_READ_ACCESS),
            Operation::Add => code(0x802, FILE_WRITE_ACCESS),
            Operation::Remove => code(0x803, FILE_WRITE_ACCESS),
            Operation::Set => code(0x804, FILE_WRITE_ACCESS),
            Operation::Statistics => code(0x805, FILE_READ_ACCESS),
        }
    }

    /// The operation with this code. `None`: answer [`status::INVALID_DEVICE_REQUEST`].
    pub fn of_code(code: u32) -> Option<Operation> {
        Operation::ALL.into_iter().find(|it| it.code() == code)
    }

    /// How many bytes of output the request needs at least. With less, answer
    /// [`status::BUFFER_TOO_SMALL`] and do nothing.
    pub const fn least_answer(self) -> usize {
        match self {
            Operation::List => list::FIXED,
            Operation::Statistics => StatisticsAnswer::LENGTH,
            Operation::Add | Operation::Remove | Operation::Set => Acknowledgement::LENGTH,
        }
    }
}

/// What `CTL_CODE` makes of a function of FILE_DEVICE_NETWORK, METHOD_BUFFERED.
const fn code(function: u32, access: u32) -> u32 {
    const FILE_DEVICE_NETWORK: u32 = 0x12;
    (FILE_DEVICE_NETWORK << 16) | (access << 14) | (function << 2)
}

const FILE_READ_ACCESS: u32 = 1;
const FILE_WRITE_ACCESS: u32 = 2;

/// A request that cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestError {
    /// It has a version other than [`VERSION`].
    UnknownVersion {
        /// The version that it has.
        version: u16,
    },
    /// It is shorter than the fixed part.
    TooShort {
        /// How many bytes it has.
        length: usize,
    },
    /// The input, the length in it and those of its names disagree.
    WrongLength {
        /// How many bytes the input has.
        length: usize,
    },
    /// A field or flag that the operation does not use is not zero, or one that it needs is missing.
    WrongFields,
    /// A set that changes nothing.
    NothingToSet,
    /// The VLAN is above 4094.
    VlanId(VlanIdError),
    /// The address is none that an adapter may have.
    Address(MacAddress),
    /// A name is missing, longer than [`MAXIMUM_NAME_LENGTH`] units, of an odd number of bytes, or has
    /// a NUL in it.
    WrongName,
}

impl RequestError {
    /// The NTSTATUS that answers such a request.
    pub const fn status(&self) -> u32 {
        match self {
            Self::UnknownVersion { .. } => status::REVISION_MISMATCH,
            _ => status::INVALID_PARAMETER,
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownVersion { version } => {
                write!(f, "the request has version {version}; known is {VERSION}")
            }
            Self::TooShort { length } => write!(f, "the request has only {length} bytes"),
            Self::WrongLength { length } => write!(
                f,
                "the request has {length} bytes, and the lengths in it say otherwise"
            ),
            Self::WrongFields => f.write_str(
                "the request has a field that the operation does not use, or lacks one that it needs",
            ),
            Self::NothingToSet => f.write_str("the request sets neither the VLAN nor the address"),
            Self::VlanId(error) => error.fmt(f),
            Self::Address(address) => write!(f, "{address} is none that an adapter can have"),
            Self::WrongName => write!(
                f,
                "a name is empty, has a NUL in it, or more than {MAXIMUM_NAME_LENGTH} characters"
            ),
        }
    }
}

impl core::error::Error for RequestError {}

/// An answer that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerError {
    /// It has a version other than [`VERSION`]: driver and program are not of one age.
    UnknownVersion {
        /// The version that it has.
        version: u16,
    },
    /// It is shorter or longer than it says, or than its kind is.
    WrongLength {
        /// How many bytes it has.
        length: usize,
    },
    /// An entry of a list has a kind or a state that this version does not know.
    UnknownEntry,
    /// An entry of a list has a VLAN that none has.
    VlanId(VlanIdError),
    /// An entry of a list has a name that no device has.
    WrongName,
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownVersion { version } => {
                write!(f, "the answer has version {version}; known is {VERSION}")
            }
            Self::WrongLength { length } => write!(
                f,
                "the answer has {length} bytes, which is not what its kind has or it says"
            ),
            Self::UnknownEntry => {
                f.write_str("the list has an entry of a kind or state that is not known")
            }
            Self::VlanId(error) => error.fmt(f),
            Self::WrongName => f.write_str("the list has a name that no device has"),
        }
    }
}

impl core::error::Error for AnswerError {}

/// The answer does not fit into the buffer: answer [`status::BUFFER_TOO_SMALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferTooSmall {
    /// How many bytes it needs.
    pub needed: usize,
}

impl fmt::Display for BufferTooSmall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the answer needs {} bytes", self.needed)
    }
}

impl core::error::Error for BufferTooSmall {}

#[cfg(test)]
mod tests;
