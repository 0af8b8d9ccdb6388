//! The bytes that a NET_BUFFER describes: where they are, and whether its fields agree.
//!
//! The data space of an NB is its MDL chain from the first byte of the first MDL. `DataOffset` bytes
//! of it are unused, `DataLength` after them are used; `CurrentMdl` and `CurrentMdlOffset` say again
//! where the used space begins. All of it is checked here before any byte is touched.
//!
//! Not in here: making the used space larger or smaller (`window`), and ownership (`owner`).

use std::ptr;

use smallvec::SmallVec;

use crate::ndis::view::{Mdl, Nb};

/// Why an NB's fields cannot be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Inconsistent {
    /// The MDL chain is shorter than offset and length say.
    TooShort { chain: u64, needed: u64 },
    /// `CurrentMdl` is not where `DataOffset` leads.
    CurrentMdl,
    /// `CurrentMdlOffset` is not what is left of `DataOffset` there.
    CurrentMdlOffset { is: u32, should: u32 },
    /// There is data but no MDL.
    NoMdl,
    /// The chain is a ring, or absurdly long.
    Endless,
}

impl std::fmt::Display for Inconsistent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooShort { chain, needed } => write!(
                f,
                "the MDL chain has {chain} bytes, DataOffset and DataLength need {needed}"
            ),
            Self::CurrentMdl => f.write_str("CurrentMdl is not the MDL in which DataOffset lies"),
            Self::CurrentMdlOffset { is, should } => {
                write!(f, "CurrentMdlOffset is {is}, by DataOffset it is {should}")
            }
            Self::NoMdl => f.write_str("there is data but CurrentMdl or MdlChain is NULL"),
            Self::Endless => f.write_str("the MDL chain does not end"),
        }
    }
}

/// Checks that the fields of `nb` agree with its MDL chain.
pub(crate) fn check(nb: Nb) -> Result<(), Inconsistent> {
    let Some(_) = nb.chain() else {
        return if nb.length() == 0 {
            Ok(())
        } else {
            Err(Inconsistent::NoMdl)
        };
    };
    let mut total = 0_u64;
    let mut current_at = None;
    for (count, mdl) in nb.mdls().enumerate() {
        if count > MAX_MDLS {
            return Err(Inconsistent::Endless);
        }
        if nb.current() == Some(mdl) {
            current_at = Some((total, mdl.byte_count()));
        }
        total += u64::from(mdl.byte_count());
    }
    let needed = u64::from(nb.offset()) + u64::from(nb.length());
    if total < needed {
        return Err(Inconsistent::TooShort {
            chain: total,
            needed,
        });
    }
    let Some((before, count)) = current_at else {
        return Err(if nb.current().is_none() {
            Inconsistent::NoMdl
        } else {
            Inconsistent::CurrentMdl
        });
    };
    // An offset at the very end of an MDL may be told as the start of the next one, and a used space
    // of no bytes may be anywhere in between.
    let offset = u64::from(nb.offset());
    if offset < before || offset > before + u64::from(count) {
        return Err(Inconsistent::CurrentMdl);
    }
    let should = (offset - before) as u32;
    if nb.current_offset() != should {
        return Err(Inconsistent::CurrentMdlOffset {
            is: nb.current_offset(),
            should,
        });
    }
    Ok(())
}

/// Sets `CurrentMdl` and `CurrentMdlOffset` after `DataOffset`.
pub(crate) fn place(nb: Nb) {
    let mut left = nb.offset();
    let mut at = nb.chain();
    while let Some(mdl) = at {
        if left < mdl.byte_count() || mdl.next().is_none() {
            break;
        }
        left -= mdl.byte_count();
        at = mdl.next();
    }
    nb.set_raw_current(at.map_or(ptr::null_mut(), Mdl::raw));
    nb.set_current_offset(left);
}

/// The contiguous pieces of `length` used bytes from `skip` bytes into the used space of `nb`.
/// Shorter than asked if the used space or the chain is.
pub(crate) fn pieces(nb: Nb, skip: u32, length: u32) -> SmallVec<[(*mut u8, usize); 8]> {
    let mut pieces = SmallVec::new();
    let mut left = length.min(nb.length().saturating_sub(skip));
    let mut skip = u64::from(skip) + u64::from(nb.current_offset());
    let mut at = nb.current();
    while let Some(mdl) = at {
        if left == 0 {
            break;
        }
        let count = u64::from(mdl.byte_count());
        if skip >= count {
            skip -= count;
        } else {
            let here = (count - skip).min(u64::from(left)) as u32;
            let start = mdl.virtual_address().wrapping_add(skip as usize);
            pieces.push((start, here as usize));
            left -= here;
            skip = 0;
        }
        at = mdl.next();
    }
    pieces
}

