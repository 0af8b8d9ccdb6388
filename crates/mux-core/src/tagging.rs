//! How a tag goes on a frame that is sent and comes off a frame that was received.
//!
//! A tag travels in one of two places: in the frame (in band), or beside it in the NBL's
//! `Ieee8021QNetBufferListInfo` (out of band), where hardware inserts and removes it. Which it is on the
//! way down is the [`TagMode`] of the adapter below; a frame that comes up is taken either way. Plans are
//! made here per frame; the driver carries them out and undoes them.
//!
//! Not here: which virtual miniport a received frame is for ([`crate::filter`]), and
//! any writing into a frame that somebody else owns: received frames are never changed, the driver
//! gives the bytes of [`untagged_front`] to a fragment of its own.

use crate::wire::ethernet::{HEADER_LENGTH, Header};
use crate::wire::mac::MacAddress;
use crate::wire::vlan::{ETHERTYPE_VLAN, Priority, Tag, VlanId};

/// The length of an 802.1Q tag in a frame, in bytes.
pub const TAG_LENGTH: usize = 4;
/// The length of the two addresses in front of a tag, in bytes.
pub const ADDRESSES_LENGTH: usize = 12;
/// The length of the addresses and the tag, in bytes.
pub const TAGGED_FRONT_LENGTH: usize = 16;

/// What `Ieee8021QNetBufferListInfo` says about the frames of an NBL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutOfBandTag {
    /// `VlanId`: 0 to 4095.
    pub vlan: u16,
    /// `UserPriority`: 0 to 7.
    pub priority: u8,
    /// `CanonicalFormatId`, which is today's drop eligible indicator.
    pub drop_eligible: bool,
}

impl OutOfBandTag {
    /// All zeros: nothing is asked of the sender, or nothing was found by the receiver.
    pub const NONE: OutOfBandTag = OutOfBandTag {
        vlan: 0,
        priority: 0,
        drop_eligible: false,
    };

    /// Whether all fields are zero.
    pub const fn is_none(self) -> bool {
        self.vlan == 0 && self.priority == 0 && !self.drop_eligible
    }

    /// The same as a tag in a frame.
    pub const fn tag(self) -> Tag {
        Tag {
            priority: Priority::from_low_bits(self.priority),
            drop_eligible: self.drop_eligible,
            vlan: self.vlan,
        }
    }
}

/// Where the tags of sent frames travel to the adapter below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagMode {
    /// In the frames: what every adapter can do.
    InBand,
    /// Beside the frames: the adapter puts them in. Nothing of a frame is written to, there is always
    /// room for the tag, and offloads find their headers where the client said.
    OutOfBand,
}

impl TagMode {
    /// The mode of an adapter with these `NDIS_MAC_OPTION_*`. One that inserts tags says so by
    /// `8021Q_VLAN`, and must then say `8021P_PRIORITY` too (OID_GEN_MAC_OPTIONS); the latter alone is
    /// said by every miniport of NDIS 6, and says nothing about tags.
    pub const fn of(mac_options: u32) -> TagMode {
        const BOTH: u32 = MAC_OPTION_8021P_PRIORITY | MAC_OPTION_8021Q_VLAN;
        if mac_options & BOTH == BOTH {
            TagMode::OutOfBand
        } else {
            TagMode::InBand
        }
    }

    /// How many bytes a tag of `vlan` adds to a frame before the adapter below gets it.
    pub const fn tag_length(self, vlan: VlanId) -> u32 {
        match self {
            TagMode::InBand if !vlan.is_none() => TAG_LENGTH as u32,
            TagMode::InBand | TagMode::OutOfBand => 0,
        }
    }
}

/// What to do to a frame that a virtual miniport sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendPlan {
    /// Send it as it is, what is out of band included.
    AsIs,
    /// Put this tag between the addresses and the type, and clear what is out of band.
    InBand(Tag),
    /// Leave the frame as it is, and let the adapter below insert this tag.
    OutOfBand(OutOfBandTag),
}

