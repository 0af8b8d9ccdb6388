//! Received frames as NBLs in many shapes, and sent NBLs as frames.

use ndis_sys::{
    Ieee8021QNetBufferListInfo, NDIS_HANDLE, NDIS_MAC_OPTION_8021P_PRIORITY,
    NDIS_MAC_OPTION_8021Q_VLAN, NET_BUFFER_LIST, nt::MDL_PAGES_LOCKED,
};

use crate::ndis::nbl::pool::{NdisAllocateNetBufferAndNetBufferList, NdisFreeNetBufferList};
use crate::ndis::nbl::{block, data};
use crate::ndis::view::{Mdl, Nb, Nbl};

/// How a frame's bytes are laid out over MDLs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Unused bytes before the frame, in the first MDL.
    pub head: u32,
    /// Lengths of the frame's pieces; what is left after them is the last piece. Each piece is an MDL.
    pub pieces: &'static [u32],
}

impl Shape {
    /// One MDL, exactly as long as the frame.
    pub const WHOLE: Self = Self {
        head: 0,
        pieces: &[],
    };

    /// Shapes that drivers get wrong: cuts in and around the Ethernet header and the tag, with and
    /// without odd bytes before it.
    pub fn awkward() -> Vec<Self> {
        const CUTS: &[&[u32]] = &[
            &[],
            &[1],
            &[12],
            &[13],
            &[14],
            &[15],
            &[16],
            &[17],
            &[18],
            &[6, 6, 2, 2, 2],
        ];
        CUTS.iter()
            .flat_map(|&pieces| (0..4).map(move |head| Self { head, pieces }))
            .collect()
    }
}

/// The memory behind an NBL of a NIC's or a client's.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    blocks: Vec<usize>,
    mdls: Vec<usize>,
}

impl Memory {
    /// A chain of MDLs with `frame` in this shape: the first MDL. `None` if there is no memory.
    pub(crate) fn of(frame: &[u8], shape: &Shape) -> Option<(Self, *mut ndis_sys::MDL)> {
        let mut memory = Self::default();
        let mut rest = frame;
        let mut first = std::ptr::null_mut();
        let mut last: Option<Mdl> = None;
        let cuts = shape.pieces.iter().map(|&piece| piece as usize);
        for (index, length) in cuts.chain([usize::MAX]).enumerate() {
            let (piece, left) = rest.split_at(length.min(rest.len()));
            rest = left;
            let head = if index == 0 { shape.head as usize } else { 0 };
            if piece.is_empty() && index != 0 {
                break;
            }
            let Some(mdl) = memory.add(piece, head) else {
                memory.free();
                return None;
            };
            match last {
                None => first = mdl.raw(),
                Some(last) => last.set_raw_next(mdl.raw()),
            }
            last = Some(mdl);
        }
        Some((memory, first))
    }

    fn add(&mut self, bytes: &[u8], head: usize) -> Option<Mdl> {
        let block = block::allocate(head + bytes.len(), TAG)?.as_ptr();
        self.blocks.push(block as usize);
        let start = block.wrapping_add(head);
        // SAFETY: the block is new and has `bytes.len()` bytes from `start` on.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), start, bytes.len()) };
        let mdl = block::describe(block, (head + bytes.len()) as u32)?;
        self.mdls.push(mdl as usize);
        // SAFETY: it was just made.
        unsafe { Mdl::from_raw(mdl) }
    }

    /// Makes the MDLs describe locked pages without a system address (`ns-wdm-_mdl.md`).
    pub(crate) fn unmap(&self) {
        for &mdl in &self.mdls {
            let mdl = mdl as *mut ndis_sys::MDL;
            // SAFETY: the MDL is this memory's own, and nobody else has it yet.
            let mdl = unsafe { &mut *mdl };
            mdl.MdlFlags = MDL_PAGES_LOCKED;
            mdl.MappedSystemVa = std::ptr::null_mut();
        }
    }

    /// Frees it all.
    pub(crate) fn free(self) {
        for mdl in self.mdls {
            block::free_mdl(mdl as *mut _);
        }
        for block in self.blocks {
            block::free(block as *mut u8);
        }
    }
}

