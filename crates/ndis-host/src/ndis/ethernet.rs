//! Which frames a packet filter lets through: NDIS's filter library for Ethernet.
//!
//! NDIS keeps a filter and a multicast list for each binding, gives the adapter the union, and hands
//! a received frame to those bindings only whose own filter wants it.
//! Not in here: who sets the filter (`oid_filter`), and the NIC's own filtering.

use ndis_sys::{
    NDIS_PACKET_TYPE_ALL_MULTICAST, NDIS_PACKET_TYPE_BROADCAST, NDIS_PACKET_TYPE_DIRECTED,
    NDIS_PACKET_TYPE_MULTICAST, NDIS_PACKET_TYPE_PROMISCUOUS,
};

/// An Ethernet address.
pub type Mac = [u8; 6];

/// What a binding, or an adapter as a whole, wants to receive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EthernetFilter {
    /// `NDIS_PACKET_TYPE_*` bits.
    pub packet_types: u32,
    /// Multicast addresses, sorted, without duplicates.
    pub multicast: Vec<Mac>,
    /// Receive filters of the default queue.
    pub receive: Vec<ReceiveFilter>,
}

/// A receive filter: directed frames to an address in a VLAN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiveFilter {
    /// The number that NDIS gave it.
    pub id: u32,
    /// The address.
    pub mac: Mac,
    /// The VLAN; 0 is for frames without a tag, or with VLAN id 0.
    pub vlan: u16,
}

impl EthernetFilter {
    /// Whether a frame to `destination` in that VLAN (0 for none) passes, on an adapter whose own address
    /// is `own`.
    pub fn passes(&self, destination: Mac, vlan: u16, own: Mac) -> bool {
        let wants = |bit: u32| self.packet_types & bit != 0;
        if wants(NDIS_PACKET_TYPE_PROMISCUOUS) {
            return true;
        }
        if destination == BROADCAST {
            wants(NDIS_PACKET_TYPE_BROADCAST)
        } else if destination[0] & 1 != 0 {
            wants(NDIS_PACKET_TYPE_ALL_MULTICAST)
                || wants(NDIS_PACKET_TYPE_MULTICAST)
                    && self.multicast.binary_search(&destination).is_ok()
        } else {
            let listed = |filter: &ReceiveFilter| filter.mac == destination && filter.vlan == vlan;
            wants(NDIS_PACKET_TYPE_DIRECTED)
                && (destination == own || self.receive.iter().any(listed))
        }
    }

    /// Replaces the multicast list by `addresses`.
    pub fn set_multicast(&mut self, mut addresses: Vec<Mac>) {
        addresses.sort_unstable();
        addresses.dedup();
        self.multicast = addresses;
    }

    /// What has to pass so that each of `filters` gets what it wants.
    pub fn union(filters: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Self::default();
        let mut addresses = Vec::new();
        for filter in filters {
            all.packet_types |= filter.packet_types;
            addresses.extend(filter.multicast);
            all.receive.extend(filter.receive);
        }
        all.set_multicast(addresses);
        all
    }
}

/// The VLAN of a frame, from what follows its addresses; 0 if that is no tag.
pub(crate) fn vlan_of(after_addresses: &[u8]) -> u16 {
    match *after_addresses {
        [0x81, 0x00, high, low, ..] => u16::from_be_bytes([high, low]) & 0xfff,
        _ => 0,
    }
}

/// All ones.
pub const BROADCAST: Mac = [0xff; 6];

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Mac = [2, 0, 0, 0, 0, 1];
    const GROUP: Mac = [1, 0, 0x5e, 0, 0, 1];
    const FILTERED: Mac = [2, 0, 0, 0, 0, 3];

    fn filter(packet_types: u32) -> EthernetFilter {
        EthernetFilter {
            packet_types,
            multicast: vec![GROUP],
            receive: vec![ReceiveFilter {
                id: 1,
                mac: FILTERED,
                vlan: 10,
            }],
        }
    }

    #[test]
    fn each_type_lets_its_own_frames_through_only() {
        let other_group = [1, 0, 0x5e, 0, 0, 2];
        let other = [2, 0, 0, 0, 0, 2];
        let cases = [
            (NDIS_PACKET_TYPE_DIRECTED, OWN, true),
            (NDIS_PACKET_TYPE_DIRECTED, other, false),
            (NDIS_PACKET_TYPE_DIRECTED, BROADCAST, false),
            (NDIS_PACKET_TYPE_MULTICAST, GROUP, true),
            (NDIS_PACKET_TYPE_MULTICAST, other_group, false),
            (NDIS_PACKET_TYPE_MULTICAST, BROADCAST, false),
            (NDIS_PACKET_TYPE_ALL_MULTICAST, other_group, true),
            (NDIS_PACKET_TYPE_BROADCAST, BROADCAST, true),
            (NDIS_PACKET_TYPE_BROADCAST, GROUP, false),
            (NDIS_PACKET_TYPE_PROMISCUOUS, other, true),
            (0, OWN, false),
        ];
        for (types, destination, expected) in cases {
            assert_eq!(
                filter(types).passes(destination, 0, OWN),
                expected,
                "{types:#x} {destination:x?}"
            );
        }
    }

    #[test]
    fn a_receive_filter_lets_its_address_through_in_its_vlan_only() {
        let passes = |types, vlan| filter(types).passes(FILTERED, vlan, OWN);
        assert!(passes(NDIS_PACKET_TYPE_DIRECTED, 10));
        assert!(!passes(NDIS_PACKET_TYPE_DIRECTED, 0));
        assert!(!passes(NDIS_PACKET_TYPE_DIRECTED, 11));
        assert!(!passes(NDIS_PACKET_TYPE_BROADCAST, 10));
    }

    #[test]
    fn a_union_wants_what_any_part_wants() {
        let mut second = filter(NDIS_PACKET_TYPE_BROADCAST);
        second.set_multicast(vec![[3, 0, 0, 0, 0, 1], GROUP, GROUP]);
        let all = EthernetFilter::union([filter(NDIS_PACKET_TYPE_DIRECTED), second]);
        assert_eq!(
            all.packet_types,
            NDIS_PACKET_TYPE_DIRECTED | NDIS_PACKET_TYPE_BROADCAST
        );
        assert_eq!(all.multicast, [GROUP, [3, 0, 0, 0, 0, 1]]);
    }
}
