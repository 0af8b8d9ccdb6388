//! Turns: one thread after the other does something that may wait.

use core::sync::atomic::{AtomicBool, Ordering};

use super::Event;
use crate::{irql::Passive, status::Result};

/// Lets one thread at PASSIVE_LEVEL at a time do what takes longer than a spin lock may be held, waiting
/// and calls into NDIS among it. It raises no IRQL.
///
/// A thread must not take a turn that it has, nor wait for anything that waits for the turn.
pub struct Turn {
    taken: AtomicBool,
    /// Set after each turn. It may be set while another turn is taken, but is never unset for good while
    /// none is: whoever unsets it looks again.
    over: Event,
}

/// A turn that was taken. It ends when this is dropped.
#[must_use = "the turn ends with this value"]
pub struct Taken<'a> {
    turn: &'a Turn,
}

impl Turn {
    /// Nobody's turn.
    ///
    /// # Errors
    /// [`Status::RESOURCES`](crate::Status::RESOURCES) if the pool has no room.
    pub fn try_new() -> Result<Self> {
        Ok(Self {
            taken: AtomicBool::new(false),
            over: Event::try_new()?,
        })
    }

    /// Waits until nobody else has the turn, and takes it.
    pub fn take(&self, at: Passive<'_>) -> Taken<'_> {
        while !self.try_take() {
            self.over.reset();
            // Its owner may have ended it before the reset, and would not set the event again.
            if self.try_take() {
                break;
            }
            self.over.wait(at);
        }
        Taken { turn: self }
    }

    fn try_take(&self) -> bool {
        !self.taken.swap(true, Ordering::Acquire)
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.turn.taken.store(false, Ordering::Release);
        self.turn.over.set();
    }
}
