//! Who answers an OID request that comes to a virtual miniport.
//!
//! One table, [`TABLE`], says it for each OID by the kind of request, with the length that its buffer
//! must have and the test that shows it. What has no row is refused with `NDIS_STATUS_NOT_SUPPORTED`.
//! Most of what clients ask for never arrives: NDIS 6 answers it from the miniport attributes and the
//! link state (supported list, media, MTU, link speed, connect status, MAC options, the current filter
//! and multicast list), so those rows are for whoever asks on other ways. `docs/control-plane.md` shows
//! the table.
//!
//! No method request is answered or forwarded. Each documented one belongs to something that a virtual
//! miniport does not show: queues and filters of virtual machines, NIC switches, virtual functions, data
//! center bridging, wireless. Nor is a private OID of the adapter below, of any kind: what its buffer means
//! is the maker's secret. It may name addresses, groups or queues that others share, or a tag that the VLAN
//! is not to see; and whoever knows the OID can ask that adapter itself.
//!
//! Nor is a direct request answered ([`direct`]).
//!
//! Not here: the answers.
//!
//! Sources: "Mandatory OIDs for Miniport Drivers", "NDIS General Statistics OIDs", "Handling
//! OID_PNP_Xxx Queries and Sets", "Direct OID Request Interface in NDIS 6.1", the rule NdisOidComplete, and
//! the page of each OID.

mod table;

pub use table::*;

use core::fmt;

/// What a virtual miniport does about one kind of request for one OID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Policy {
    /// It answers from what it knows; a set is taken and changes nothing below.
    Answer(Length),
    /// The adapter below answers, by a clone of the request.
    Forward(Length),
    /// It keeps the value as its wish. What all virtual miniports wish is then joined and set below
    /// ([`crate::filter`], [`crate::reconcile`]), or the newest of it ([`crate::rss`]), and the request
    /// completes when that is settled.
    Combine(Length),
    /// Nobody answers. The status is the documented one.
    Refuse(Refusal),
}

/// How long the buffer of a request must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Length {
    /// It does not matter.
    Any,
    /// An answer has this many bytes, a set needs at least as many.
    Bytes(u32),
    /// An answer of eight bytes, or of four where there is no room for eight.
    Counter,
    /// Any number of elements of this many bytes.
    Elements(u32),
}

/// Why a request is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// `NDIS_STATUS_NOT_SUPPORTED`.
    NotSupported,
    /// `NDIS_STATUS_INVALID_DATA`.
    InvalidData,
    /// `NDIS_STATUS_NOT_ACCEPTED`: of what gives something back, the only failure that Driver Verifier
    /// allows (NdisOidComplete).
    NotAccepted,
}

/// The kind of an OID request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `NdisRequestQueryInformation` and `NdisRequestQueryStatistics`.
    Query,
    /// `NdisRequestSetInformation`.
    Set,
    /// `NdisRequestMethod`.
    Method,
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The OID.
    pub oid: u32,
    /// Its name.
    pub name: &'static str,
    /// What becomes of queries.
    pub query: Policy,
    /// What becomes of sets.
    pub set: Policy,
    /// What becomes of method requests.
    pub method: Policy,
    /// What it means here, in a sentence.
    pub meaning: &'static str,
    /// The end-to-end test that shows it, as a path below `tests`.
    pub test: &'static str,
}

/// What becomes of this request.
pub fn policy(oid: u32, kind: Kind) -> Policy {
    let row = TABLE.iter().find(|row| row.oid == oid);
    row.map_or(NOT_SUPPORTED, |row| row.policy(kind))
}

/// What a direct request ends with.
///
/// None is answered. NDIS lets only some OIDs take that way: those of IPsec offload and of network direct,
/// which a virtual miniport does not show, and none of those that it answers.
pub fn direct(oid: u32, kind: Kind) -> Refusal {
    match (policy(oid, kind), oid, kind) {
        (Policy::Refuse(refusal), ..) => refusal,
        // Of this one, too, Driver Verifier allows no other failure.
        (_, OID_PNP_SET_POWER, Kind::Set) => Refusal::NotAccepted,
        _ => Refusal::NotSupported,
    }
}

impl Row {
    /// What becomes of requests of this kind.
    pub const fn policy(&self, kind: Kind) -> Policy {
        match kind {
            Kind::Query => self.query,
            Kind::Set => self.set,
            Kind::Method => self.method,
        }
    }
}

impl Length {
    /// Whether the data of a set may have this length, in bytes. If not, the error is the length that
    /// would do: `BytesNeeded`, beside `NDIS_STATUS_INVALID_LENGTH`.
    ///
    /// # Errors
    /// The length that the data must have.
    pub const fn check(self, length: usize) -> Result<(), u32> {
        match self {
            Length::Any => Ok(()),
            Length::Bytes(bytes) if length >= bytes as usize => Ok(()),
            Length::Bytes(bytes) => Err(bytes),
            Length::Counter if length >= 4 => Ok(()),
            Length::Counter => Err(8),
            Length::Elements(size) => match length.checked_rem(size as usize) {
                // A length is within 32 bits, as NDIS counts them.
                Some(rest) if rest != 0 => Err(length.saturating_sub(rest) as u32),
                _ => Ok(()),
            },
        }
    }
}

impl fmt::Display for Row {
    /// The row as `docs/control-plane.md` shows it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Row {
            name,
            query,
            set,
            method,
            meaning,
            test,
            ..
        } = self;
        write!(
            f,
            "| `{name}` | {query} | {set} | {method} | {meaning} | `{test}` |"
        )
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Policy::Answer(length) => write!(f, "answered{length}"),
            Policy::Forward(length) => write!(f, "forwarded{length}"),
            Policy::Combine(length) => write!(f, "combined{length}"),
            Policy::Refuse(refusal) => write!(f, "{refusal}"),
        }
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Length::Any => Ok(()),
            Length::Bytes(bytes) => write!(f, ", {bytes} bytes"),
            Length::Counter => f.write_str(", 8 or 4 bytes"),
            Length::Elements(size) => write!(f, ", n × {size} bytes"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::NotSupported => "`NOT_SUPPORTED`",
            Refusal::InvalidData => "`INVALID_DATA`",
            Refusal::NotAccepted => "`NOT_ACCEPTED`",
        })
    }
}

const NOT_SUPPORTED: Policy = Policy::Refuse(Refusal::NotSupported);

#[cfg(test)]
mod tests;
