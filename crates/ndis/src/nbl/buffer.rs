//! A NET_BUFFER: one frame, over a chain of MDLs.
//!
//! The data of a frame begins at `CurrentMdlOffset` of `CurrentMdl` and goes on over any number of
//! MDLs of any length, so bytes are read and written by walking; no header is assumed to be in one
//! piece.

use core::{
    ptr::{self, NonNull},
    slice,
};

use ndis_sys as sys;

use crate::status::{Result, Status};

/// A NET_BUFFER, seen by a driver that may read it.
#[repr(C)]
pub struct NetBuffer {
    raw: sys::NET_BUFFER,
    /// Takes no room, but has no size that is known: so nobody can swap what two views look at.
    unsized_tail: [()],
}

impl NetBuffer {
    /// # Safety
    /// The NET_BUFFER and its MDLs are valid, and nobody writes to them, for as long as the view
    /// lives.
    pub(super) unsafe fn from_raw<'a>(raw: NonNull<sys::NET_BUFFER>) -> &'a Self {
        let view = ptr::slice_from_raw_parts(raw.as_ptr().cast::<()>(), 0) as *const Self;
        // SAFETY: as the caller says; the view has the structure's layout.
        unsafe { &*view }
    }

    /// # Safety
    /// The NET_BUFFER and its MDLs are valid, and nobody else uses them, for as long as the view
    /// lives.
    pub(super) unsafe fn from_raw_mut<'a>(raw: NonNull<sys::NET_BUFFER>) -> &'a mut Self {
        let view = ptr::slice_from_raw_parts_mut(raw.as_ptr().cast::<()>(), 0) as *mut Self;
        // SAFETY: as the caller says; the view has the structure's layout.
        unsafe { &mut *view }
    }

    pub(super) const fn next(&self) -> *mut sys::NET_BUFFER {
        self.raw.Next
    }

    /// The length of the frame, in bytes.
    #[must_use]
    pub const fn data_length(&self) -> u32 {
        self.raw.DataLength
    }

    /// How many bytes of the frame lie in one piece at its beginning.
    #[must_use]
    pub fn first_piece(&self) -> u32 {
        // SAFETY: a NET_BUFFER with data has a current MDL, which nobody writes to.
        let mdl = unsafe { self.raw.CurrentMdl.as_ref() };
        let length = mdl.map_or(0, |mdl| {
            mdl.ByteCount.saturating_sub(self.raw.CurrentMdlOffset)
        });
        length.min(self.raw.DataLength)
    }

    /// Copies the first bytes of the frame. Returns how many: all that were asked for, or as many
    /// as the frame has, or as could be mapped.
    #[must_use]
    pub fn read_front(&self, into: &mut [u8]) -> usize {
        let wanted = into.len().min(self.raw.DataLength as usize);
        let mut done = 0;
        self.walk(wanted, |piece| {
            // SAFETY: `walk` gives readable pieces of the frame, which nobody writes to.
            let piece = unsafe { slice::from_raw_parts(piece.start, piece.length) };
            into[done..done + piece.len()].copy_from_slice(piece);
            done += piece.len();
        });
        done
    }

    /// Overwrites the first bytes of the frame: all of them, or none.
    ///
    /// # Errors
    /// [`Status::INVALID_LENGTH`] if the frame is shorter, [`Status::RESOURCES`] if it cannot be
    /// mapped.
    pub fn write_front(&mut self, from: &[u8]) -> Result {
        if from.len() > self.raw.DataLength as usize {
            return Err(Status::INVALID_LENGTH);
        }
        // Mapping is what can fail. Each MDL keeps its mapping, so the second walk goes through.
        let mapped = self.walk(from.len(), |_| {});
        if mapped != from.len() {
            return Err(Status::RESOURCES);
        }
        let mut done = 0;
        self.walk(from.len(), |piece| {
            let source = &from[done..done + piece.length];
            // SAFETY: `walk` gives pieces of the frame, which only this driver uses for now.
            unsafe { ptr::copy_nonoverlapping(source.as_ptr(), piece.start, piece.length) };
            done += piece.length;
        });
        Ok(())
    }

