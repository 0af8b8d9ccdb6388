//! Rundown protection: a gate that somebody waits at until everybody has left.

use super::{Drained, Event, Gate};
use crate::{irql::Passive, status::Result};

/// Counts who uses something, and lets its owner wait until nobody does.
pub struct Rundown {
    gate: Gate,
    drained: Event,
}

impl Rundown {
    /// Shut: nobody may use it yet.
    ///
    /// # Errors
    /// [`Status::RESOURCES`](crate::Status::RESOURCES) if the pool has no room.
    pub fn try_new() -> Result<Self> {
        Ok(Self {
            gate: Gate::shut_and_empty(),
            drained: Event::try_new()?,
        })
    }

    /// Lets users in from here on.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    pub fn open(&self) {
        self.gate.open();
    }

    /// Whether users are let in. Whoever must rely on it [enters](Self::enter).
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.gate.is_open()
    }

    /// Lets `number` in, unless it is shut.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    #[must_use = "whoever got in must leave"]
    pub fn enter(&self, number: usize) -> bool {
        self.gate.enter(number)
    }

    /// Lets `number` out.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    pub fn leave(&self, number: usize) {
        if self.gate.leave(number) {
            self.drained.set();
        }
    }

    /// Lets nobody in any more, and waits for nobody.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`.
    pub fn shut(&self) {
        // Quietly: whoever leaves last would set the event some time later, when the owner of this may be gone
        // or a drain wait for others.
        self.gate.shut_quietly();
    }

    /// Lets nobody in any more, and waits until everybody has left. One thread at a time.
    pub fn drain(&self, at: Passive<'_>) {
        // The event may be set from the time before; nobody sets it while the gate is open or empty.
        self.drained.reset();
        if self.gate.shut() == Drained::Later {
            self.drained.wait(at);
        }
    }
}
