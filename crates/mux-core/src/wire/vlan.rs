//! 802.1Q identifiers, priorities and tags.
//!
//! [`VlanId`] is what an adapter is configured with, so 4095 cannot be one. [`Tag`] is what a frame
//! carries, so it keeps all sixteen bits, 4095 too: what nobody expects is still read and shown.

use core::fmt;

/// The tag protocol identifier of an 802.1Q tag (a C-tag).
pub const ETHERTYPE_VLAN: u16 = 0x8100;
/// The tag protocol identifier of an 802.1ad service tag. Not interpreted: a frame with one counts as
/// untagged, and the tag goes through as payload.
pub const ETHERTYPE_SERVICE_VLAN: u16 = 0x88a8;
/// The VLAN identifier that 802.1Q reserves: a frame that carries it is for nobody.
pub const RESERVED_VLAN: u16 = 0x0fff;

/// The VLAN of a virtual miniport: 1 to 4094, or 0 for "no tag".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VlanId(u16);

impl VlanId {
    /// No tag: frames travel untagged (or with a tag that carries only a priority).
    pub const NONE: VlanId = VlanId(0);
    /// The largest VLAN identifier that an adapter may have.
    pub const MAXIMUM: VlanId = VlanId(RESERVED_VLAN - 1);

    /// # Errors
    /// [`VlanIdError`] for anything above 4094.
    pub const fn new(value: u32) -> Result<VlanId, VlanIdError> {
        if value > Self::MAXIMUM.0 as u32 {
            return Err(VlanIdError { value });
        }
        // At most 4094: nothing is cut.
        Ok(VlanId(value as u16))
    }

    /// 0 to 4094.
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Whether this is [`VlanId::NONE`].
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for VlanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A number that is no VLAN identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VlanIdError {
    /// The number.
    pub value: u32,
}

impl fmt::Display for VlanIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} is not a VLAN identifier: allowed are 1 to {}, and 0 for no tag",
            self.value,
            VlanId::MAXIMUM
        )
    }
}

impl core::error::Error for VlanIdError {}

/// The priority of a frame (PCP): 0 to 7.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(u8);

impl Priority {
    /// 0, best effort.
    pub const DEFAULT: Priority = Priority(0);

    /// `None` above 7.
    pub const fn new(value: u8) -> Option<Priority> {
        if value > PRIORITY_MASK {
            return None;
        }
        Some(Priority(value))
    }

    /// The priority in the low three bits; the others are ignored, as in the three-bit fields that
    /// it comes from.
    pub const fn from_low_bits(value: u8) -> Priority {
        Priority(value & PRIORITY_MASK)
    }

    /// 0 to 7.
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// What an 802.1Q tag says: its two octets of tag control information, taken apart without loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tag {
    /// PCP.
    pub priority: Priority,
    /// DEI: dropped first when a queue is full. NDIS still calls this bit by its old name, the
    /// canonical format indicator.
    pub drop_eligible: bool,
    /// VID as on the wire, 0 to 4095; bits above are not sent.
    pub vlan: u16,
}

impl Tag {
    /// Takes tag control information apart.
    pub const fn from_tci(tci: u16) -> Tag {
        Tag {
            priority: Priority((tci >> PRIORITY_SHIFT) as u8),
            drop_eligible: tci & DROP_ELIGIBLE != 0,
            vlan: tci & VLAN_MASK,
        }
    }

    /// Puts tag control information together.
    pub const fn tci(self) -> u16 {
        let priority = (self.priority.0 as u16) << PRIORITY_SHIFT;
        let drop_eligible = if self.drop_eligible { DROP_ELIGIBLE } else { 0 };
        priority | drop_eligible | (self.vlan & VLAN_MASK)
    }

    /// The VLAN that this tag puts its frame in: [`VlanId::NONE`] for a tag that carries only a
    /// priority, and no VLAN at all (`None`) for 4095 and above.
    pub const fn vlan_id(self) -> Option<VlanId> {
        match VlanId::new(self.vlan as u32) {
            Ok(vlan) => Some(vlan),
            Err(_) => None,
        }
    }
}

const PRIORITY_MASK: u8 = 0x07;
const PRIORITY_SHIFT: u32 = 13;
const DROP_ELIGIBLE: u16 = 0x1000;
const VLAN_MASK: u16 = 0x0fff;

#[cfg(test)]
mod tests;
