//! Who receives on a binding: an immutable list that the receive path looks things up in.

use alloc::vec::Vec;
use core::sync::atomic::Ordering;

use mux_core::{
    filter::{Abilities, Needed, Station},
    tagging::Received,
};
use ndis::{Result, Shared, Status, mem::try_to_vec};

use crate::virtual_miniport::VirtualMiniport;

/// What one virtual miniport wants to receive.
pub(crate) struct Entry {
    pub(crate) station: Station,
    pub(crate) miniport: Shared<VirtualMiniport>,
}

/// The virtual miniports of a binding.
///
/// # Invariants
/// In the order of their VLANs, and each VLAN once: it is free again only when its virtual miniport has
/// halted, and who has halted is left out of each new list.
#[derive(Default)]
pub(crate) struct Stations {
    entries: Vec<Shared<Entry>>,
}

impl Entry {
    /// Whether its virtual miniport still receives. One that has halted may stand in a list for a while
    /// if there was no memory for a list without it.
    fn counts(&self) -> bool {
        !self.miniport.halted.load(Ordering::Acquire)
    }
}

impl Stations {
    /// The list with `entry` in it, instead of what its virtual miniport wanted before.
    ///
    /// # Errors
    /// [`Status::RESOURCES`].
    pub(crate) fn with(&self, entry: Entry) -> Result<Self> {
        let vlan = entry.station.vlan;
        let mut new = self.without(&entry.miniport)?;
        new.entries.try_reserve(1).map_err(|_| Status::RESOURCES)?;
        let place = new
            .entries
            .partition_point(|other| other.station.vlan <= vlan);
        new.entries.insert(place, Shared::try_new(entry)?);
        Ok(new)
    }

    /// The list without a virtual miniport.
    ///
    /// # Errors
    /// [`Status::RESOURCES`].
    pub(crate) fn without(&self, miniport: &Shared<VirtualMiniport>) -> Result<Self> {
        let mut entries = try_to_vec(&self.entries)?;
        entries.retain(|entry| entry.counts() && !entry.miniport.same(miniport));
        Ok(Self { entries })
    }

    /// Who wants a frame: at most one, because each has a VLAN of its own. O(log n).
    pub(crate) fn wanting(&self, frame: &Received) -> Option<&Shared<Entry>> {
        let of_vlan = |entry: &Shared<Entry>| entry.station.vlan;
        let place = self.entries.binary_search_by_key(&frame.vlan, of_vlan);
        let entry = self.entries.get(place.ok()?)?;
        entry.station.wants(frame).then_some(entry)
    }

    /// What an adapter below that can do that much must let in for all of them.
    pub(crate) fn needed(&self, adapter: &Abilities) -> Needed {
        let entries = self.entries.iter().filter(|entry| entry.counts());
        Needed::by(entries.map(|entry| &entry.station), adapter)
    }
}
