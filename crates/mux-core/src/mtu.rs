//! How long a virtual miniport's frames may be.
//!
//! A tag that goes in band takes [`TAG_LENGTH`](crate::tagging::TAG_LENGTH) bytes of what the adapter
//! below takes for a frame, so that the virtual miniport offers that much less. An adapter that inserts
//! tags itself has room for them, and the virtual miniport offers what the adapter offers.
//! All three numbers that a client can ask for (the attributes' `MtuSize`, `OID_GEN_MAXIMUM_FRAME_SIZE`
//! and `OID_GEN_MAXIMUM_TOTAL_SIZE`) come from one [`FrameSizes`], so that they cannot disagree.

use crate::tagging::TagMode;
use crate::wire::ethernet::HEADER_LENGTH;
use crate::wire::vlan::VlanId;

/// The smallest MTU that a virtual miniport is worth starting with, in bytes: what every IPv4 link
/// must carry unfragmented (RFC 791).
pub const MINIMUM_MTU: u32 = 68;

/// The frame sizes of a virtual miniport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameSizes {
    /// The longest payload in bytes, without header: `MtuSize`, `OID_GEN_MAXIMUM_FRAME_SIZE`.
    pub mtu: u32,
    /// The longest frame in bytes, with its 14 bytes of header and without a tag:
    /// `OID_GEN_MAXIMUM_TOTAL_SIZE`.
    pub maximum_frame: u32,
}

impl FrameSizes {
    /// Whether IP can run over it: at least [`MINIMUM_MTU`]. Where it cannot, the adapter below does
    /// not carry Ethernet as we know it, and the virtual miniport should not start.
    pub const fn is_usable(self) -> bool {
        self.mtu >= MINIMUM_MTU
    }
}

/// The frame sizes of a virtual miniport of `vlan` over an adapter of this mode with an MTU of
/// `nic_mtu` bytes.
///
/// The arithmetic saturates: an adapter that says nonsense gets nonsense of the same kind, which
/// [`FrameSizes::is_usable`] tells.
pub const fn frame_sizes(nic_mtu: u32, mode: TagMode, vlan: VlanId) -> FrameSizes {
    let mtu = nic_mtu.saturating_sub(mode.tag_length(vlan));
    FrameSizes {
        mtu,
        maximum_frame: mtu.saturating_add(HEADER_LENGTH as u32),
    }
}

#[cfg(test)]
mod tests;
