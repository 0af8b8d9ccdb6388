//! Memory descriptor lists. Every page of the process stays where it is, so that locking and mapping
//! move nothing; their order is checked all the same.
//!
//! An MDL that [`allocate`] made is a pool block: freeing it twice, or using it after, is seen there.

use std::ffi::c_void;
use std::ptr;

use ndis_sys::IRP;
use ndis_sys::nt::{
    BOOLEAN, CSHORT, KPROCESSOR_MODE, MDL, MDL_MAPPED_TO_SYSTEM_VA, MDL_PAGES_LOCKED, MDL_PARTIAL,
    MDL_PARTIAL_HAS_BEEN_MAPPED, MDL_SOURCE_IS_NONPAGED_POOL, PVOID, SIZE_T, ULONG,
};

use super::pool::{self, Kind, Tag};
use crate::ddi;
use crate::faults::should_fail;
use crate::rules;

/// Allocates an MDL for a buffer; null if there is no memory.
#[must_use]
pub fn allocate(address: *mut c_void, length: u32) -> *mut MDL {
    let size = size_for(address as usize, length as usize);
    let mdl = pool::allocate(size, TAG, Kind::NonPaged).cast::<MDL>();
    if !mdl.is_null() {
        let content = for_buffer(address as usize, length, size);
        // SAFETY: the block was just allocated with room for an MDL and more.
        unsafe { mdl.write(content) };
    }
    mdl
}

/// Frees an MDL that [`allocate`] made.
///
/// # Safety
/// `mdl` points to such an MDL, or to memory that the driver takes for one.
pub unsafe fn free(mdl: *mut MDL) {
    if !is_allocated(mdl) {
        // The pool knows what this pointer is, or was, and ends the run.
        pool::free(mdl.cast(), Some(TAG));
    }
    // SAFETY: it is a live block of an MDL's size, by the line above.
    let flags = unsafe { (*mdl).MdlFlags };
    let mapped = flags & MDL_MAPPED_TO_SYSTEM_VA != 0 && flags & MDL_PARTIAL == 0;
    if mapped && flags & MDL_PAGES_LOCKED != 0 {
        rules::broken(
            &rules::MDL_FREED_WHILE_MAPPED,
            format_args!(
                "the MDL {mdl:p} is freed while its pages are mapped (flags {flags:#06x})"
            ),
        );
    }
    rules::held(&rules::MDL_FREED_WHILE_MAPPED);
    pool::free(mdl.cast(), Some(TAG));
}

/// Makes an MDL describe a buffer of nonpaged pool at the buffer's own address.
///
/// # Safety
/// `mdl` points to an MDL for the buffer.
pub unsafe fn build_for_nonpaged_pool(mdl: *mut MDL) {
    // SAFETY: the caller's own promise.
    let mdl = unsafe { &mut *mdl };
    let done =
        MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL | MDL_MAPPED_TO_SYSTEM_VA | MDL_PARTIAL;
    if mdl.MdlFlags & done != 0 {
        rules::broken(
            &rules::MDL_BUILT_WITH_FLAGS,
            format_args!(
                "the MDL {mdl:p} has flags {:#06x} when it is built for nonpaged pool",
                mdl.MdlFlags
            ),
        );
    }
    rules::held(&rules::MDL_BUILT_WITH_FLAGS);
    mdl.MappedSystemVa = buffer_of(mdl);
    mdl.MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
}

