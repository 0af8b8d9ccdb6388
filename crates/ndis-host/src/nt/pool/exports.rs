//! The pool functions that drivers import.

use std::ffi::c_void;

use ndis_sys::nt::{PVOID, SIZE_T, ULONG, ULONG64};

use super::{Fill, Kind, Tag, allocate_with, free};
use crate::ddi;
use crate::faults::should_fail;
use crate::nt::irql::{self, Irql};
use crate::rules;

ddi! { "ntoskrnl.exe":
    /// Allocates pool, zeroed unless asked otherwise (`nf-wdm-exallocatepool2.md`). Null if there is
    /// no memory, the tag is 0 or the flags are invalid.
    [PASSIVE..=DISPATCH] fn ExAllocatePool2(flags: ULONG64, size: SIZE_T, tag: ULONG) -> PVOID {
        let kind = match flags & POOL_KINDS {
            POOL_FLAG_NON_PAGED => Kind::NonPaged,
            POOL_FLAG_NON_PAGED_EXECUTE => Kind::NonPagedExecute,
            POOL_FLAG_PAGED => Kind::Paged,
            _ => return std::ptr::null_mut(),
        };
        // The low half holds flags that must be understood; unknown ones of the high half are
        // requests that may be ignored.
        let unknown = flags & 0xffff_ffff & !(POOL_KINDS | POOL_FLAGS_KNOWN);
        if tag == 0 || unknown != 0 {
            return std::ptr::null_mut();
        }
        let fill = match flags & POOL_FLAG_UNINITIALIZED {
            0 => Fill::Zero,
            _ => Fill::Uninitialized,
        };
        if should_fail("ExAllocatePool2") {
            return std::ptr::null_mut();
        }
        let align = if flags & POOL_FLAG_CACHE_ALIGNED == 0 { 16 } else { 64 };
        allocate_for_driver(size, tag, kind, align, fill)
    }

    /// Allocates pool without initializing it (`nf-wdm-exallocatepoolwithtag.md`).
    [PASSIVE..=DISPATCH, unchecked] fn ExAllocatePoolWithTag(pool_type: ULONG, size: SIZE_T, tag: ULONG) -> PVOID {
        by_type("ExAllocatePoolWithTag", pool_type, size, tag)
    }

    /// The same; the priority matters only when memory is short
    /// (`nf-wdm-exallocatepoolwithtagpriority.md`).
    [PASSIVE..=DISPATCH, unchecked] fn ExAllocatePoolWithTagPriority(
        pool_type: ULONG,
        size: SIZE_T,
        tag: ULONG,
        _priority: ULONG,
    ) -> PVOID {
        by_type("ExAllocatePoolWithTagPriority", pool_type, size, tag)
    }

    /// Frees pool, whatever its tag (`nf-ntddk-exfreepool.md`).
    [PASSIVE..=DISPATCH] fn ExFreePool(pointer: *mut c_void) {
        free(pointer.cast(), None);
    }

    /// Frees pool of that tag; tag 0 fits any (`nf-wdm-exfreepoolwithtag.md`).
    [PASSIVE..=DISPATCH] fn ExFreePoolWithTag(pointer: *mut c_void, tag: ULONG) {
        free(pointer.cast(), (tag != 0).then_some(Tag(tag)));
    }
}

/// What a lookaside list calls when the driver gives it no allocator of its own.
pub(crate) fn ex_allocate_pool_with_tag() -> usize {
    crate::call::stub::make(
        "ExAllocatePoolWithTag",
        ExAllocatePoolWithTag as *const () as usize,
    )
}

/// What a lookaside list calls when the driver gives it no function to free of its own.
pub(crate) fn ex_free_pool() -> usize {
    crate::call::stub::make("ExFreePool", ExFreePool as *const () as usize)
}

/// `pool_type` is a POOL_TYPE: an odd base type is paged; its flags change neither kind nor content,
/// but for the cache-aligned one.
fn by_type(function: &'static str, pool_type: ULONG, size: SIZE_T, tag: ULONG) -> PVOID {
    if should_fail(function) {
        return std::ptr::null_mut();
    }
    let kind = match pool_type & (POOL_TYPE_BASE | POOL_TYPE_NX) {
        base if base & 1 != 0 => Kind::Paged,
        base if base & POOL_TYPE_NX != 0 => Kind::NonPaged,
        _ => Kind::NonPagedExecute,
    };
    let align = if pool_type & POOL_TYPE_CACHE_ALIGNED == 0 {
        16
    } else {
        64
    };
    if tag == 0 {
        rules::broken(
            &rules::BAD_POOL_CALLER,
            format_args!("{size} bytes are allocated with tag 0"),
        );
    }
    rules::held(&rules::BAD_POOL_CALLER);
    allocate_for_driver(size, tag, kind, align, Fill::Uninitialized)
}

fn allocate_for_driver(size: SIZE_T, tag: ULONG, kind: Kind, align: usize, fill: Fill) -> PVOID {
    let tag = Tag(tag);
    if size == 0 {
        rules::broken(
            &rules::POOL_ZERO_SIZE,
            format_args!("0 bytes are allocated, tag {tag}"),
        );
    }
    rules::held(&rules::POOL_ZERO_SIZE);
    if kind == Kind::Paged && irql::current() > Irql::APC {
        rules::broken(
            &rules::IRQL_EX_ALLOCATE_POOL,
            format_args!("paged pool, tag {tag}, is allocated at {}", irql::current()),
        );
    }
    rules::held(&rules::IRQL_EX_ALLOCATE_POOL);
    allocate_with(size, tag, kind, align, fill).cast()
}

const POOL_FLAG_UNINITIALIZED: ULONG64 = 0x2;
const POOL_FLAG_CACHE_ALIGNED: ULONG64 = 0x8;
const POOL_FLAG_NON_PAGED: ULONG64 = 0x40;
const POOL_FLAG_NON_PAGED_EXECUTE: ULONG64 = 0x80;
const POOL_FLAG_PAGED: ULONG64 = 0x100;
const POOL_KINDS: ULONG64 = POOL_FLAG_NON_PAGED | POOL_FLAG_NON_PAGED_EXECUTE | POOL_FLAG_PAGED;
/// With quota (0x1), session (0x4), and raising on failure (0x20), which does not happen here.
const POOL_FLAGS_KNOWN: ULONG64 =
    0x1 | POOL_FLAG_UNINITIALIZED | 0x4 | POOL_FLAG_CACHE_ALIGNED | 0x20;
const POOL_TYPE_BASE: ULONG = 0x7;
const POOL_TYPE_CACHE_ALIGNED: ULONG = 0x4;
const POOL_TYPE_NX: ULONG = 0x200;