/// Plans how a virtual miniport of the VLAN `own` sends a frame for which its client asks for
/// `out_of_band`, over an adapter of this mode.
///
/// `None` if it must not be sent, and completes with an error.
///
/// A client may ask for a priority, and for the VLAN that the virtual miniport has anyway. A client
/// that asks for another VLAN would leave the one it is confined to: refused. A virtual miniport
/// without a VLAN adds nothing: what its client asks for is between the client and the adapter below.
/// A tag that is already in the frame is payload.
pub fn plan_send(own: VlanId, mode: TagMode, out_of_band: OutOfBandTag) -> Option<SendPlan> {
    if own.is_none() {
        return Some(SendPlan::AsIs);
    }
    if out_of_band.vlan != 0 && out_of_band.vlan != own.get() {
        return None;
    }
    let tag = OutOfBandTag {
        vlan: own.get(),
        ..out_of_band
    };
    Some(match mode {
        TagMode::InBand => SendPlan::InBand(tag.tag()),
        TagMode::OutOfBand => SendPlan::OutOfBand(tag),
    })
}

/// What to do to a received frame before a virtual miniport indicates it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceivePlan {
    /// Indicate it as it is.
    AsIs,
    /// Take the tag out from between the addresses and the type.
    StripInBand(Tag),
    /// Indicate the frame as it is, but without what is out of band: that was the tag.
    ClearOutOfBand(Tag),
}

/// What matters of a received frame for finding who wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// Where the frame goes.
    pub destination: MacAddress,
    /// Where it comes from.
    pub source: MacAddress,
    /// The VLAN that the frame is in: [`VlanId::NONE`] for an untagged frame and for one whose tag
    /// carries only a priority.
    pub vlan: VlanId,
    /// What to do to it.
    pub plan: ReceivePlan,
}

/// Reads the first bytes of a received frame (18 are enough, fewer if the frame has fewer) and what
/// came beside it.
///
/// `None` if nobody gets the frame: a runt, a tag cut short, or VLAN 4095, which is reserved.
///
/// The tag out of band is the outer one if there is one; a tag in the frame is payload then. A tag of
/// all zeros in the frame is a tag: it carries priority 0 and no VLAN, and is taken out like any other.
pub fn plan_receive(first: &[u8], out_of_band: OutOfBandTag) -> Option<Received> {
    if out_of_band.is_none() {
        let header = Header::parse(first)?;
        let plan = header
            .tag
            .map_or(ReceivePlan::AsIs, ReceivePlan::StripInBand);
        let vlan = header.tag.map_or(Some(VlanId::NONE), Tag::vlan_id)?;
        return Some(Received {
            destination: header.destination,
            source: header.source,
            vlan,
            plan,
        });
    }
    let tag = out_of_band.tag();
    let front = first.first_chunk::<HEADER_LENGTH>()?;
    let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, _, _] = *front;
    Some(Received {
        destination: MacAddress([d0, d1, d2, d3, d4, d5]),
        source: MacAddress([s0, s1, s2, s3, s4, s5]),
        vlan: tag.vlan_id()?,
        plan: ReceivePlan::ClearOutOfBand(tag),
    })
}

/// The first sixteen bytes of a tagged frame: `addresses` (destination, source), the tag's protocol
/// identifier, and its control information. What followed the addresses follows the tag.
pub const fn tagged_front(
    addresses: &[u8; ADDRESSES_LENGTH],
    tag: Tag,
) -> [u8; TAGGED_FRONT_LENGTH] {
    let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5] = *addresses;
    let [p0, p1] = ETHERTYPE_VLAN.to_be_bytes();
    let [c0, c1] = tag.tci().to_be_bytes();
    [
        d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, p0, p1, c0, c1,
    ]
}

/// The reverse of [`tagged_front`]: the addresses, and the tag if there is an 802.1Q tag behind them.
pub const fn untagged_front(
    front: &[u8; TAGGED_FRONT_LENGTH],
) -> ([u8; ADDRESSES_LENGTH], Option<Tag>) {
    let [
        d0,
        d1,
        d2,
        d3,
        d4,
        d5,
        s0,
        s1,
        s2,
        s3,
        s4,
        s5,
        p0,
        p1,
        c0,
        c1,
    ] = *front;
    let addresses = [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5];
    if u16::from_be_bytes([p0, p1]) != ETHERTYPE_VLAN {
        return (addresses, None);
    }
    (addresses, Some(Tag::from_tci(u16::from_be_bytes([c0, c1]))))
}

/// `NDIS_MAC_OPTION_8021P_PRIORITY`.
const MAC_OPTION_8021P_PRIORITY: u32 = 0x40;
/// `NDIS_MAC_OPTION_8021Q_VLAN`.
const MAC_OPTION_8021Q_VLAN: u32 = 0x200;

#[cfg(test)]
mod tests;
