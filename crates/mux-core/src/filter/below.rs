//! What the adapter below must let in, so that each virtual miniport gets what it wants.
//!
//! Kinds of frames are joined; groups and addresses are collected as far as the adapter below can filter
//! them, and where it cannot, or where there is no memory for a list, everything of the kind is let in.
//! Too much does no harm: [`super::Station::wants`] filters again.

use alloc::vec::Vec;

use super::{PacketFilter, Station};
use crate::wire::mac::MacAddress;
use crate::wire::vlan::VlanId;

/// What the adapter below can filter by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abilities {
    /// Its own address.
    pub address: MacAddress,
    /// The kinds of frames that it can let in.
    pub kinds: PacketFilter,
    /// How many groups its multicast list may have.
    pub groups: usize,
    /// How many addresses besides its own it can filter by: 0 if it has no such filters.
    pub addresses: usize,
}

/// A unicast address that a virtual miniport uses in its VLAN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unicast {
    /// The VLAN; none is for frames without a tag.
    pub vlan: VlanId,
    /// The address.
    pub address: MacAddress,
}

/// A collection that the adapter below is to filter by.
#[derive(Debug, PartialEq, Eq)]
pub enum Wanted<T> {
    /// These, in ascending order.
    These(Vec<T>),
    /// More than it can filter by.
    TooMany,
}

/// What all virtual miniports of a binding want together.
#[derive(Debug, PartialEq, Eq)]
pub struct Needed {
    kinds: PacketFilter,
    /// Of what kinds the adapter below can let frames in.
    supported: PacketFilter,
    groups: Wanted<MacAddress>,
    addresses: Wanted<Unicast>,
}

impl Needed {
    /// Nothing; allocates nothing.
    pub const NOTHING: Needed = Needed {
        kinds: PacketFilter::EMPTY,
        supported: PacketFilter::SUPPORTED,
        groups: Wanted::These(Vec::new()),
        addresses: Wanted::These(Vec::new()),
    };

    /// What these want, of an adapter that can do that much. Allocates; without memory, more is let in.
    pub fn by<'a>(stations: impl Iterator<Item = &'a Station>, adapter: &Abilities) -> Needed {
        let mut needed = Needed {
            supported: adapter.kinds,
            ..Self::NOTHING
        };
        for station in stations {
            needed.add(station, adapter);
        }
        if needed.kinds.contains(PacketFilter::ALL_MULTICAST) {
            needed.groups = Wanted::These(Vec::new());
        }
        needed
    }

    /// The groups to be set as the multicast list.
    pub fn groups(&self) -> &Wanted<MacAddress> {
        &self.groups
    }

    /// The addresses to be filtered by, besides the adapter's own.
    pub fn addresses(&self) -> &Wanted<Unicast> {
        &self.addresses
    }

    /// The packet filter, where the lists could be set (`groups`, `addresses`) or not.
    pub fn filter(&self, groups: bool, addresses: bool) -> PacketFilter {
        let for_groups =
            self.groups
                .filter(groups, PacketFilter::MULTICAST, PacketFilter::ALL_MULTICAST);
        let for_addresses =
            self.addresses
                .filter(addresses, PacketFilter::DIRECTED, PacketFilter::PROMISCUOUS);
        let filter = self.kinds.union(for_groups).union(for_addresses);
        filter.widened(self.supported)
    }

    fn add(&mut self, station: &Station, adapter: &Abilities) {
        let lets_in = |kind| station.filter.contains(kind);
        for as_above in [
            PacketFilter::BROADCAST,
            PacketFilter::ALL_MULTICAST,
            PacketFilter::PROMISCUOUS,
        ] {
            if lets_in(as_above) {
                self.kinds = self.kinds.union(as_above);
            }
        }
        if lets_in(PacketFilter::MULTICAST) {
            for group in station.multicast.as_slice() {
                self.groups.add(*group, adapter.groups);
            }
        }
        if lets_in(PacketFilter::DIRECTED) {
            if station.address == adapter.address {
                self.kinds = self.kinds.union(PacketFilter::DIRECTED);
            } else {
                let unicast = Unicast {
                    vlan: station.vlan,
                    address: station.address,
                };
                self.addresses.add(unicast, adapter.addresses);
            }
        }
    }
}

impl<T: Ord> Wanted<T> {
    fn add(&mut self, item: T, most: usize) {
        let Self::These(these) = self else { return };
        let Err(place) = these.binary_search(&item) else {
            return;
        };
        if these.len() >= most || these.try_reserve(1).is_err() {
            *self = Self::TooMany;
        } else {
            these.insert(place, item);
        }
    }

    /// What the packet filter must have: `listed` where there is a list that is set, `all` where it is
    /// not, nothing where nothing is wanted.
    fn filter(&self, set: bool, listed: PacketFilter, all: PacketFilter) -> PacketFilter {
        match self {
            Self::These(these) if these.is_empty() => PacketFilter::EMPTY,
            Self::These(_) if set => listed,
            _ => all,
        }
    }
}
