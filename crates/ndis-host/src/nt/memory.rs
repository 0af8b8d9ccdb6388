//! Moving, filling and comparing memory. Called for every frame, so these have no guard: no check of
//! the IRQL, as all may run at any, and no place in the last calls. What they touch wrongly faults,
//! and the fault names the driver's call.

use std::cell::Cell;
use std::ffi::{c_int, c_void};

use crate::call::{Export, Function};
use crate::nt::irql::Irql;

/// How many bytes drivers copied on this thread so far by the functions here.
pub(crate) fn copied() -> u64 {
    COPIED.get()
}

thread_local! {
    static COPIED: Cell<u64> = const { Cell::new(0) };
}

/// Copies memory; ranges may overlap, as they may in the kernel.
///
/// # Safety
/// Both ranges have `count` bytes.
pub unsafe extern "efiapi" fn memcpy(
    to: *mut c_void,
    from: *const c_void,
    count: usize,
) -> *mut c_void {
    // SAFETY: the caller's own promise.
    unsafe { libc::memmove(to, from, count) };
    COPIED.set(COPIED.get() + count as u64);
    to
}

/// Copies memory; ranges may overlap.
///
/// # Safety
/// Both ranges have `count` bytes.
pub unsafe extern "efiapi" fn memmove(
    to: *mut c_void,
    from: *const c_void,
    count: usize,
) -> *mut c_void {
    // SAFETY: the caller's own promise.
    unsafe { libc::memmove(to, from, count) };
    COPIED.set(COPIED.get() + count as u64);
    to
}

/// Fills memory with the low byte of `value`.
///
/// # Safety
/// The range has `count` bytes.
pub unsafe extern "efiapi" fn memset(to: *mut c_void, value: c_int, count: usize) -> *mut c_void {
    // SAFETY: the caller's own promise.
    unsafe { libc::memset(to, value, count) };
    to
}

/// Compares memory: negative, zero or positive.
///
/// # Safety
/// Both ranges have `count` bytes.
pub unsafe extern "efiapi" fn memcmp(
    first: *const c_void,
    second: *const c_void,
    count: usize,
) -> c_int {
    // SAFETY: the caller's own promise; `memcmp` of the C library reads no more.
    unsafe { libc::memcmp(first, second, count) }
}

/// How many bytes are equal from the start (`nf-wdm-rtlcomparememory.md`).
///
/// # Safety
/// Both ranges have `count` bytes.
pub unsafe extern "efiapi" fn RtlCompareMemory(
    first: *const c_void,
    second: *const c_void,
    count: usize,
) -> usize {
    if count == 0 {
        return 0;
    }
    // SAFETY: the caller's own promise.
    let first = unsafe { std::slice::from_raw_parts(first.cast::<u8>(), count) };
    // SAFETY: the caller's own promise.
    let second = unsafe { std::slice::from_raw_parts(second.cast::<u8>(), count) };
    let differing = first.iter().zip(second).position(|(a, b)| a != b);
    differing.unwrap_or(count)
}

/// Fills memory with zeros, where a driver does not call `memset`.
///
/// # Safety
/// The range has `count` bytes.
pub unsafe extern "efiapi" fn RtlZeroMemory(to: *mut c_void, count: usize) {
    // SAFETY: the caller's own promise.
    unsafe { libc::memset(to, 0, count) };
}

/// Copies memory, where a driver does not call `memmove`.
///
/// # Safety
/// Both ranges have `count` bytes.
pub unsafe extern "efiapi" fn RtlMoveMemory(to: *mut c_void, from: *const c_void, count: usize) {
    // SAFETY: the caller's own promise.
    unsafe { libc::memmove(to, from, count) };
    COPIED.set(COPIED.get() + count as u64);
}

/// Fills memory, where a driver does not call `memset`.
///
/// # Safety
/// The range has `count` bytes.
pub unsafe extern "efiapi" fn RtlFillMemory(to: *mut c_void, count: usize, value: u8) {
    // SAFETY: the caller's own promise.
    unsafe { libc::memset(to, value.into(), count) };
}

/// The number of the lowest bit that is set, -1 if none is
/// (`nf-wdm-rtlfindleastsignificantbit.md`).
///
/// # Safety
/// None is needed: it reads its argument only.
pub unsafe extern "efiapi" fn RtlFindLeastSignificantBit(set: u64) -> i8 {
    match set {
        0 => -1,
        set => set.trailing_zeros() as i8,
    }
}

/// The number of the highest bit that is set, -1 if none is
/// (`nf-wdm-rtlfindmostsignificantbit.md`).
///
/// # Safety
/// None is needed: it reads its argument only.
pub unsafe extern "efiapi" fn RtlFindMostSignificantBit(set: u64) -> i8 {
    63 - set.leading_zeros() as i8
}

const fn unguarded(name: &'static str, address: fn() -> usize) -> Export {
    Export {
        function: Function {
            module: "ntoskrnl.exe",
            name,
            irql: Irql::PASSIVE..=Irql::HIGH,
        },
        address,
    }
}

macro_rules! exports {
    ($($name:ident)*) => {
        /// What this module exports to driver images.
        pub const EXPORTS: &[Export] = &[
            $(unguarded(stringify!($name), || $name as *const () as usize)),*
        ];
    };
}

exports! {
    memcpy memmove memset memcmp RtlCompareMemory RtlZeroMemory RtlMoveMemory RtlFillMemory
    RtlFindLeastSignificantBit RtlFindMostSignificantBit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compare_memory_counts_the_equal_bytes() {
        let (a, b) = ([1_u8, 2, 3], [1_u8, 2, 4]);
        let compare = |count| {
            // SAFETY: both arrays have at least `count` bytes.
            unsafe { RtlCompareMemory(a.as_ptr().cast(), b.as_ptr().cast(), count) }
        };
        assert_eq!((compare(0), compare(2), compare(3)), (0, 2, 2));
    }

    #[test]
    fn bits_are_numbered_from_the_least_significant() {
        // SAFETY: the functions read their argument only.
        let find = |set| unsafe { RtlFindLeastSignificantBit(set) };
        assert_eq!(
            (find(0), find(1), find(0x10), find(1 << 63)),
            (-1, 0, 4, 63)
        );
        // SAFETY: as above.
        let find = |set| unsafe { RtlFindMostSignificantBit(set) };
        assert_eq!((find(0), find(1), find(0x1f)), (-1, 0, 4));
    }
}
