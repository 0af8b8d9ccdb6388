//! A wake-on-LAN pattern of a VLAN, as the adapter below needs it.

use alloc::vec::Vec;
use core::iter;

use crate::wire::vlan::VlanId;

/// The length of `NDIS_PM_WOL_PATTERN` without what belongs to it, in bytes.
pub const PATTERN_LENGTH: usize = 196;

/// Why a pattern is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It leads out of its buffer, or looks at more bytes than there can be.
    Invalid,
    /// It is none of bytes.
    NotSupported,
    /// There is no memory.
    OutOfMemory,
}

/// The number of the pattern in a buffer of OID_PM_ADD_WOL_PATTERN, if it is long enough.
pub fn id_of(data: &[u8]) -> Option<u32> {
    word(data, PATTERN_ID)
}

/// What the adapter below gets for a pattern of `vlan`, in a buffer of OID_PM_ADD_WOL_PATTERN: the same, but
/// that the tag stands behind the addresses. `longest`: how many bytes a pattern has below at the most.
///
/// A mask has a bit for a byte, and the byte of the tag with the priority has four bits of the VLAN too.
/// A frame of any priority is to wake, so that byte is not looked at: VLANs whose lower eight bits are
/// the same are not told apart.
///
/// # Errors
/// [`Refused`].
pub fn weave(data: &[u8], vlan: VlanId, longest: u32) -> Result<Vec<u8>, Refused> {
    let head: &[u8; PATTERN_LENGTH] = data.first_chunk().ok_or(Refused::Invalid)?;
    // NDIS_OBJECT_TYPE_DEFAULT, any revision.
    let [kind, revision, ..] = *head;
    if (kind, revision.min(1)) != (0x80, 1) {
        return Err(Refused::Invalid);
    }
    if word(head, PACKET_TYPE) != Some(BITMAP) {
        return Err(Refused::NotSupported);
    }
    let mask = part(data, MASK).ok_or(Refused::Invalid)?;
    let bytes = part(data, BYTES).ok_or(Refused::Invalid)?;
    if mask.len() < bytes.len().div_ceil(8) {
        return Err(Refused::Invalid);
    }
    let mut given = bytes.iter().copied().zip(bits(mask));
    let longest = longest as usize;
    let mut woven = Vec::new();
    // Not more than the adapter below takes, whatever is given.
    let length = bytes.len().max(ADDRESSES).saturating_add(4);
    woven
        .try_reserve_exact(length.min(longest))
        .map_err(|_| Refused::OutOfMemory)?;
    if !vlan.is_none() {
        if length > longest {
            return Err(Refused::Invalid);
        }
        let [_, low] = vlan.get().to_be_bytes();
        let tag = [(0x81, true), (0x00, true), (0, false), (low, true)];
        let nothing = iter::repeat((0, false));
        woven.extend(
            given
                .by_ref()
                .take(ADDRESSES)
                .chain(nothing)
                .take(ADDRESSES),
        );
        woven.extend(tag);
    } else if bytes.len() > longest {
        return Err(Refused::Invalid);
    }
    woven.extend(given);
    laid_out(head, &woven)
}

/// The buffer for a pattern of these bytes, and whether each is looked at.
fn laid_out(head: &[u8; PATTERN_LENGTH], woven: &[(u8, bool)]) -> Result<Vec<u8>, Refused> {
    let mask_length = woven.len().div_ceil(8);
    let bytes_at = PATTERN_LENGTH.saturating_add(mask_length);
    let mut buffer = Vec::new();
    buffer
        .try_reserve_exact(bytes_at.saturating_add(woven.len()))
        .map_err(|_| Refused::OutOfMemory)?;
    buffer.extend_from_slice(head);
    let numbers = [
        // NDIS gives it one, and it is in no list.
        (PATTERN_ID, 0),
        (NEXT_PATTERN, 0),
        (MASK, PATTERN_LENGTH),
        (MASK.saturating_add(4), mask_length),
        (BYTES, bytes_at),
        (BYTES.saturating_add(4), woven.len()),
    ];
    for (at, number) in numbers {
        let place = buffer.get_mut(at..).and_then(<[u8]>::first_chunk_mut);
        if let Some(place) = place {
            *place = (number as u32).to_ne_bytes();
        }
    }
    buffer.extend(woven.chunks(8).map(|eight| {
        let bits = eight.iter().zip(0_u32..);
        bits.fold(0_u8, |mask, (&(_, looked_at), bit)| {
            mask | u8::from(looked_at).wrapping_shl(bit)
        })
    }));
    buffer.extend(woven.iter().map(|&(byte, _)| byte));
    Ok(buffer)
}

/// What an offset and a size at `at` lead to, behind the structure.
fn part(data: &[u8], at: usize) -> Option<&[u8]> {
    let start = word(data, at)? as usize;
    let size = word(data, at.checked_add(4)?)? as usize;
    let part = data.get(start..start.checked_add(size)?)?;
    (start >= PATTERN_LENGTH && size != 0).then_some(part)
}

fn word(data: &[u8], at: usize) -> Option<u32> {
    let bytes = data.get(at..)?.first_chunk()?;
    Some(u32::from_ne_bytes(*bytes))
}

/// The lowest bit of the first byte is the first.
fn bits(mask: &[u8]) -> impl Iterator<Item = bool> {
    mask.iter()
        .flat_map(|byte| (0..8).map(move |bit| byte.wrapping_shr(bit) & 1 != 0))
}

/// The bytes of a frame before its tag.
const ADDRESSES: usize = 12;

// Where what stands in NDIS_PM_WOL_PATTERN.
const PACKET_TYPE: usize = 12;
const PATTERN_ID: usize = 148;
const NEXT_PATTERN: usize = 152;
/// Offset and size of the mask, and of the bytes.
const MASK: usize = 160;
const BYTES: usize = 168;

/// `NdisPMWoLPacketBitmapPattern`.
const BITMAP: u32 = 1;
