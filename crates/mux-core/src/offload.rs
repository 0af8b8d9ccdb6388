//! Which task offloads of the adapter below a virtual miniport can show, and how a tag in a frame moves
//! what they point at.
//!
//! An adapter says for each task with which encapsulations it does it. What a virtual miniport shows
//! depends on what becomes of its frames on the way down:
//!
//! | frames go down | the task must have | shown |
//! |---|---|---|
//! | as they are: no VLAN | – | as it is |
//! | with a tag beside them | `IEEE_802_3_P_AND_Q_IN_OOB` | `IEEE_802_3` and `P_AND_Q_IN_OOB` |
//! | with a tag in them | `IEEE_802_3_P_AND_Q` | `IEEE_802_3` and `P_AND_Q_IN_OOB` |
//!
//! A client may ask for a priority beside its frames either way, so `P_AND_Q_IN_OOB` holds above whenever
//! the task is shown. A tag that the client itself puts into a frame would be an inner one below, which no
//! flag speaks of: `P_AND_Q` is not shown. Large sends need the transmit checksums of their IP version,
//! and go with them. Coalescing of received segments has no encapsulation: the adapter does it or not,
//! for all, and so it is shown. What is not in [`Offload`] is not shown: version 1 of large sends, IPsec,
//! encapsulated packets, 464XLAT.
//!
//! Sources: "Accessing TCP/IP Offload NET_BUFFER_LIST Information", "Combining Types of Task Offloads",
//! `NDIS_OFFLOAD`, `NDIS_TCP_LARGE_SEND_OFFLOAD_V2`.

use crate::tagging::TagMode;
use crate::wire::vlan::VlanId;

/// The task offloads of an adapter. The bits of each task are kept as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offload {
    /// Checksums of sent IPv4 frames.
    pub ipv4_transmit: Checksum,
    /// Checksums of received IPv4 frames.
    pub ipv4_receive: Checksum,
    /// Checksums of sent IPv6 frames.
    pub ipv6_transmit: Checksum,
    /// Checksums of received IPv6 frames.
    pub ipv6_receive: Checksum,
    /// Large sends, version 2, over IPv4.
    pub tcp_ipv4: Segmentation,
    /// Large sends, version 2, over IPv6.
    pub tcp_ipv6: Segmentation,
    /// UDP segmentation over IPv4.
    pub udp_ipv4: Segmentation,
    /// UDP segmentation over IPv6.
    pub udp_ipv6: Segmentation,
    /// Received segments over IPv4 are coalesced.
    pub coalesces_ipv4: bool,
    /// Received segments over IPv6 are coalesced.
    pub coalesces_ipv6: bool,
}

/// Checksums of one direction and IP version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checksum {
    /// `NDIS_ENCAPSULATION_*`.
    pub encapsulation: u32,
    /// Which checksums, with which options.
    pub features: u32,
}

/// Segmentation of one protocol over one IP version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Segmentation {
    /// `NDIS_ENCAPSULATION_*`.
    pub encapsulation: u32,
    /// The most bytes of user data in one send.
    pub maximum_size: u32,
    /// The fewest segments of one send; of UDP, with the bits beside the number.
    pub minimum_segments: u32,
    /// With which options.
    pub features: u32,
}

/// The words beside a sent NBL that say where its headers are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendWords {
    /// `TcpIpChecksumNetBufferListInfo`.
    pub checksum: u32,
    /// `TcpLargeSendNetBufferListInfo`.
    pub large_send: u32,
    /// `UdpSegmentationOffloadInfo`.
    pub udp_segmentation: u32,
}