ddi! { "ntoskrnl.exe":
    /// Allocates an MDL for a buffer (`nf-wdm-ioallocatemdl.md`). Null if there is no memory.
    [PASSIVE..=DISPATCH] fn IoAllocateMdl(
        address: PVOID,
        length: ULONG,
        _secondary: BOOLEAN,
        _charge_quota: BOOLEAN,
        irp: *mut IRP,
    ) -> *mut MDL {
        if !irp.is_null() {
            rules::broken(
                &rules::EXCEPTION_NOT_HANDLED,
                "this host does not implement IoAllocateMdl with an IRP",
            );
        }
        rules::held(&rules::EXCEPTION_NOT_HANDLED);
        allocate(address, length)
    }

    /// Frees an MDL (`nf-wdm-iofreemdl.md`).
    [PASSIVE..=DISPATCH] fn IoFreeMdl(mdl: *mut MDL) {
        // SAFETY: the driver gives an MDL (the function's document).
        unsafe { free(mdl) };
    }

    /// Bytes of an MDL for a buffer (`nf-wdm-mmsizeofmdl.md`).
    [PASSIVE..=HIGH, unchecked] fn MmSizeOfMdl(address: PVOID, length: SIZE_T) -> SIZE_T {
        size_for(address as usize, length)
    }

    /// Makes an MDL describe nonpaged pool (`nf-wdm-mmbuildmdlfornonpagedpool.md`).
    [PASSIVE..=DISPATCH] fn MmBuildMdlForNonPagedPool(mdl: *mut MDL) {
        // SAFETY: the driver gives an MDL (the function's document).
        unsafe { build_for_nonpaged_pool(mdl) };
    }

    /// Makes an MDL describe a part of another's buffer (`nf-wdm-iobuildpartialmdl.md`).
    [PASSIVE..=DISPATCH, unchecked] fn IoBuildPartialMdl(
        source: *mut MDL,
        target: *mut MDL,
        address: PVOID,
        length: ULONG,
    ) {
        // SAFETY: the driver gives two MDLs (the function's document).
        let source = unsafe { &*source };
        // SAFETY: as above.
        unsafe { build_partial(source, target, address as usize, length) };
    }

    /// Locks the pages of a buffer (`nf-wdm-mmprobeandlockpages.md`).
    [PASSIVE..=DISPATCH, unchecked] fn MmProbeAndLockPages(
        mdl: *mut MDL,
        _mode: KPROCESSOR_MODE,
        _operation: i32,
    ) {
        // SAFETY: the driver gives an MDL (the function's document).
        unsafe { (*mdl).MdlFlags |= MDL_PAGES_LOCKED };
    }

    /// Unlocks the pages of a buffer (`nf-wdm-mmunlockpages.md`).
    [PASSIVE..=DISPATCH, unchecked] fn MmUnlockPages(mdl: *mut MDL) {
        // SAFETY: the driver gives an MDL (the function's document).
        let flags = unsafe { &mut (*mdl).MdlFlags };
        if *flags & MDL_PAGES_LOCKED == 0 {
            rules::broken(
                &rules::MDL_UNLOCKED_NOT_LOCKED,
                format_args!("the pages of the MDL {mdl:p} are unlocked (flags {flags:#06x})"),
            );
        }
        rules::held(&rules::MDL_UNLOCKED_NOT_LOCKED);
        *flags &= !(MDL_PAGES_LOCKED | MDL_MAPPED_TO_SYSTEM_VA);
    }

    /// Maps the pages of an MDL; null if they cannot be (`nf-wdm-mmmaplockedpagesspecifycache.md`).
    [PASSIVE..=DISPATCH] fn MmMapLockedPagesSpecifyCache(
        mdl: *mut MDL,
        mode: KPROCESSOR_MODE,
        _cache: i32,
        _requested: PVOID,
        _bug_check: ULONG,
        _priority: ULONG,
    ) -> PVOID {
        if mode != 0 {
            rules::broken(
                &rules::EXCEPTION_NOT_HANDLED,
                "this host has no user mode to map an MDL into",
            );
        }
        rules::held(&rules::EXCEPTION_NOT_HANDLED);
        if should_fail("MmMapLockedPagesSpecifyCache") {
            return ptr::null_mut();
        }
        // SAFETY: the driver gives an MDL (the function's document).
        let mdl = unsafe { &mut *mdl };
        map(mdl)
    }

    /// Takes a mapping back (`nf-wdm-mmunmaplockedpages.md`).
    [PASSIVE..=DISPATCH] fn MmUnmapLockedPages(_address: PVOID, mdl: *mut MDL) {
        // SAFETY: the driver gives an MDL (the function's document).
        let mdl = unsafe { &mut *mdl };
        if mdl.MdlFlags & MDL_MAPPED_TO_SYSTEM_VA == 0 {
            rules::broken(
                &rules::MDL_NOT_MAPPED,
                format_args!("the MDL {mdl:p} is unmapped (flags {:#06x})", mdl.MdlFlags),
            );
        }
        rules::held(&rules::MDL_NOT_MAPPED);
        mdl.MdlFlags &= !(MDL_MAPPED_TO_SYSTEM_VA | MDL_PARTIAL_HAS_BEEN_MAPPED);
    }
}

