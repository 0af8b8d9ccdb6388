//! A view over the first bytes of an Ethernet II frame: addresses, tag, type.
//!
//! Reads at most [`LONGEST`] bytes, so a caller need not make more of a frame contiguous. Only an
//! 802.1Q tag is read; a service tag is a type like any other. Lengths (802.3 with LLC) are types too:
//! nothing here looks behind them.

use super::mac::MacAddress;
use super::vlan::{ETHERTYPE_VLAN, Tag};

/// The length of the header of an untagged frame, in bytes.
pub const HEADER_LENGTH: usize = 14;
/// The length of the header of a tagged frame, in bytes: no more than this is ever read.
pub const LONGEST: usize = 18;

/// The header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Where the frame goes.
    pub destination: MacAddress,
    /// Where it comes from.
    pub source: MacAddress,
    /// The type behind the tag, if there is a tag: what the payload is.
    pub ether_type: u16,
    /// The outermost tag, if that is an 802.1Q tag. A tag of all zeros is a tag.
    pub tag: Option<Tag>,
}

impl Header {
    /// Reads a header from the first bytes of a frame, as many as there are.
    ///
    /// `None` for a runt: fewer than 14 bytes, or fewer than 18 of a tagged frame. Cannot panic: each
    /// field is split off by its length, and too few bytes end the reading.
    pub fn parse(first: &[u8]) -> Option<Header> {
        let (destination, rest) = first.split_first_chunk::<6>()?;
        let (source, rest) = rest.split_first_chunk::<6>()?;
        let (ether_type, rest) = split_u16(rest)?;
        let (ether_type, tag) = if ether_type == ETHERTYPE_VLAN {
            let (tci, rest) = split_u16(rest)?;
            let (ether_type, _) = split_u16(rest)?;
            (ether_type, Some(Tag::from_tci(tci)))
        } else {
            (ether_type, None)
        };
        Some(Header {
            destination: MacAddress(*destination),
            source: MacAddress(*source),
            ether_type,
            tag,
        })
    }

    /// How many bytes of the frame this header takes: 14, or 18 with a tag.
    pub const fn length(&self) -> usize {
        match self.tag {
            None => HEADER_LENGTH,
            Some(_) => LONGEST,
        }
    }
}

fn split_u16(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (value, rest) = bytes.split_first_chunk::<2>()?;
    Some((u16::from_be_bytes(*value), rest))
}

#[cfg(test)]
mod tests;
