//! Owned NBLs and chains of them.

use core::{
    marker::PhantomData,
    mem,
    ops::{Deref, DerefMut},
    ptr::{self, NonNull},
};

use ndis_sys as sys;

use super::NetBufferList;
use crate::status::Status;

/// One NBL that this driver owns for now, of kind `K`.
///
/// # Invariants
/// `raw` points at a NET_BUFFER_LIST that nobody else touches until it is given away, and whose
/// `Next` is null.
pub struct Nbl<K> {
    raw: NonNull<sys::NET_BUFFER_LIST>,
    kind: PhantomData<K>,
}

/// A list of NBLs of kind `K`, in order, with its length.
///
/// # Invariants
/// `head` and `tail` are both null, or the ends of a list of `length` NBLs, linked by `Next`, each
/// of which could be an [`Nbl<K>`].
pub struct Chain<K> {
    head: *mut sys::NET_BUFFER_LIST,
    tail: *mut sys::NET_BUFFER_LIST,
    length: usize,
    kind: PhantomData<K>,
}

impl<K> Nbl<K> {
    /// Takes ownership of an NBL.
    ///
    /// # Safety
    /// The NBL is this driver's for now, in the way that `K` says, and its `Next` is null.
    pub(super) unsafe fn from_raw(raw: NonNull<sys::NET_BUFFER_LIST>) -> Self {
        Self {
            raw,
            kind: PhantomData,
        }
    }

    /// Gives ownership up.
    pub(super) fn into_raw(self) -> NonNull<sys::NET_BUFFER_LIST> {
        let raw = self.raw;
        mem::forget(self);
        raw
    }

    pub(super) const fn pointer(&self) -> NonNull<sys::NET_BUFFER_LIST> {
        self.raw
    }

    /// The status that the NBL carries: after a send, how it went.
    #[must_use]
    pub fn status(&self) -> Status {
        // SAFETY: by the type's invariant the NBL is valid and this driver's.
        Status::from_raw(unsafe { self.raw.as_ref() }.Status)
    }

    /// Sets the status that the NBL carries.
    pub fn set_status(&mut self, status: Status) {
        // SAFETY: by the type's invariant the NBL is valid and this driver's.
        unsafe { self.raw.as_mut() }.Status = status.raw();
    }
}

impl<K> Deref for Nbl<K> {
    type Target = NetBufferList;

    fn deref(&self) -> &NetBufferList {
        // SAFETY: by the type's invariant the NBL is valid and nobody else writes to it.
        unsafe { NetBufferList::from_raw(self.raw) }
    }
}

impl<K> DerefMut for Nbl<K> {
    fn deref_mut(&mut self) -> &mut NetBufferList {
        // SAFETY: by the type's invariant the NBL is valid and nobody else uses it.
        unsafe { NetBufferList::from_raw_mut(self.raw) }
    }
}

impl<K> Drop for Nbl<K> {
    fn drop(&mut self) {
        panic!("an NBL was dropped instead of being completed, returned or freed");
    }
}