    /// How many bytes of unused data space there are in front of the frame.
    #[must_use]
    pub const fn room_in_front(&self) -> u32 {
        self.raw.DataOffset
    }

    /// Takes room in front of the frame and overwrites its first bytes, new and old, with `front`.
    /// All or nothing. [`shrink_front`](Self::shrink_front) undoes it.
    ///
    /// # Errors
    /// [`Status::INVALID_LENGTH`] if the frame would still be shorter than `front`,
    /// [`Status::RESOURCES`] if there is no such room, or memory is short.
    pub fn grow_front(&mut self, by: u32, front: &[u8]) -> Result {
        if front.len() > self.raw.DataLength as usize + by as usize {
            return Err(Status::INVALID_LENGTH);
        }
        // NDIS would put an MDL of its own in front, and `advance` could not have it freed without
        // risking one of the sender's.
        if self.room_in_front() < by {
            return Err(Status::RESOURCES);
        }
        // SAFETY: the NET_BUFFER is this driver's for now (NdisRetreatNetBufferDataStart).
        let status = unsafe { sys::NdisRetreatNetBufferDataStart(&raw mut self.raw, by, 0, None) };
        Status::from_raw(status).ok()?;
        self.write_front(front).inspect_err(|_| self.advance(by))
    }

    /// Takes `by` bytes off the front and overwrites the first bytes of what is left with `front`.
    ///
    /// # Errors
    /// [`Status::INVALID_LENGTH`] if the frame is too short: then nothing changed.
    pub fn shrink_front(&mut self, by: u32, front: &[u8]) -> Result {
        let left = self
            .raw
            .DataLength
            .checked_sub(by)
            .ok_or(Status::INVALID_LENGTH)?;
        if front.len() > left as usize {
            return Err(Status::INVALID_LENGTH);
        }
        self.advance(by);
        self.write_front(front)
    }

    /// Undoes a retreat of `by` bytes. No MDL is freed: the retreat had room, so all are the sender's, also
    /// one that holds nothing but that room.
    fn advance(&mut self, by: u32) {
        // SAFETY: the NET_BUFFER is this driver's for now, and has at least `by` bytes
        // (NdisAdvanceNetBufferDataStart).
        unsafe { sys::NdisAdvanceNetBufferDataStart(&raw mut self.raw, by, 0, None) };
    }

    /// Calls `visit` with the pieces of memory that hold the first `length` bytes of the frame, in
    /// order. Returns for how many bytes: fewer if an MDL cannot be mapped.
    fn walk(&self, length: usize, mut visit: impl FnMut(Piece)) -> usize {
        let mut mdl = self.raw.CurrentMdl;
        let mut offset = self.raw.CurrentMdlOffset as usize;
        let mut done = 0;
        while done < length {
            // SAFETY: the MDL chain of a NET_BUFFER is valid, and ends with null.
            let Some(current) = (unsafe { mdl.as_ref() }) else {
                break;
            };
            let available = (current.ByteCount as usize).saturating_sub(offset);
            let next = current.Next;
            if available > 0 {
                // SAFETY: as above; the pages of a frame are locked or nonpaged.
                let mapped = unsafe { sys::MmGetSystemAddressForMdlSafe(mdl, MAPPING) };
                let Some(start) = NonNull::new(mapped.cast::<u8>()) else {
                    break;
                };
                let take = available.min(length - done);
                // SAFETY: the mapping covers `ByteCount` bytes, and `offset` lies before its end.
                let start = unsafe { start.as_ptr().add(offset) };
                visit(Piece {
                    start,
                    length: take,
                });
                done += take;
            }
            offset = 0;
            mdl = next;
        }
        done
    }
}

/// Contiguous memory that holds a part of a frame.
struct Piece {
    start: *mut u8,
    length: usize,
}

/// Never executable, and of `LowPagePriority`, which is zero: fail rather than use up what is left.
const MAPPING: u32 = sys::MdlMappingNoExecute;