fn map(mdl: &mut MDL) -> PVOID {
    let mapped = MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL;
    if mdl.MdlFlags & mapped != 0 {
        rules::broken(
            &rules::MDL_MAPPED_TWICE,
            format_args!(
                "the MDL {mdl:p} has an address already (flags {:#06x}); \
                 MmGetSystemAddressForMdlSafe takes that one",
                mdl.MdlFlags
            ),
        );
    }
    rules::held(&rules::MDL_MAPPED_TWICE);
    if mdl.MdlFlags & (MDL_PAGES_LOCKED | MDL_PARTIAL) == 0 {
        rules::broken(
            &rules::MDL_NOT_LOCKED,
            format_args!("the MDL {mdl:p} is mapped (flags {:#06x})", mdl.MdlFlags),
        );
    }
    rules::held(&rules::MDL_NOT_LOCKED);
    mdl.MappedSystemVa = buffer_of(mdl);
    mdl.MdlFlags |= MDL_MAPPED_TO_SYSTEM_VA;
    if mdl.MdlFlags & MDL_PARTIAL != 0 {
        mdl.MdlFlags |= MDL_PARTIAL_HAS_BEEN_MAPPED;
    }
    mdl.MappedSystemVa
}

/// # Safety
/// `target` points to an MDL.
unsafe fn build_partial(source: &MDL, target: *mut MDL, address: usize, length: ULONG) {
    // SAFETY: the caller's own promise.
    let target = unsafe { &mut *target };
    let whole = buffer_of(source) as usize;
    let end = whole + source.ByteCount as usize;
    let length = if length == 0 {
        end.saturating_sub(address)
    } else {
        length as usize
    };
    if address < whole || address + length > end {
        rules::broken(
            &rules::MDL_PARTIAL_OUTSIDE,
            format_args!(
                "{length} bytes at {address:#x} are no part of {} bytes at {whole:#x}",
                source.ByteCount
            ),
        );
    }
    rules::held(&rules::MDL_PARTIAL_OUTSIDE);
    let size = target.Size;
    if (size as usize) < size_for(address, length) {
        rules::broken(
            &rules::MDL_PARTIAL_OUTSIDE,
            format_args!("an MDL of {size} bytes is too small for {length} bytes at {address:#x}"),
        );
    }
    rules::held(&rules::MDL_PARTIAL_OUTSIDE);
    let next = target.Next;
    *target = for_buffer(address, length as u32, size as usize);
    target.Next = next;
    target.MdlFlags |= MDL_PARTIAL;
    let mapped = source.MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL);
    if mapped != 0 {
        target.MdlFlags |= mapped;
        let offset = address - whole;
        target.MappedSystemVa = source.MappedSystemVa.wrapping_byte_add(offset);
    }
}

fn for_buffer(address: usize, length: u32, size: usize) -> MDL {
    MDL {
        Size: size as CSHORT,
        StartVa: (address & !(PAGE - 1)) as PVOID,
        ByteOffset: (address & (PAGE - 1)) as ULONG,
        ByteCount: length,
        ..MDL::zeroed()
    }
}

fn buffer_of(mdl: &MDL) -> PVOID {
    mdl.StartVa.wrapping_byte_add(mdl.ByteOffset as usize)
}

