//! Lookaside lists: the inline functions of the kernel's headers work on the list's own layout, with
//! the SLIST functions and the two function pointers that are set here.
//!
//! A list keeps nothing (its depth is 0), so that each of its blocks is a pool block of its own, with
//! all the checks of the pool.

use std::ffi::c_void;

use ndis_sys::nt::{
    LIST_ENTRY, NTSTATUS, SIZE_T, SLIST_HEADER, STATUS_INSUFFICIENT_RESOURCES, STATUS_SUCCESS,
    ULONG, USHORT,
};

use super::pool::exports;
use super::sched::Monitor;
use crate::ddi;
use crate::faults::should_fail;
use crate::rules;

ddi! { "ntoskrnl.exe":
    /// Makes a lookaside list of nonpaged blocks (`nf-wdm-exinitializenpagedlookasidelist.md`).
    [PASSIVE..=DISPATCH, unchecked] fn ExInitializeNPagedLookasideList(
        list: *mut Lookaside,
        allocate: *mut c_void,
        free: *mut c_void,
        flags: ULONG,
        size: SIZE_T,
        tag: ULONG,
        _depth: USHORT,
    ) {
        let pool_type = if flags & POOL_NX_ALLOCATION == 0 { 0 } else { POOL_NX_ALLOCATION };
        // SAFETY: the driver gives the storage of a list (the function's document).
        unsafe { initialize(list, allocate, free, pool_type, size, tag) };
    }

    /// Makes a lookaside list of paged blocks (`nf-wdm-exinitializepagedlookasidelist.md`).
    [PASSIVE..=APC, unchecked] fn ExInitializePagedLookasideList(
        list: *mut Lookaside,
        allocate: *mut c_void,
        free: *mut c_void,
        _flags: ULONG,
        size: SIZE_T,
        tag: ULONG,
        _depth: USHORT,
    ) {
        // SAFETY: the driver gives the storage of a list (the function's document).
        unsafe { initialize(list, allocate, free, PAGED_POOL, size, tag) };
    }

    /// Makes a lookaside list of blocks of any pool (`nf-wdm-exinitializelookasidelistex.md`).
    /// STATUS_SUCCESS or STATUS_INSUFFICIENT_RESOURCES.
    [PASSIVE..=DISPATCH, unchecked] fn ExInitializeLookasideListEx(
        list: *mut Lookaside,
        allocate: *mut c_void,
        free: *mut c_void,
        pool_type: ULONG,
        _flags: ULONG,
        size: SIZE_T,
        tag: ULONG,
        _depth: USHORT,
    ) -> NTSTATUS {
        if should_fail("ExInitializeLookasideListEx") {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        // The default functions take one argument less than those of these lists, which does no harm.
        // SAFETY: the driver gives the storage of a list (the function's document).
        unsafe { initialize(list, allocate, free, pool_type, size, tag) };
        STATUS_SUCCESS
    }

    /// Frees the blocks that a list keeps (`nf-wdm-exflushlookasidelistex.md`): none here.
    [PASSIVE..=DISPATCH, unchecked] fn ExFlushLookasideListEx(list: *mut Lookaside) {
        if !LISTS.lock().contains(&(list as usize)) {
            rules::broken(
                &rules::LOOKASIDE_NOT_INITIALIZED,
                format_args!("{list:p} is flushed, and is no lookaside list"),
            );
        }
    }

    /// Ends a lookaside list (`nf-wdm-exdeletelookasidelistex.md`).
    [PASSIVE..=DISPATCH, unchecked] fn ExDeleteLookasideListEx(list: *mut Lookaside) {
        delete(list);
    }

    /// Ends a lookaside list (`nf-wdm-exdeletenpagedlookasidelist.md`).
    [PASSIVE..=DISPATCH, unchecked] fn ExDeleteNPagedLookasideList(list: *mut Lookaside) {
        delete(list);
    }

    /// Ends a lookaside list (`nf-wdm-exdeletepagedlookasidelist.md`).
    [PASSIVE..=APC, unchecked] fn ExDeletePagedLookasideList(list: *mut Lookaside) {
        delete(list);
    }
}

/// GENERAL_LOOKASIDE of 64-bit Windows, which both kinds of list begin with.
#[repr(C, align(128))]
pub struct Lookaside {
    head: SLIST_HEADER,
    depth: USHORT,
    maximum_depth: USHORT,
    total_allocates: ULONG,
    allocate_misses: ULONG,
    total_frees: ULONG,
    free_misses: ULONG,
    pool_type: ULONG,
    tag: ULONG,
    size: ULONG,
    allocate: *mut c_void,
    free: *mut c_void,
    list_entry: LIST_ENTRY,
    last_total_allocates: ULONG,
    last_allocate_misses: ULONG,
    future: [ULONG; 2],
}

/// # Safety
/// `list` is memory for a lookaside list.
unsafe fn initialize(
    list: *mut Lookaside,
    allocate: *mut c_void,
    free: *mut c_void,
    pool_type: ULONG,
    size: SIZE_T,
    tag: ULONG,
) {
    if LISTS.lock().contains(&(list as usize)) {
        rules::broken(
            &rules::LOOKASIDE_REINITIALIZED,
            format_args!("the lookaside list {list:p} is initialized again"),
        );
    }
    rules::held(&rules::LOOKASIDE_REINITIALIZED);
    let or = |given: *mut c_void, default: usize| {
        if given.is_null() {
            default as *mut c_void
        } else {
            given
        }
    };
    let content = Lookaside {
        head: SLIST_HEADER::zeroed(),
        depth: 0,
        maximum_depth: 0,
        total_allocates: 0,
        allocate_misses: 0,
        total_frees: 0,
        free_misses: 0,
        pool_type,
        tag,
        size: size as ULONG,
        allocate: or(allocate, exports::ex_allocate_pool_with_tag()),
        free: or(free, exports::ex_free_pool()),
        list_entry: LIST_ENTRY::zeroed(),
        last_total_allocates: 0,
        last_allocate_misses: 0,
        future: [0; 2],
    };
    // SAFETY: the caller's own promise. The list may lie at any address: drivers align it less than
    // its type asks for where a block of pool is all they have.
    unsafe { std::ptr::copy_nonoverlapping((&raw const content).cast::<u8>(), list.cast(), USED) };
    LISTS.lock().push(list as usize);
}

fn delete(list: *mut Lookaside) {
    let mut lists = LISTS.lock();
    let known = lists.iter().position(|known| *known == list as usize);
    if let Some(known) = known {
        lists.swap_remove(known);
        return;
    }
    drop(lists);
    rules::broken(
        &rules::LOOKASIDE_NOT_INITIALIZED,
        format_args!("the lookaside list {list:p} is deleted, but was not initialized"),
    );
}

const PAGED_POOL: ULONG = 1;
const POOL_NX_ALLOCATION: ULONG = 0x200;
/// Bytes of the list up to the last field.
const USED: usize = std::mem::offset_of!(Lookaside, future) + 8;

const _: () = assert!(size_of::<Lookaside>() == 128);
const _: () = assert!(std::mem::offset_of!(Lookaside, allocate) == 48);

/// The lists that were initialized and not deleted.
static LISTS: Monitor<Vec<usize>> = Monitor::new(Vec::new());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nt::pool;
    use crate::rules::testing::assert_broken;

    type Allocate = unsafe extern "efiapi" fn(ULONG, SIZE_T, ULONG) -> *mut c_void;
    type Free = unsafe extern "efiapi" fn(*mut c_void);

    fn list() -> *mut Lookaside {
        let list = Box::into_raw(Box::<Lookaside>::new_zeroed()).cast::<Lookaside>();
        let null = std::ptr::null_mut();
        let tag = u32::from_le_bytes(*b"kooL");
        // SAFETY: the memory was just allocated for a list.
        unsafe { ExInitializeNPagedLookasideList(list, null, null, 0x200, 64, tag, 0) };
        list
    }

    #[test]
    fn the_default_functions_allocate_and_free_pool_of_the_lists_tag() {
        // SAFETY: the list was just made and stays for ever.
        let list = unsafe { &*list() };
        assert_eq!(list.depth, 0);
        // SAFETY: the default function has this type.
        let allocate = unsafe { std::mem::transmute::<*mut c_void, Allocate>(list.allocate) };
        // SAFETY: as above.
        let free = unsafe { std::mem::transmute::<*mut c_void, Free>(list.free) };
        // SAFETY: the arguments are the list's own, as the inline functions pass them.
        let block = unsafe { allocate(list.pool_type, list.size as usize, list.tag) };
        let is_there = || {
            let blocks = pool::outstanding();
            blocks
                .iter()
                .any(|b| b.address == block as usize && b.tag.0 == list.tag)
        };
        assert!(is_there());
        // SAFETY: the block was just allocated.
        unsafe { free(block) };
        assert!(!is_there());
    }

    #[test]
    fn initializing_twice_breaks_the_lookaside_rule() {
        assert_broken(
            &rules::LOOKASIDE_REINITIALIZED,
            &["initialized again"],
            || {
                let list = list();
                let null = std::ptr::null_mut();
                // SAFETY: the memory is that of a list.
                unsafe { ExInitializeNPagedLookasideList(list, null, null, 0, 64, 1, 0) };
            },
        );
    }

    #[test]
    fn deleting_twice_breaks_the_lookaside_rule() {
        assert_broken(
            &rules::LOOKASIDE_NOT_INITIALIZED,
            &["was not initialized"],
            || {
                let list = list();
                // SAFETY: the list was just made.
                unsafe { ExDeleteNPagedLookasideList(list) };
                // SAFETY: the memory is that of a list.
                unsafe { ExDeleteNPagedLookasideList(list) };
            },
        );
    }

    #[test]
    fn a_list_of_any_pool_works_as_the_others_do() {
        let list = list();
        let null = std::ptr::null_mut();
        // SAFETY: the list was made.
        unsafe { ExDeleteNPagedLookasideList(list) };
        // SAFETY: the list has storage, and no functions of its own; the same below.
        let made = unsafe { ExInitializeLookasideListEx(list, null, null, 0x200, 0, 64, 1, 0) };
        assert_eq!(made, STATUS_SUCCESS);
        // SAFETY: as above.
        let content = unsafe { &*list };
        assert_eq!((content.size, content.pool_type), (64, 0x200));
        // SAFETY: as above.
        unsafe { ExFlushLookasideListEx(list) };
        // SAFETY: as above.
        unsafe { ExDeleteLookasideListEx(list) };
    }

    #[test]
    fn flushing_what_is_no_list_breaks_the_lookaside_rule() {
        assert_broken(&rules::LOOKASIDE_NOT_INITIALIZED, &["is flushed"], || {
            let list = list();
            // SAFETY: the list was made.
            unsafe { ExDeleteNPagedLookasideList(list) };
            // SAFETY: the pointer is only looked up.
            unsafe { ExFlushLookasideListEx(list) };
        });
    }
}
