//! Memory from the global allocator, without the panics: every allocation may fail.
//!
//! The global allocator of a driver is `wdk-alloc`, whose pool blocks are aligned to 16 bytes and
//! no more. Types of a larger alignment are refused at compile time.

use alloc::{alloc::Layout, boxed::Box, vec::Vec};
use core::{
    ffi::c_void,
    mem::{ManuallyDrop, MaybeUninit},
    ops::Deref,
    ptr::NonNull,
    sync::atomic::{AtomicUsize, Ordering, fence},
};

use crate::status::{Result, Status};

/// `MEMORY_ALLOCATION_ALIGNMENT` of 64-bit Windows: what `ExAllocatePool2` gives.
pub(crate) const POOL_ALIGNMENT: usize = 16;

/// A boxed value, or [`Status::RESOURCES`].
///
/// # Errors
/// [`Status::RESOURCES`] if the pool has no room.
pub fn try_box<T>(value: T) -> Result<Box<T>> {
    const {
        assert!(
            align_of::<T>() <= POOL_ALIGNMENT,
            "wdk-alloc aligns to 16 bytes"
        );
        assert!(size_of::<T>() > 0, "there is nothing to allocate");
    }
    // SAFETY: the layout of `T` has a size other than zero, as asserted above.
    let memory = unsafe { alloc::alloc::alloc(Layout::new::<T>()) };
    let Some(mut memory) = NonNull::new(memory.cast::<MaybeUninit<T>>()) else {
        return Err(Status::RESOURCES);
    };
    // SAFETY: the block was just allocated for a `T`, and nobody else knows of it.
    unsafe { memory.as_mut() }.write(value);
    // SAFETY: the block comes from the global allocator with `T`'s layout and holds a `T`.
    Ok(unsafe { Box::from_raw(memory.as_ptr().cast::<T>()) })
}

/// A copy of a slice, or [`Status::RESOURCES`].
///
/// # Errors
/// [`Status::RESOURCES`] if the pool has no room.
pub fn try_to_vec<T: Clone>(items: &[T]) -> Result<Vec<T>> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(items.len())
        .map_err(|_| Status::RESOURCES)?;
    copy.extend_from_slice(items);
    Ok(copy)
}

/// A counted reference, as `alloc::sync::Arc` without weak references, whose creation can fail.
///
/// # Invariants
/// `block` points at a `Counted` whose count includes this reference.
pub struct Shared<T> {
    block: NonNull<Counted<T>>,
}

struct Counted<T> {
    references: AtomicUsize,
    value: T,
}

// SAFETY: a reference gives `&T` to any thread that has it, and whichever thread drops the last one
// drops the value: as for `Arc`, `T` must be `Send` and `Sync`.
unsafe impl<T: Send + Sync> Send for Shared<T> {}
// SAFETY: as above; a `&Shared` can be cloned into a `Shared` by any thread.
unsafe impl<T: Send + Sync> Sync for Shared<T> {}

impl<T> Shared<T> {
    /// The first reference to a value.
    ///
    /// # Errors
    /// [`Status::RESOURCES`] if the pool has no room.
    pub fn try_new(value: T) -> Result<Self> {
        let block = try_box(Counted {
            references: AtomicUsize::new(1),
            value,
        })?;
        Ok(Self {
            block: NonNull::from(Box::leak(block)),
        })
    }

    /// The reference as a context pointer for NDIS, which keeps its count.
    #[must_use]
    pub fn into_raw(self) -> *mut c_void {
        let raw = self.as_raw();
        core::mem::forget(self);
        raw
    }

    /// The context pointer, without giving the reference away.
    #[must_use]
    pub fn as_raw(&self) -> *mut c_void {
        self.block.as_ptr().cast()
    }

    /// Takes back the reference that [`into_raw`](Self::into_raw) gave away.
    ///
    /// # Safety
    /// `raw` came from `into_raw` of a `Shared<T>`, and is not taken back twice.
    #[must_use]
    pub unsafe fn from_raw(raw: *mut c_void) -> Self {
        // SAFETY: `into_raw` gave a non-null pointer to a `Counted<T>`, says the caller.
        let block = unsafe { NonNull::new_unchecked(raw.cast()) };
        Self { block }
    }

    /// The reference behind a context pointer, lent: its count stays as it is.
    ///
    /// # Safety
    /// `raw` came from `into_raw` or `as_raw` of a `Shared<T>`, and some reference to it outlives
    /// the value.
    #[must_use]
    pub unsafe fn lend_raw(raw: *mut c_void) -> ManuallyDrop<Self> {
        // SAFETY: as the caller says; `ManuallyDrop` sees to it that this one is never dropped.
        ManuallyDrop::new(unsafe { Self::from_raw(raw) })
    }

    /// `number` more references, counted at once.
    #[must_use]
    pub fn bulk(&self, number: usize) -> Bulk<T> {
        self.counted()
            .references
            .fetch_add(number, Ordering::Relaxed);
        Bulk {
            block: self.block,
            number,
        }
    }