/// An NBL of `pool` with one frame. `None` if there is no memory.
pub(crate) fn receive(pool: NDIS_HANDLE, frame: &[u8], shape: &Shape) -> Option<(Nbl, Memory)> {
    let (memory, chain) = Memory::of(frame, shape)?;
    // SAFETY: the pool is alive, and the chain has head and frame.
    let nbl = unsafe {
        NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, chain, shape.head, frame.len())
    };
    // SAFETY: it was just allocated.
    match unsafe { Nbl::from_raw(nbl) } {
        Some(nbl) => Some((nbl, memory)),
        None => {
            memory.free();
            None
        }
    }
}

/// Frees an NBL of [`receive`].
pub(crate) fn free(nbl: *mut NET_BUFFER_LIST, memory: Memory) {
    // SAFETY: the NBL is back with its allocator.
    unsafe { NdisFreeNetBufferList(nbl) };
    memory.free();
}

/// The frame of an NB, with the tag that travels beside it put in, whoever is to do that.
pub(crate) fn sent(nbl: Nbl, nb: Nb) -> Vec<u8> {
    let mut frame = data::bytes(nb);
    let info = nbl.info()[Ieee8021QNetBufferListInfo] as usize;
    if info != 0 {
        insert_tag(&mut frame, tag_of(info));
    }
    frame
}

/// The tag beside an NBL, as far as an adapter with these `NDIS_MAC_OPTION_*` inserts it: whole, its
/// priority alone, or nothing.
pub(crate) fn tag_beside(nbl: Nbl, mac_options: u32) -> Option<u16> {
    let info = nbl.info()[Ieee8021QNetBufferListInfo] as usize;
    let inserted = if mac_options & NDIS_MAC_OPTION_8021Q_VLAN != 0 {
        info
    } else if mac_options & NDIS_MAC_OPTION_8021P_PRIORITY != 0 {
        info & 0xf
    } else {
        0
    };
    (inserted != 0).then(|| tag_of(inserted))
}

/// Puts a tag into a frame.
pub(crate) fn insert_tag(frame: &mut Vec<u8>, tag: u16) {
    if frame.len() >= 12 {
        let [high, low] = tag.to_be_bytes();
        frame.splice(12..12, [0x81, 0x00, high, low]);
    }
}

/// Takes the tag out of a frame: the value for `Ieee8021QNetBufferListInfo`, if it had one.
pub(crate) fn strip_tag(frame: &mut Vec<u8>) -> Option<usize> {
    let [0x81, 0x00, high, low] = *frame.get(12..16)? else {
        return None;
    };
    frame.drain(12..16);
    Some(info_of(u16::from_be_bytes([high, low])))
}

/// Priority in bits 0 to 2, canonical format in bit 3, VLAN id in bits 4 to 15.
fn info_of(tag: u16) -> usize {
    usize::from(tag >> 13) | usize::from(tag >> 12 & 1) << 3 | usize::from(tag & 0xfff) << 4
}

fn tag_of(info: usize) -> u16 {
    let field = |shift: u32, mask: usize| (info >> shift & mask) as u16;
    field(0, 7) << 13 | field(3, 1) << 12 | field(4, 0xfff)
}

const TAG: u32 = u32::from_le_bytes(*b"NDfr");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_go_beside_the_frame_and_back() {
        let mut frame: Vec<u8> = (0..20).collect();
        frame.splice(12..12, [0x81, 0, 0xb0, 0x0a]);
        let info = strip_tag(&mut frame).unwrap();
        assert_eq!(frame, (0..20).collect::<Vec<u8>>());
        assert_eq!(info, 5 | 1 << 3 | 10 << 4);
        assert_eq!(tag_of(info), 0xb00a);
        assert_eq!(strip_tag(&mut frame), None);
    }

    #[test]
    fn a_shape_cuts_a_frame_and_keeps_its_bytes() {
        let frame: Vec<u8> = (0..60).collect();
        for shape in Shape::awkward() {
            let (memory, first) = Memory::of(&frame, &shape).unwrap();
            // SAFETY: the chain was just made.
            let first = unsafe { Mdl::from_raw(first) };
            let mut bytes = Vec::new();
            for mdl in std::iter::successors(first, |mdl| mdl.next()) {
                // SAFETY: as above.
                let piece = unsafe {
                    std::slice::from_raw_parts(mdl.virtual_address(), mdl.byte_count() as usize)
                };
                bytes.extend_from_slice(piece);
            }
            assert_eq!(bytes[shape.head as usize..], frame, "{shape:?}");
            memory.free();
        }
    }
}
