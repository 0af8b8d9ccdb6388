//! The memory of NBLs, NBs, context space, and MDLs that NDIS makes: pool blocks, so that special pool
//! finds who writes over their ends or uses them after they are freed.

use std::ffi::c_void;
use std::ptr::NonNull;

use ndis_sys::{MDL, MDL_SOURCE_IS_NONPAGED_POOL};

use crate::nt::pool;
use crate::rules;

/// A zeroed block.
pub(crate) fn allocate(size: usize, tag: u32) -> Option<NonNull<u8>> {
    NonNull::new(pool::allocate(size, tag, pool::Kind::NonPaged))
}

/// Frees a block.
pub(crate) fn free(block: *mut u8) {
    pool::free(block, None);
}

/// A block like [`allocate`], for a structure of which the host knows `entry`. With the rules on that is
/// in a table of the caller's, and comes back; with them off it is in front of the structure.
pub(super) fn allocate_known<E>(
    size: usize,
    tag: u32,
    entry: E,
) -> Option<(NonNull<u8>, Option<E>)> {
    if rules::enforced() {
        return Some((allocate(size, tag)?, Some(entry)));
    }
    let ahead = ahead::<E>();
    let block = allocate_uninitialized(ahead + size, tag)?;
    // SAFETY: the block is new, aligned to 16 as `ahead` requires, and has room for the entry.
    unsafe { block.cast::<E>().write(entry) };
    // SAFETY: the block is longer than that.
    Some((unsafe { block.add(ahead) }, None))
}

/// What is known of the structure at `start`, which [`allocate_known`] put in front of it.
pub(super) fn entry_of<E>(start: usize) -> *mut E {
    (start - ahead::<E>()) as *mut E
}

/// Frees a block of [`allocate_known`], whose entry was taken out.
pub(super) fn free_known<E>(start: *mut u8) {
    free(if rules::enforced() {
        start
    } else {
        entry_of::<E>(start as usize).cast()
    });
}

fn ahead<E>() -> usize {
    const { assert!(align_of::<E>() <= 16) };
    size_of::<E>().next_multiple_of(16)
}

fn allocate_uninitialized(size: usize, tag: u32) -> Option<NonNull<u8>> {
    let fill = pool::Fill::Uninitialized;
    NonNull::new(pool::allocate_with(
        size,
        tag.into(),
        pool::Kind::NonPaged,
        16,
        fill,
    ))
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