impl Offload {
    /// What a virtual miniport of `vlan` shows of this, over an adapter of that mode.
    #[must_use]
    pub const fn shown(self, mode: TagMode, vlan: VlanId) -> Self {
        if vlan.is_none() {
            return self;
        }
        let needed = match mode {
            TagMode::InBand => P_AND_Q,
            TagMode::OutOfBand => P_AND_Q_IN_OOB,
        };
        let ipv4_transmit = self.ipv4_transmit.shown(needed);
        let ipv6_transmit = self.ipv6_transmit.shown(needed);
        Self {
            ipv4_transmit,
            ipv4_receive: self.ipv4_receive.shown(needed),
            ipv6_transmit,
            ipv6_receive: self.ipv6_receive.shown(needed),
            tcp_ipv4: self.tcp_ipv4.shown(needed, ipv4_transmit),
            tcp_ipv6: self.tcp_ipv6.shown(needed, ipv6_transmit),
            udp_ipv4: self.udp_ipv4.shown(needed, ipv4_transmit),
            udp_ipv6: self.udp_ipv6.shown(needed, ipv6_transmit),
            ..self
        }
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_none(self) -> bool {
        self == Self::default()
    }
}

impl Checksum {
    const fn shown(self, needed: u32) -> Self {
        if self.encapsulation & needed == 0 {
            return Self::NONE;
        }
        Self {
            encapsulation: SHOWN,
            ..self
        }
    }

    const NONE: Self = Self {
        encapsulation: 0,
        features: 0,
    };
}

impl Segmentation {
    const fn shown(self, needed: u32, checksum: Checksum) -> Self {
        if self.encapsulation & needed == 0 || checksum.encapsulation == 0 {
            return Self::NONE;
        }
        Self {
            encapsulation: SHOWN,
            ..self
        }
    }

    const NONE: Self = Self {
        encapsulation: 0,
        maximum_size: 0,
        minimum_segments: 0,
        features: 0,
    };
}

impl SendWords {
    /// How many bytes the headers of a send take at the least that is to be segmented: an adapter finds
    /// them in one piece ("Offloading the Segmentation of Large TCP Packets"). Zero for other sends.
    #[must_use]
    pub const fn headers(self) -> u32 {
        const TCP_HEADER: u32 = 20;
        const UDP_HEADER: u32 = 8;
        if self.large_send != 0 {
            segmentation_offset(self.large_send).saturating_add(TCP_HEADER)
        } else if self.udp_segmentation != 0 {
            segmentation_offset(self.udp_segmentation).saturating_add(UDP_HEADER)
        } else {
            0
        }
    }

    /// The words for frames that have become longer in front of their headers by `by` bytes. `None` if an
    /// offset does not fit its ten bits any more: no header is that far away.
    #[must_use]
    pub fn moved(self, by: u32) -> Option<Self> {
        Some(Self {
            checksum: moved(self.checksum, CHECKSUM_OFFSET, by)?,
            large_send: moved(self.large_send, SEGMENTATION_OFFSET, by)?,
            udp_segmentation: moved(self.udp_segmentation, SEGMENTATION_OFFSET, by)?,
        })
    }
}

const fn segmentation_offset(word: u32) -> u32 {
    (word >> SEGMENTATION_OFFSET) & OFFSET_MASK
}

/// `word` with the offset at that bit larger by `by`. Where there is no offset, nothing is moved.
fn moved(word: u32, shift: u32, by: u32) -> Option<u32> {
    let mask = OFFSET_MASK << shift;
    let offset = (word & mask) >> shift;
    if offset == 0 {
        return Some(word);
    }
    let offset = offset
        .checked_add(by)
        .filter(|&offset| offset <= OFFSET_MASK)?;
    Some(word & !mask | offset << shift)
}

/// `NDIS_ENCAPSULATION_IEEE_802_3`.
const IEEE_802_3: u32 = 0x2;
/// `NDIS_ENCAPSULATION_IEEE_802_3_P_AND_Q`.
const P_AND_Q: u32 = 0x4;
/// `NDIS_ENCAPSULATION_IEEE_802_3_P_AND_Q_IN_OOB`.
const P_AND_Q_IN_OOB: u32 = 0x8;
/// What a virtual miniport in a VLAN shows of a task.
const SHOWN: u32 = IEEE_802_3 | P_AND_Q_IN_OOB;

/// Where `TcpHeaderOffset` begins in the word for checksums.
const CHECKSUM_OFFSET: u32 = 16;
/// Where `TcpHeaderOffset` and `UdpHeaderOffset` begin in the words for segmentation.
const SEGMENTATION_OFFSET: u32 = 20;
/// Ten bits.
const OFFSET_MASK: u32 = 0x3ff;

#[cfg(test)]
mod tests;
