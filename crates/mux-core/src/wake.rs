//! What the computer is to be woken for, through one adapter that several virtual miniports share.
//!
//! What a virtual miniport shows is [`WakeUp::shown`]: nothing unless an administrator allows it, because an
//! intermediate driver "must" say that it cannot wake the computer; and then what holds for its VLAN.
//! What it is told by OID_PM_PARAMETERS is [`Parameters`]. A pattern of a VLAN gets the tag woven in
//! ([`weave`]). [`Sharing`] joins what all want, and knows under which number a pattern is below.
//!
//! Not here: protocol offloads (ARP, NS) and wake-up for anything but a frame; nothing of it is shown. What
//! the adapter itself is set to wake for by others stays so.
//!
//! Sources: "Initializing Intermediate Drivers to Handle PnP and Power Management Events", "Handling
//! OID_PNP_Xxx Queries and Sets", `NDIS_PM_CAPABILITIES`, `NDIS_PM_PARAMETERS`, `NDIS_PM_WOL_PATTERN`.

mod pattern;
mod sharing;

pub use pattern::{PATTERN_LENGTH, Refused, id_of, weave};
pub use sharing::{Done, Next, OutOfMemory, Sharing};

use crate::{tagging::TAG_LENGTH, wire::vlan::VlanId};

/// Which frames an adapter can wake the computer for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WakeUp {
    /// `SupportedWoLPacketPatterns`.
    pub packet_patterns: u32,
    /// How many patterns there is room for.
    pub patterns: u32,
    /// The longest pattern, in bytes.
    pub pattern_size: u32,
    /// How many bytes of a frame are looked at, from its Ethernet header on.
    pub pattern_offset: u32,
    /// `MinMagicPacketWakeUp`: the lowest power state from which a magic packet wakes; 0 for none.
    pub magic_packet_from: i32,
    /// `MinPatternWakeUp`: the same for a pattern.
    pub pattern_from: i32,
}

/// What an administrator lets a virtual miniport wake the computer for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Patterns: `*WakeOnPattern`.
    pub pattern: bool,
    /// Magic packets: `*WakeOnMagicPacket`.
    pub magic_packet: bool,
}

/// What an adapter is to wake for: the words of `NDIS_PM_PARAMETERS`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    packet_patterns: u32,
    /// Protocol offloads, wake-up flags, media events.
    others: [u32; 3],
}

/// `NDIS_PM_WOL_BITMAP_PATTERN_SUPPORTED` and `_ENABLED`.
pub const BITMAP_PATTERN: u32 = 1;
/// `NDIS_PM_WOL_MAGIC_PACKET_SUPPORTED` and `_ENABLED`.
pub const MAGIC_PACKET: u32 = 2;

/// The length of `NDIS_PM_PARAMETERS` of the first revision, in bytes: a header of four, and three words.
pub const PARAMETERS_LENGTH: usize = 16;

impl WakeUp {
    /// Nothing.
    pub const NONE: Self = Self {
        packet_patterns: 0,
        patterns: 0,
        pattern_size: 0,
        pattern_offset: 0,
        magic_packet_from: 0,
        pattern_from: 0,
    };

    /// What a virtual miniport of `vlan` shows, over an adapter that can do this.
    ///
    /// The adapter looks for its own address in a magic packet, so for a virtual miniport's only if it is
    /// the same; and nothing says that it looks behind a tag. A pattern gets a tag's length longer.
    #[must_use]
    pub fn shown(self, vlan: VlanId, allowed: Allowed, has_same_address: bool) -> Self {
        let can = |what| self.packet_patterns & what != 0;
        let mut shown = Self::NONE;
        if can(MAGIC_PACKET) && allowed.magic_packet && vlan.is_none() && has_same_address {
            shown.packet_patterns |= MAGIC_PACKET;
            shown.magic_packet_from = self.magic_packet_from;
        }
        let tag = if vlan.is_none() { 0 } else { TAG_LENGTH as u32 };
        let longest = self.pattern_size.min(self.pattern_offset);
        if can(BITMAP_PATTERN) && allowed.pattern && longest >= SHORTEST {
            shown.packet_patterns |= BITMAP_PATTERN;
            shown.patterns = self.patterns;
            shown.pattern_size = self.pattern_size.saturating_sub(tag);
            shown.pattern_offset = self.pattern_offset.saturating_sub(tag);
            shown.pattern_from = self.pattern_from;
        }
        shown
    }

    /// Whether there are patterns.
    #[must_use]
    pub const fn has_patterns(&self) -> bool {
        self.packet_patterns & BITMAP_PATTERN != 0
    }

    /// Whether all of that can be enabled.
    #[must_use]
    pub fn can(&self, parameters: Parameters) -> bool {
        parameters.packet_patterns & !self.packet_patterns == 0 && parameters.others == [0; 3]
    }
}

impl Parameters {
    /// Reads `NDIS_PM_PARAMETERS` of any revision. Words that are not there enable nothing.
    #[must_use]
    pub fn parse(data: &[u8]) -> Self {
        let mut words = data.chunks_exact(4).skip(1).map(|word| {
            let bytes = word.first_chunk().copied().unwrap_or_default();
            u32::from_ne_bytes(bytes)
        });
        let mut next = || words.next().unwrap_or_default();
        let parameters = Self {
            packet_patterns: next(),
            others: [next(), next(), next()],
        };
        // What a later revision may say more is nothing that is shown.
        let more = words.fold(0, |more, word| more | word);
        let [first, second, third] = parameters.others;
        Self {
            others: [first | more, second, third],
            ..parameters
        }
    }

    /// `NDIS_PM_PARAMETERS` of the second revision.
    #[must_use]
    pub fn bytes(self) -> [u8; 20] {
        let mut bytes = [0; 20];
        // NDIS_OBJECT_TYPE_DEFAULT, NDIS_PM_PARAMETERS_REVISION_2, the size.
        let head = u32::from_ne_bytes([0x80, 2, 20, 0]);
        let [first, second, third] = self.others;
        let words = [head, self.packet_patterns, first, second, third];
        for (place, word) in bytes.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_ne_bytes());
        }
        bytes
    }

    fn or(self, other: Self) -> Self {
        Self {
            packet_patterns: self.packet_patterns | other.packet_patterns,
            // Nothing of these is shown, so nobody has any.
            others: self.others,
        }
    }
}

/// Bytes of a pattern that looks at no more than a tag.
const SHORTEST: u32 = 16;

#[cfg(test)]
mod tests;
