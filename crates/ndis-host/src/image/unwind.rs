//! How much stack each function of an x64 image takes, from its unwind information.
//!
//! A kernel stack is small, and a frame of a page or more needs `__chkstk` to touch each page.

use std::collections::BTreeMap;

use object::pe;

use super::parse::{Machine, Pe};

/// A function's stack frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// The function's offset in the image.
    pub(super) function: u32,
    /// Bytes that its prologue allocates, pushed registers not counted.
    pub(super) size: u64,
}

impl Pe {
    /// The frames of all functions that allocate stack. Empty for other processors than x64.
    /// Entries that make no sense are left out.
    pub(super) fn frames(&self) -> Vec<Frame> {
        if self.machine != Machine::X64 {
            return Vec::new();
        }
        let Some((offset, size)) = self.directory(pe::IMAGE_DIRECTORY_ENTRY_EXCEPTION) else {
            return Vec::new();
        };
        let mut frames = BTreeMap::new();
        for index in 0..size / ENTRY {
            let Some(entry) = offset.checked_add(index * ENTRY) else {
                break;
            };
            let (Some(function), Some(info)) = (self.u32(entry), entry.checked_add(8)) else {
                break;
            };
            let allocated = self.u32(info).and_then(|info| self.allocation(info));
            if let Some(bytes) = allocated.filter(|bytes| *bytes != 0) {
                frames.insert(function, bytes);
            }
        }
        frames
            .into_iter()
            .map(|(function, size)| Frame { function, size })
            .collect()
    }

    /// Bytes that the prologue described at `info` allocates.
    fn allocation(&self, info: u32) -> Option<u64> {
        let [_, _, count, _] = self.bytes::<4>(info)?;
        let slot = |index: u32| {
            let at = info.checked_add(4 + 2 * index)?;
            self.bytes::<2>(at)
        };
        let mut bytes = 0;
        let mut index = 0;
        while index < u32::from(count) {
            let [_, code] = slot(index)?;
            let (operation, operand) = (code & 0xf, code >> 4);
            index += match operation {
                ALLOC_LARGE if operand == 0 => {
                    bytes += u64::from(u16::from_le_bytes(slot(index + 1)?)) * 8;
                    2
                }
                ALLOC_LARGE => {
                    let low = u16::from_le_bytes(slot(index + 1)?);
                    let high = u16::from_le_bytes(slot(index + 2)?);
                    bytes += u64::from(low) | u64::from(high) << 16;
                    3
                }
                ALLOC_SMALL => {
                    bytes += (u64::from(operand) + 1) * 8;
                    1
                }
                SAVE_NONVOL | SAVE_XMM128 => 2,
                SAVE_NONVOL_FAR | SAVE_XMM128_FAR => 3,
                _ => 1,
            };
        }
        Some(bytes)
    }
}

/// Bytes of a RUNTIME_FUNCTION: begin, end, unwind information.
const ENTRY: u32 = 12;
const ALLOC_LARGE: u8 = 1;
const ALLOC_SMALL: u8 = 2;
const SAVE_NONVOL: u8 = 4;
const SAVE_NONVOL_FAR: u8 = 5;
const SAVE_XMM128: u8 = 8;
const SAVE_XMM128_FAR: u8 = 9;