    /// Whether both refer to the same value.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        self.block == other.block
    }

    fn counted(&self) -> &Counted<T> {
        // SAFETY: by the type's invariant the block lives at least as long as this reference.
        unsafe { self.block.as_ref() }
    }
}

/// Several references to one value, taken and dropped with one atomic operation each. This is how
/// a chain of NBLs is counted: one operation for the chain, not one for each NBL.
///
/// # Invariants
/// `block`'s count includes `number` references, which are this value's to hand out.
pub struct Bulk<T> {
    block: NonNull<Counted<T>>,
    number: usize,
}

// SAFETY: as for `Shared`.
unsafe impl<T: Send + Sync> Send for Bulk<T> {}

impl<T> Bulk<T> {
    /// Hands one reference out, if there is one left.
    pub fn take(&mut self) -> Option<Shared<T>> {
        self.number = self.number.checked_sub(1)?;
        Some(Shared { block: self.block })
    }

    /// Whether these are references to the same value.
    #[must_use]
    pub fn refers_to(&self, other: &Shared<T>) -> bool {
        self.block == other.block
    }

    /// Takes a reference in, unless it is to another value.
    ///
    /// # Errors
    /// The reference.
    pub fn put(&mut self, reference: Shared<T>) -> core::result::Result<(), Shared<T>> {
        if reference.block != self.block {
            return Err(reference);
        }
        core::mem::forget(reference);
        self.number += 1;
        Ok(())
    }
}

impl<T> From<Shared<T>> for Bulk<T> {
    fn from(reference: Shared<T>) -> Self {
        let block = reference.block;
        core::mem::forget(reference);
        Self { block, number: 1 }
    }
}

impl<T> Deref for Bulk<T> {
    type Target = T;

    /// # Panics
    /// If every reference was handed out.
    fn deref(&self) -> &T {
        assert!(self.number > 0, "every reference was handed out");
        // SAFETY: by the invariant the block lives at least as long as this value's references.
        &unsafe { self.block.as_ref() }.value
    }
}

impl<T> Drop for Bulk<T> {
    fn drop(&mut self) {
        if self.number > 0 {
            // SAFETY: by the invariant that many references are this value's.
            unsafe { Counted::release(self.block, self.number) };
        }
    }
}

impl<T> Counted<T> {
    /// Drops references, and the value with the last.
    ///
    /// # Safety
    /// The count includes `number` references that the caller owns and does not use again.
    unsafe fn release(block: NonNull<Self>, number: usize) {
        // SAFETY: the block lives while it is counted.
        let references = unsafe { &block.as_ref().references };
        if references.fetch_sub(number, Ordering::Release) != number {
            return;
        }
        // What the other references' owners did with the value happens before it is dropped.
        fence(Ordering::Acquire);
        // SAFETY: the block came out of a box in `try_new`, and the last reference is gone.
        drop(unsafe { Box::from_raw(block.as_ptr()) });
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.counted().value
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        // Relaxed, as in `Arc`: a new reference is made from one that exists.
        self.counted().references.fetch_add(1, Ordering::Relaxed);
        Self { block: self.block }
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        // SAFETY: by the invariant one reference is this value's.
        unsafe { Counted::release(self.block, 1) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct CountsDrops<'a>(&'a AtomicUsize);

    impl Drop for CountsDrops<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn shared_drops_its_value_with_the_last_reference() {
        let drops = AtomicUsize::new(0);
        let first = Shared::try_new(CountsDrops(&drops)).unwrap();
        let second = first.clone();
        assert!(first.same(&second));
        drop(first);
        assert_eq!(drops.load(Ordering::Relaxed), 0);
        drop(second);
        assert_eq!(drops.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn references_counted_in_bulk_keep_the_value_like_any_other() {
        let drops = AtomicUsize::new(0);
        let first = Shared::try_new(CountsDrops(&drops)).unwrap();
        let mut bulk = first.bulk(3);
        let taken = bulk.take().unwrap();
        drop(first);
        drop(bulk);
        assert_eq!(drops.load(Ordering::Relaxed), 0, "one reference is out");
        let mut back = Bulk::from(taken);
        let other = Shared::try_new(CountsDrops(&drops)).unwrap();
        let other = back.put(other).unwrap_err();
        drop(back);
        assert_eq!(drops.load(Ordering::Relaxed), 1);
        drop(other);
        assert_eq!(drops.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn a_context_pointer_keeps_its_count_until_taken_back() {
        let drops = AtomicUsize::new(0);
        let raw = Shared::try_new(CountsDrops(&drops)).unwrap().into_raw();
        {
            // SAFETY: `raw` is what `into_raw` gave, and not yet taken back.
            let lent = unsafe { Shared::<CountsDrops<'_>>::lend_raw(raw) };
            assert_eq!(lent.0.load(Ordering::Relaxed), 0);
        }
        // SAFETY: taken back once.
        drop(unsafe { Shared::<CountsDrops<'_>>::from_raw(raw) });
        assert_eq!(drops.load(Ordering::Relaxed), 1);
    }
}
