//! Which frames an adapter receives: packet filter and multicast list.

use ndis_sys as sys;

/// The filter as it was last set.
#[derive(Default)]
pub(crate) struct Filter {
    /// `NDIS_PACKET_TYPE_*`.
    pub(crate) types: u32,
    multicast: [[u8; 6]; MULTICAST],
    used: usize,
}

impl Filter {
    /// Whether an adapter of that address receives a frame to that destination.
    pub(crate) fn passes(&self, destination: [u8; 6], own: [u8; 6]) -> bool {
        let any = |types: u32| self.types & types != 0;
        let kind = match destination {
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff] => any(sys::NDIS_PACKET_TYPE_BROADCAST),
            [first, ..] if first & 1 != 0 => {
                any(sys::NDIS_PACKET_TYPE_ALL_MULTICAST)
                    || any(sys::NDIS_PACKET_TYPE_MULTICAST)
                        && self.multicast[..self.used].contains(&destination)
            }
            directed => directed == own && any(sys::NDIS_PACKET_TYPE_DIRECTED),
        };
        kind || any(sys::NDIS_PACKET_TYPE_PROMISCUOUS)
    }

    /// Takes a multicast list; refuses one that is too long.
    pub(crate) fn set_multicast(&mut self, addresses: &[[u8; 6]]) -> bool {
        let Some(room) = self.multicast.get_mut(..addresses.len()) else {
            return false;
        };
        room.copy_from_slice(addresses);
        self.used = addresses.len();
        true
    }
}

/// The types that can be set.
pub(crate) const TYPES: u32 = sys::NDIS_PACKET_TYPE_DIRECTED
    | sys::NDIS_PACKET_TYPE_MULTICAST
    | sys::NDIS_PACKET_TYPE_ALL_MULTICAST
    | sys::NDIS_PACKET_TYPE_BROADCAST
    | sys::NDIS_PACKET_TYPE_PROMISCUOUS;

/// How many multicast addresses there can be.
pub(crate) const MULTICAST: usize = 32;
