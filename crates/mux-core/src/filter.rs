//! Which received frames a virtual miniport wants, and what the adapter below must therefore let in.
//!
//! A virtual miniport wants frames of its own VLAN only; promiscuous means every frame of that VLAN,
//! never of another. What the adapter below lets in ([`Needed`]) is as narrow as it can filter and as wide
//! as the wishes above need; the fine filtering is [`Station::wants`].

mod below;

pub use below::{Abilities, Needed, Unicast, Wanted};

use core::fmt;

use alloc::vec::Vec;

use crate::tagging::Received;
use crate::wire::mac::MacAddress;
use crate::wire::vlan::VlanId;

/// A packet filter: the `NDIS_PACKET_TYPE_*` bits that an Ethernet adapter can have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PacketFilter(u32);

impl PacketFilter {
    /// Nothing is let in.
    pub const EMPTY: PacketFilter = PacketFilter(0);
    /// `NDIS_PACKET_TYPE_DIRECTED`: frames to the own address.
    pub const DIRECTED: PacketFilter = PacketFilter(0x01);
    /// `NDIS_PACKET_TYPE_MULTICAST`: frames to the groups of the multicast list.
    pub const MULTICAST: PacketFilter = PacketFilter(0x02);
    /// `NDIS_PACKET_TYPE_ALL_MULTICAST`: frames to any group.
    pub const ALL_MULTICAST: PacketFilter = PacketFilter(0x04);
    /// `NDIS_PACKET_TYPE_BROADCAST`: frames to everybody.
    pub const BROADCAST: PacketFilter = PacketFilter(0x08);
    /// `NDIS_PACKET_TYPE_PROMISCUOUS`: all frames.
    pub const PROMISCUOUS: PacketFilter = PacketFilter(0x20);
    /// All of these.
    pub const SUPPORTED: PacketFilter = Self::DIRECTED
        .union(Self::MULTICAST)
        .union(Self::ALL_MULTICAST)
        .union(Self::BROADCAST)
        .union(Self::PROMISCUOUS);

    /// The filter that `OID_GEN_CURRENT_PACKET_FILTER` carries.
    ///
    /// # Errors
    /// [`UnsupportedFilter`] if a bit is set that is not in [`PacketFilter::SUPPORTED`]; the request is
    /// then completed with `NDIS_STATUS_NOT_SUPPORTED`.
    pub const fn from_bits(bits: u32) -> Result<PacketFilter, UnsupportedFilter> {
        let unsupported = bits & !Self::SUPPORTED.0;
        if unsupported != 0 {
            return Err(UnsupportedFilter { bits: unsupported });
        }
        Ok(PacketFilter(bits))
    }

    /// The `NDIS_PACKET_TYPE_*` bits.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// What an adapter says that it has, as far as an Ethernet adapter can have it.
    #[must_use]
    pub const fn known(bits: u32) -> PacketFilter {
        PacketFilter(bits & Self::SUPPORTED.0)
    }

    /// Whether nothing is let in.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether all of `other` is in this filter.
    pub const fn contains(self, other: PacketFilter) -> bool {
        self.0 & other.0 == other.0
    }

    /// What is in it of the kinds that are let in whatever a list or an address says.
    #[must_use]
    pub const fn without_lists(self) -> PacketFilter {
        let listed = Self::DIRECTED.union(Self::MULTICAST);
        PacketFilter(self.0 & !listed.0)
    }

    /// What an adapter must let in that has no other kinds than `supported`: where it lacks one, the next
    /// wider kind. The widest stays, for the adapter to refuse.
    #[must_use]
    pub const fn widened(self, supported: PacketFilter) -> PacketFilter {
        let filter = self
            .widened_at(Self::MULTICAST, Self::ALL_MULTICAST, supported)
            .widened_at(Self::ALL_MULTICAST, Self::PROMISCUOUS, supported)
            .widened_at(Self::BROADCAST, Self::PROMISCUOUS, supported);
        filter.widened_at(Self::DIRECTED, Self::PROMISCUOUS, supported)
    }

    const fn widened_at(self, kind: Self, wider: Self, supported: Self) -> PacketFilter {
        if self.contains(kind) && !supported.contains(kind) {
            PacketFilter(self.0 & !kind.0 | wider.0)
        } else {
            self
        }
    }

    /// The kinds that a virtual miniport of an adapter with these can have: those that the adapter has, or
    /// a wider one in their place. Frames to an address of its own it always claims.
    #[must_use]
    pub const fn shown(self) -> PacketFilter {
        let mut shown = Self::DIRECTED;
        let mut others: &[PacketFilter] = &[
            Self::MULTICAST,
            Self::ALL_MULTICAST,
            Self::BROADCAST,
            Self::PROMISCUOUS,
        ];
        while let [kind, rest @ ..] = others {
            if self.contains(kind.widened(self)) {
                shown = shown.union(*kind);
            }
            others = rest;
        }
        shown
    }

    /// Both together.
    #[must_use]
    pub const fn union(self, other: PacketFilter) -> PacketFilter {
        PacketFilter(self.0 | other.0)
    }
}

/// A packet filter with bits that no Ethernet adapter has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnsupportedFilter {
    /// Those bits.
    pub bits: u32,
}

impl fmt::Display for UnsupportedFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "packet filter bits {:#x} are not supported: allowed are the bits of {:#x}",
            self.bits,
            PacketFilter::SUPPORTED.bits()
        )
    }
}

impl core::error::Error for UnsupportedFilter {}

