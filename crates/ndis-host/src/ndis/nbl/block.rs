//! The memory of NBLs, NBs, context space, and MDLs that NDIS makes: pool blocks, so that special pool
//! finds who writes over their ends or uses them after they are freed.

use std::ffi::c_void;
use std::ptr::NonNull;

use ndis_sys::{MDL, MDL_SOURCE_IS_NONPAGED_POOL};

use crate::nt::pool;

/// A zeroed block.
pub(crate) fn allocate(size: usize, tag: u32) -> Option<NonNull<u8>> {
    NonNull::new(pool::allocate(size, tag, pool::Kind::NonPaged))
}

/// Frees a block.
pub(crate) fn free(block: *mut u8) {
    pool::free(block, None);
}

/// An MDL that describes `length` bytes at `start`, which are not freed with it.
pub(crate) fn describe(start: *mut u8, length: u32) -> Option<*mut MDL> {
    let offset = start as usize % PAGE;
    let pages = (offset + length as usize).div_ceil(PAGE);
    let size = size_of::<MDL>() + pages * size_of::<usize>();
    let block: NonNull<MDL> = allocate(size, TAG)?.cast();
    let mdl = MDL {
        Size: size as i16,
        MdlFlags: MDL_SOURCE_IS_NONPAGED_POOL,
        MappedSystemVa: start.cast::<c_void>(),
        StartVa: start.wrapping_sub(offset).cast::<c_void>(),
        ByteCount: length,
        ByteOffset: offset as u32,
        ..MDL::zeroed()
    };
    // SAFETY: the block is new and has room for an MDL.
    unsafe { block.write(mdl) };
    Some(block.as_ptr())
}

/// Frees an MDL of [`describe`].
pub(crate) fn free_mdl(mdl: *mut MDL) {
    free(mdl.cast());
}

/// New memory with an MDL that describes it.
pub(crate) fn allocate_described(length: u32, tag: u32) -> Option<*mut MDL> {
    let data = allocate(length as usize, tag)?;
    let mdl = describe(data.as_ptr(), length);
    if mdl.is_none() {
        free(data.as_ptr());
    }
    mdl
}

/// Frees what [`allocate_described`] made.
pub(crate) fn free_described(mdl: *mut MDL) {
    // SAFETY: the MDL is one of `allocate_described` that was not freed.
    let data = unsafe { (*mdl).MappedSystemVa };
    free(data.cast());
    free_mdl(mdl);
}

const PAGE: usize = 4096;
const TAG: u32 = u32::from_le_bytes(*b"NDmd");