impl<K> Chain<K> {
    /// An empty chain.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            head: ptr::null_mut(),
            tail: ptr::null_mut(),
            length: 0,
            kind: PhantomData,
        }
    }

    /// Takes ownership of a chain from NDIS, walking it once for its length.
    ///
    /// # Safety
    /// `head` is null or the first of a list linked by `Next` and ended by null, of NBLs that are
    /// this driver's for now, in the way that `K` says.
    pub(crate) unsafe fn from_raw(head: *mut sys::NET_BUFFER_LIST) -> Self {
        let mut chain = Self {
            head,
            ..Self::new()
        };
        let mut next = head;
        while let Some(nbl) = NonNull::new(next) {
            chain.tail = next;
            chain.length += 1;
            // SAFETY: the caller says that every NBL of the list is valid.
            next = unsafe { nbl.as_ref() }.Next;
        }
        chain
    }

    /// Gives the chain up. Null for an empty one.
    pub(crate) fn into_raw(self) -> *mut sys::NET_BUFFER_LIST {
        let head = self.head;
        mem::forget(self);
        head
    }

    /// The first NBL, or null.
    pub(crate) const fn first(&self) -> *mut sys::NET_BUFFER_LIST {
        self.head
    }

    /// The number of NBLs.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.length
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Appends an NBL.
    pub fn push(&mut self, nbl: Nbl<K>) {
        let raw = nbl.into_raw();
        // SAFETY: the tail is valid by the invariant, if there is one.
        match unsafe { self.tail.as_mut() } {
            Some(tail) => tail.Next = raw.as_ptr(),
            None => self.head = raw.as_ptr(),
        }
        self.tail = raw.as_ptr();
        self.length += 1;
    }

    /// Takes the first NBL off.
    pub fn pop(&mut self) -> Option<Nbl<K>> {
        let mut raw = NonNull::new(self.head)?;
        // SAFETY: the head is valid by the invariant.
        self.head = mem::replace(&mut unsafe { raw.as_mut() }.Next, ptr::null_mut());
        if self.head.is_null() {
            self.tail = ptr::null_mut();
        }
        self.length -= 1;
        // SAFETY: the NBL was part of a chain of this kind, and its `Next` was just cleared.
        Some(unsafe { Nbl::from_raw(raw) })
    }

    /// Appends a whole chain.
    pub fn append(&mut self, other: Self) {
        if other.is_empty() {
            return;
        }
        // SAFETY: the tail is valid by the invariant, if there is one.
        match unsafe { self.tail.as_mut() } {
            Some(tail) => tail.Next = other.head,
            None => self.head = other.head,
        }
        self.tail = other.tail;
        self.length += other.length;
        mem::forget(other);
    }

    /// The number of frames: an NBL may have several.
    #[must_use]
    pub fn frames(&self) -> u64 {
        let mut frames = 0;
        let mut next = self.head;
        while let Some(nbl) = NonNull::new(next) {
            // SAFETY: every NBL of the chain is valid by the invariant, and nobody writes to it.
            let list = unsafe { NetBufferList::from_raw(nbl) };
            frames += list.buffers().count() as u64;
            next = list.raw().Next;
        }
        frames
    }

    /// Sets the status that every NBL of the chain carries.
    pub fn set_status(&mut self, status: Status) {
        let mut next = self.head;
        // SAFETY: every NBL of the chain is valid by the invariant.
        while let Some(nbl) = unsafe { next.as_mut() } {
            nbl.Status = status.raw();
            next = nbl.Next;
        }
    }
}

impl<K> Default for Chain<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K> Drop for Chain<K> {
    fn drop(&mut self) {
        assert!(
            self.is_empty(),
            "a chain of NBLs was dropped instead of being completed, returned or freed"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Any;

    fn list(next: *mut sys::NET_BUFFER_LIST) -> sys::NET_BUFFER_LIST {
        // SAFETY: all fields are integers and nullable pointers, for which zero is a value.
        let mut nbl: sys::NET_BUFFER_LIST = unsafe { mem::zeroed() };
        nbl.Next = next;
        nbl
    }

    #[test]
    fn a_chain_keeps_order_and_length() {
        let mut c = list(ptr::null_mut());
        let mut b = list(&raw mut c);
        let mut a = list(&raw mut b);
        // SAFETY: three valid NBLs, ended by null.
        let mut chain = unsafe { Chain::<Any>::from_raw(&raw mut a) };
        assert_eq!(chain.len(), 3);
        let first = chain.pop().unwrap();
        assert_eq!(first.pointer().as_ptr(), &raw mut a);
        chain.push(first);
        let mut order = [ptr::null_mut(); 3];
        for place in &mut order {
            *place = chain.pop().unwrap().into_raw().as_ptr();
        }
        assert_eq!(order, [&raw mut b, &raw mut c, &raw mut a]);
        assert!(chain.pop().is_none());
    }

    #[test]
    fn appending_joins_the_ends() {
        let mut a = list(ptr::null_mut());
        let mut b = list(ptr::null_mut());
        // SAFETY: one valid NBL.
        let mut one = unsafe { Chain::<Any>::from_raw(&raw mut a) };
        // SAFETY: one valid NBL.
        let two = unsafe { Chain::from_raw(&raw mut b) };
        one.append(Chain::new());
        one.append(two);
        one.set_status(Status::PAUSED);
        assert_eq!(one.len(), 2);
        assert_eq!(one.into_raw(), &raw mut a);
        assert_eq!(a.Next, &raw mut b);
        assert_eq!(b.Status, Status::PAUSED.raw());
    }

    #[test]
    #[should_panic(expected = "a chain of NBLs was dropped")]
    fn dropping_a_chain_that_is_not_empty_stops_at_once() {
        let mut a = list(ptr::null_mut());
        // SAFETY: one valid NBL.
        drop(unsafe { Chain::<Any>::from_raw(&raw mut a) });
    }
}