/// The structure, and a page number for each page that the buffer touches.
fn size_for(address: usize, length: usize) -> usize {
    let pages = ((address & (PAGE - 1)) + length).div_ceil(PAGE);
    size_of::<MDL>() + pages * size_of::<usize>()
}

fn is_allocated(mdl: *mut MDL) -> bool {
    pool::tag_of(mdl.cast()) == Some(TAG)
}

const PAGE: usize = 4096;
const TAG: Tag = Tag(u32::from_le_bytes(*b"Mdl "));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::assert_broken;

    const BUFFER: PVOID = 0x12_3456_0f80 as PVOID;

    #[test]
    fn an_mdl_describes_its_buffer_and_has_room_for_its_pages() {
        let mdl = allocate(BUFFER, 0x100);
        // SAFETY: the MDL was just allocated.
        let content = unsafe { &mut *mdl };
        assert_eq!(content.StartVa as usize, 0x12_3456_0000);
        assert_eq!((content.ByteOffset, content.ByteCount), (0xf80, 0x100));
        assert_eq!(content.Size as usize, 48 + 2 * 8);
        // SAFETY: as above.
        unsafe { build_for_nonpaged_pool(mdl) };
        assert_eq!(content.MappedSystemVa, BUFFER);
        // SAFETY: as above; `content` is not used any more.
        unsafe { free(mdl) };
    }

    #[test]
    fn a_partial_mdl_shares_the_mapping() {
        let (source, target) = (allocate(BUFFER, 0x100), allocate(BUFFER, 0x100));
        // SAFETY: both MDLs were just allocated.
        unsafe { build_for_nonpaged_pool(source) };
        let part = BUFFER.wrapping_byte_add(0x90);
        // SAFETY: as above.
        unsafe { IoBuildPartialMdl(source, target, part, 0) };
        // SAFETY: as above.
        let content = unsafe { &*target };
        assert_eq!((content.MappedSystemVa, content.ByteCount), (part, 0x70));
        // SAFETY: as above; `content` is not used any more.
        unsafe { free(target) };
        // SAFETY: as above.
        unsafe { free(source) };
    }

    #[test]
    fn mapping_what_is_not_locked_breaks_the_mdl_rule() {
        assert_broken(&rules::MDL_NOT_LOCKED, &["is mapped"], || {
            let mdl = allocate(BUFFER, 0x100);
            // SAFETY: the MDL was just allocated.
            map(unsafe { &mut *mdl })
        });
    }

    #[test]
    fn mapping_nonpaged_pool_again_breaks_the_mdl_rule() {
        assert_broken(
            &rules::MDL_MAPPED_TWICE,
            &["has an address already"],
            || {
                let mdl = allocate(BUFFER, 0x100);
                // SAFETY: the MDL was just allocated.
                unsafe { build_for_nonpaged_pool(mdl) };
                // SAFETY: as above.
                map(unsafe { &mut *mdl })
            },
        );
    }

    #[test]
    fn freeing_an_mdl_twice_breaks_the_double_free_rule() {
        assert_broken(&rules::POOL_DOUBLE_FREE, &["'Mdl '"], || {
            let mdl = allocate(BUFFER, 0x100);
            // SAFETY: the MDL was just allocated.
            unsafe { free(mdl) };
            // SAFETY: the pointer is only looked up.
            unsafe { free(mdl) };
        });
    }

    #[test]
    fn a_part_outside_of_the_whole_breaks_the_mdl_rule() {
        assert_broken(
            &rules::MDL_PARTIAL_OUTSIDE,
            &["are no part of 256 bytes"],
            || {
                let (source, target) = (allocate(BUFFER, 0x100), allocate(BUFFER, 0x200));
                let part = BUFFER.wrapping_byte_add(0x90);
                // SAFETY: both MDLs were just allocated.
                unsafe { IoBuildPartialMdl(source, target, part, 0x100) };
            },
        );
    }
}
