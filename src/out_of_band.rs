//! An 802.1Q tag beside a frame: as `ndis` reads and writes it, and as `mux_core` decides on it.

use mux_core::tagging::OutOfBandTag;
use ndis::nbl;

/// What an NBL says of a tag beside its frames, as `mux_core` wants it.
pub(crate) const fn to_core(tag: nbl::OutOfBandTag) -> OutOfBandTag {
    OutOfBandTag {
        vlan: tag.vlan,
        priority: tag.priority,
        drop_eligible: tag.drop_eligible,
    }
}

/// The same the other way.
pub(crate) const fn to_ndis(tag: OutOfBandTag) -> nbl::OutOfBandTag {
    nbl::OutOfBandTag {
        vlan: tag.vlan,
        priority: tag.priority,
        drop_eligible: tag.drop_eligible,
    }
}
