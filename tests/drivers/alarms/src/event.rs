//! An event of NDIS that a driver waits for.

use core::cell::UnsafeCell;

use crate::{call, sys};

/// An event, not usable before [`Event::clear`].
pub struct Event(UnsafeCell<sys::NDIS_EVENT>);

// SAFETY: only the functions of NDIS touch it, which may run on any number of processors.
unsafe impl Sync for Event {}

/// Waits for what never comes.
pub fn forever() {
    static NEVER: Event = Event::new();
    NEVER.clear();
    NEVER.wait();
}

impl Event {
    /// An event without a state.
    pub const fn new() -> Self {
        Self(UnsafeCell::new(sys::NDIS_EVENT::zeroed()))
    }

    /// Makes it an event that is not set. Nobody waits for it.
    pub fn clear(&self) {
        call!(NdisInitializeEvent(self.0.get()));
    }

    /// Lets go whoever waits, now or later.
    pub fn set(&self) {
        call!(NdisSetEvent(self.0.get()));
    }

    /// Waits until it is set.
    pub fn wait(&self) {
        call!(NdisWaitEvent(self.0.get(), 0));
    }
}
