//! An event that threads at PASSIVE_LEVEL wait for.

use alloc::boxed::Box;
use core::{cell::UnsafeCell, num::NonZero};

use ndis_sys as sys;

use crate::{irql::Passive, mem::try_box, status::Result};

/// A notification event: once set it stays set until it is reset.
///
/// The kernel links waiting threads into the event, so it must not move: it has a block of its own.
pub struct Event {
    event: Box<UnsafeCell<sys::NDIS_EVENT>>,
}

// SAFETY: the event's fields are only touched by the kernel's event functions, which any number of
// threads may call at once.
unsafe impl Sync for Event {}
// SAFETY: as above; what moves is the box, not the event.
unsafe impl Send for Event {}

impl Event {
    /// An event that is not set.
    ///
    /// # Errors
    /// [`Status::RESOURCES`](crate::Status::RESOURCES) if the pool has no room.
    pub fn try_new() -> Result<Self> {
        // SAFETY: all fields are integers and nullable pointers, for which zero is a value.
        let zeroed = unsafe { core::mem::zeroed::<sys::NDIS_EVENT>() };
        let event = try_box(UnsafeCell::new(zeroed))?;
        // SAFETY: the box is resident memory of its own that lives as long as the event.
        unsafe { sys::NdisInitializeEvent(event.get()) };
        Ok(Self { event })
    }

    /// Sets the event and releases every thread that waits.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    pub fn set(&self) {
        // SAFETY: `try_new` initialised the event.
        unsafe { sys::NdisSetEvent(self.event.get()) };
    }

    /// Unsets the event.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    pub fn reset(&self) {
        // SAFETY: `try_new` initialised the event.
        unsafe { sys::NdisResetEvent(self.event.get()) };
    }

    /// Waits until the event is set, for at most `milliseconds`. Whether it is.
    pub fn wait_at_most(&self, milliseconds: NonZero<u32>, _at: Passive<'_>) -> bool {
        // SAFETY: `try_new` initialised the event, and the IRQL is PASSIVE_LEVEL.
        unsafe { sys::NdisWaitEvent(self.event.get(), milliseconds.get()) != 0 }
    }

    /// Waits, without a limit, until the event is set.
    pub fn wait(&self, _at: Passive<'_>) {
        // SAFETY: `try_new` initialised the event, and the IRQL is PASSIVE_LEVEL. With a time of 0
        // the function returns only once the event is set.
        let signalled = unsafe { sys::NdisWaitEvent(self.event.get(), 0) };
        debug_assert!(
            signalled != 0,
            "a wait without a limit ended without the event"
        );
    }
}