/// The groups that a virtual miniport takes frames for.
///
/// # Invariants
/// Sorted, each address once, group addresses only, at most [`MulticastList::MAXIMUM`].
#[derive(Debug, Default, PartialEq, Eq)]
pub struct MulticastList {
    sorted: Vec<MacAddress>,
}

impl MulticastList {
    /// The most addresses a list can have: the adapter attributes' `MaxMulticastListSize`.
    pub const MAXIMUM: usize = 64;
    /// The length of one address in an OID buffer, in bytes.
    pub const ADDRESS_LENGTH: usize = 6;

    /// A list of nothing; allocates nothing.
    pub const fn new() -> Self {
        MulticastList { sorted: Vec::new() }
    }

    /// The list that a set of `OID_802_3_MULTICAST_LIST` carries: addresses one after another, none for
    /// an empty list. It replaces the list before it. Allocates.
    ///
    /// # Errors
    /// See [`MulticastListError`]; the list in use stays as it is.
    pub fn parse(buffer: &[u8]) -> Result<MulticastList, MulticastListError> {
        let addresses = buffer.chunks_exact(Self::ADDRESS_LENGTH);
        if !addresses.remainder().is_empty() {
            return Err(MulticastListError::InvalidLength {
                length: buffer.len(),
            });
        }
        if addresses.len() > Self::MAXIMUM {
            return Err(MulticastListError::TooMany {
                count: addresses.len(),
            });
        }
        let mut sorted = Vec::new();
        sorted
            .try_reserve_exact(addresses.len())
            .map_err(|_| MulticastListError::OutOfMemory)?;
        // Every chunk is six bytes, so `first_chunk` gives each, and `push` stays within the reserve.
        for octets in addresses.filter_map(|chunk| chunk.first_chunk::<6>()) {
            let address = MacAddress(*octets);
            if !address.is_multicast() {
                return Err(MulticastListError::NotMulticast { address });
            }
            sorted.push(address);
        }
        sorted.sort_unstable();
        sorted.dedup();
        Ok(MulticastList { sorted })
    }

    /// A copy. Allocates.
    ///
    /// # Errors
    /// [`MulticastListError::OutOfMemory`].
    pub fn try_clone(&self) -> Result<MulticastList, MulticastListError> {
        let mut sorted = Vec::new();
        sorted
            .try_reserve_exact(self.sorted.len())
            .map_err(|_| MulticastListError::OutOfMemory)?;
        sorted.extend_from_slice(&self.sorted);
        Ok(MulticastList { sorted })
    }

    /// Whether frames to this group are wanted. O(log n).
    pub fn contains(&self, address: MacAddress) -> bool {
        self.sorted.binary_search(&address).is_ok()
    }

    /// The addresses, in ascending order.
    pub fn as_slice(&self) -> &[MacAddress] {
        &self.sorted
    }

    /// How many addresses there are.
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }
}

/// Why an OID buffer is no multicast list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MulticastListError {
    /// Not a whole number of addresses: `NDIS_STATUS_INVALID_LENGTH`.
    InvalidLength {
        /// The buffer's length in bytes.
        length: usize,
    },
    /// More than [`MulticastList::MAXIMUM`]: `NDIS_STATUS_MULTICAST_FULL`.
    TooMany {
        /// How many there were.
        count: usize,
    },
    /// Not a group address: `NDIS_STATUS_INVALID_DATA`.
    NotMulticast {
        /// The address.
        address: MacAddress,
    },
    /// No memory for the list: `NDIS_STATUS_RESOURCES`.
    OutOfMemory,
}

impl fmt::Display for MulticastListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidLength { length } => write!(
                f,
                "multicast list of {length} bytes: the length must be a multiple of {}",
                MulticastList::ADDRESS_LENGTH
            ),
            Self::TooMany { count } => write!(
                f,
                "multicast list of {count} addresses: at most {} are allowed",
                MulticastList::MAXIMUM
            ),
            Self::NotMulticast { address } => write!(
                f,
                "multicast list with {address}: only group addresses are allowed"
            ),
            Self::OutOfMemory => f.write_str("no memory for the multicast list: try again"),
        }
    }
}

impl core::error::Error for MulticastListError {}

/// A virtual miniport as the receive path sees it.
#[derive(Debug, Default)]
pub struct Station {
    /// The VLAN it is confined to.
    pub vlan: VlanId,
    /// Its current address.
    pub address: MacAddress,
    /// What its clients want.
    pub filter: PacketFilter,
    /// The groups its clients are in.
    pub multicast: MulticastList,
}

impl Station {
    /// Whether this virtual miniport indicates the frame.
    ///
    /// The VLAN must be its own, exactly: a station of a VLAN gets no untagged frames, and a station
    /// without one gets no tagged frames.
    pub fn wants(&self, received: &Received) -> bool {
        if received.vlan != self.vlan {
            return false;
        }
        let destination = received.destination;
        let lets_in = |kind| self.filter.contains(kind);
        if lets_in(PacketFilter::PROMISCUOUS) {
            return true;
        }
        if destination.is_broadcast() {
            return lets_in(PacketFilter::BROADCAST);
        }
        if destination.is_multicast() {
            return lets_in(PacketFilter::ALL_MULTICAST)
                || (lets_in(PacketFilter::MULTICAST) && self.multicast.contains(destination));
        }
        lets_in(PacketFilter::DIRECTED) && destination == self.address
    }
}

#[cfg(test)]
mod tests;
