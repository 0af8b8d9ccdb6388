//! Blocks from the process's heap, with a pattern before and after, filled with another when freed.
//!
//! Freed blocks stay for a while, so that a write after the free is found when they leave.

use std::alloc::{Layout, alloc, dealloc};
use std::collections::VecDeque;

use super::{Block, Fill, Freed};

/// The freed blocks that are still kept.
pub(super) struct Heap {
    freed: VecDeque<(Piece, Freed)>,
    freed_bytes: usize,
    /// A freed block that was found written when it left the queue.
    spoiled: Option<(Block, usize)>,
}

/// The memory of one block.
#[derive(Debug)]
pub(super) struct Piece {
    start: usize,
    layout: Layout,
    /// Where the block is in that memory.
    block: usize,
    size: usize,
}

impl Heap {
    pub(super) const fn new() -> Self {
        Self {
            freed: VecDeque::new(),
            freed_bytes: 0,
            spoiled: None,
        }
    }

    pub(super) fn allocate(
        &mut self,
        size: usize,
        align: usize,
        fill: Fill,
    ) -> Option<(usize, Piece)> {
        let align = if size >= PAGE { PAGE } else { align.max(16) };
        let before = align.max(ZONE);
        let layout = Layout::from_size_align(before + size + ZONE, align).ok()?;
        // SAFETY: the layout's size is at least that of two zones, so not zero.
        let start = unsafe { alloc(layout) } as usize;
        if start == 0 {
            return None;
        }
        let piece = Piece {
            start,
            layout,
            block: start + before,
            size,
        };
        let content = match fill {
            Fill::Zero => 0,
            Fill::Uninitialized => UNINITIALIZED,
        };
        piece.write(start, before, AROUND);
        piece.write(piece.block, size, content);
        piece.write(piece.block + size, ZONE, AROUND);
        Some((piece.block, piece))
    }

    pub(super) fn free(&mut self, piece: Piece, freed: Freed) {
        piece.write(piece.block, piece.size, FREED);
        self.freed_bytes += piece.layout.size();
        self.freed.push_back((piece, freed));
        while self.freed.len() > KEPT_BLOCKS || self.freed_bytes > KEPT_BYTES {
            let Some((piece, freed)) = self.freed.pop_front() else {
                break;
            };
            self.freed_bytes -= piece.layout.size();
            if let Some(offset) = piece.written_after_free() {
                self.spoiled.get_or_insert((freed.block, offset));
            }
            piece.give_back();
        }
    }

    /// A freed block that was written since, and the offset of the first byte.
    pub(super) fn check_freed(&self) -> Option<(Block, usize)> {
        self.spoiled.clone().or_else(|| {
            self.freed.iter().find_map(|(piece, freed)| {
                let offset = piece.written_after_free()?;
                Some((freed.block.clone(), offset))
            })
        })
    }

    pub(super) fn freed_at(&self, address: usize) -> Option<&Freed> {
        self.freed
            .iter()
            .rev()
            .find(|(piece, _)| (piece.block..piece.block + piece.size.max(1)).contains(&address))
            .map(|(_, freed)| freed)
    }
}

impl Piece {
    /// Where a byte around the block was written, if one was.
    pub(super) fn spoiled(&self) -> Option<String> {
        let before = self.read(self.start, self.block - self.start);
        if let Some(index) = before.iter().rposition(|byte| *byte != AROUND) {
            return Some(format!("{} before its start", before.len() - index));
        }
        let after = self.read(self.block + self.size, ZONE);
        let index = after.iter().position(|byte| *byte != AROUND)?;
        Some(format!("{index} past its end"))
    }

    fn written_after_free(&self) -> Option<usize> {
        self.read(self.block, self.size)
            .iter()
            .position(|byte| *byte != FREED)
    }

    fn write(&self, start: usize, length: usize, byte: u8) {
        debug_assert!(start >= self.start && start + length <= self.start + self.layout.size());
        // SAFETY: the range is in this piece's memory, and its block is not in the driver's hands:
        // not yet, or no more.
        unsafe { std::ptr::write_bytes(start as *mut u8, byte, length) };
    }

    fn read(&self, start: usize, length: usize) -> &[u8] {
        debug_assert!(start >= self.start && start + length <= self.start + self.layout.size());
        // SAFETY: the range is in this piece's memory, and nobody writes it unless the driver is
        // wrong, which is what this looks for.
        unsafe { std::slice::from_raw_parts(start as *const u8, length) }
    }

    fn give_back(self) {
        // SAFETY: `start` came from `alloc` with this layout, and giving back consumes the piece.
        unsafe { dealloc(self.start as *mut u8, self.layout) };
    }
}

const PAGE: usize = 4096;
/// Bytes of pattern on each side, at least.
const ZONE: usize = 32;
const KEPT_BLOCKS: usize = 4096;
const KEPT_BYTES: usize = 16 << 20;
/// Around a block.
const AROUND: u8 = 0xf5;
/// In a block that was freed.
const FREED: u8 = 0xdd;
/// In a block that was asked for without zeroing.
const UNINITIALIZED: u8 = 0xcd;