/// Copies used bytes of `nb`, from `skip` on, to `into`; returns how many there were.
pub(crate) fn read(nb: Nb, skip: u32, into: &mut [u8]) -> usize {
    let mut done = 0;
    for (start, length) in pieces(nb, skip, into.len() as u32) {
        let target = &mut into[done..done + length];
        // SAFETY: the piece lies in an MDL of a live NB, and MDLs describe readable memory; `target`
        // is a buffer of ours of that length.
        unsafe { ptr::copy_nonoverlapping(start, target.as_mut_ptr(), length) };
        done += length;
    }
    done
}

/// All used bytes of `nb`.
pub(crate) fn bytes(nb: Nb) -> Vec<u8> {
    let mut bytes = vec![0; nb.length() as usize];
    let there = read(nb, 0, &mut bytes);
    bytes.truncate(there);
    bytes
}

/// Copies `from` over the used bytes of `nb`, from `skip` on; returns how many fitted.
pub(crate) fn write(nb: Nb, skip: u32, from: &[u8]) -> usize {
    let mut done = 0;
    for (start, length) in pieces(nb, skip, from.len() as u32) {
        let source = &from[done..done + length];
        // SAFETY: as in `read`, the other way; the caller owns the NB's data.
        unsafe { ptr::copy_nonoverlapping(source.as_ptr(), start, length) };
        done += length;
    }
    done
}

/// Copies `from` into the MDL chain of `nb` from `skip` bytes after the start of its used space, past
/// its end if need be; returns how many bytes the chain had room for.
pub(crate) fn write_chain(nb: Nb, skip: u32, from: &[u8]) -> usize {
    let length = nb.length();
    nb.set_length(u32::MAX);
    let done = write(nb, skip, from);
    nb.set_length(length);
    done
}

/// A fingerprint of the first `limit` used bytes.
pub(crate) fn fingerprint(nb: Nb, limit: u32) -> u64 {
    let mut hash = Fingerprint::new();
    for (start, length) in pieces(nb, 0, limit) {
        // SAFETY: as in `read`.
        let bytes = unsafe { std::slice::from_raw_parts(start, length) };
        hash.add(bytes);
    }
    hash.finish()
}

/// A hash that does not depend on how the bytes are cut into pieces.
struct Fingerprint {
    state: u64,
    pending: u64,
    pending_bytes: u32,
}

impl Fingerprint {
    fn new() -> Self {
        Self {
            state: 0xcbf2_9ce4_8422_2325,
            pending: 0,
            pending_bytes: 0,
        }
    }

    fn add(&mut self, mut bytes: &[u8]) {
        while self.pending_bytes != 0 && !bytes.is_empty() {
            self.push(bytes[0]);
            bytes = &bytes[1..];
        }
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        for &byte in rest {
            self.push(byte);
        }
    }

    fn push(&mut self, byte: u8) {
        self.pending |= u64::from(byte) << (8 * self.pending_bytes);
        self.pending_bytes += 1;
        if self.pending_bytes == 8 {
            self.mix(self.pending);
            (self.pending, self.pending_bytes) = (0, 0);
        }
    }

    fn mix(&mut self, word: u64) {
        self.state = (self.state ^ word)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29);
    }

    fn finish(mut self) -> u64 {
        self.mix(self.pending ^ u64::from(self.pending_bytes) << 56);
        self.state
    }
}

/// More MDLs than any NB has.
const MAX_MDLS: usize = 1 << 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_does_not_depend_on_the_cuts() {
        let bytes: Vec<u8> = (0..100).collect();
        let whole = {
            let mut hash = Fingerprint::new();
            hash.add(&bytes);
            hash.finish()
        };
        for cut in 0..bytes.len() {
            let mut hash = Fingerprint::new();
            hash.add(&bytes[..cut]);
            hash.add(&bytes[cut..]);
            assert_eq!(hash.finish(), whole, "cut at {cut}");
        }
        let mut other = Fingerprint::new();
        other.add(&bytes[..99]);
        assert_ne!(other.finish(), whole);
    }
}
