//! A gate: counts who is inside, can be shut, and tells exactly once when the last one has left.
//!
//! This is what a pause and a close wait for. The data path enters once for a whole chain of NBLs
//! with the chain's length, and leaves as they come back, in any portions.

use core::sync::atomic::{AtomicU64, Ordering};

/// A count of those inside, and whether more may come.
///
/// # Invariants
/// The lower 62 bits are the number inside; the top bit says that the gate is shut, the one below it that
/// the last one out is told so. That one is set only together with the top bit. The number grows only while
/// the gate is open.
pub struct Gate {
    state: AtomicU64,
}

/// What [`Gate::shut`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// Nobody is inside.
    Now,
    /// Somebody is: one call of [`Gate::leave`] will return `true`.
    Later,
}

impl Gate {
    /// A gate that is shut and empty.
    #[must_use]
    pub const fn shut_and_empty() -> Self {
        Self {
            state: AtomicU64::new(SHUT),
        }
    }

    /// Lets `number` in, unless the gate is shut.
    ///
    /// IRQL: any.
    #[must_use = "whoever got in must leave"]
    pub fn enter(&self, number: usize) -> bool {
        let mut state = self.state.load(Ordering::Relaxed);
        while state & SHUT == 0 {
            match self.state.compare_exchange_weak(
                state,
                state + number as u64,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(current) => state = current,
            }
        }
        false
    }

    /// Lets `number` out. Returns `true` to exactly one caller after the gate was [shut](Self::shut): the one
    /// who was last, and who now does what waited for that.
    ///
    /// IRQL: any.
    #[must_use = "the last one out has something to complete"]
    pub fn leave(&self, number: usize) -> bool {
        let before = self.state.fetch_sub(number as u64, Ordering::AcqRel);
        assert!(
            before & INSIDE >= number as u64,
            "more left a gate than had entered it"
        );
        before - number as u64 == SHUT | TOLD
    }

    /// Shuts the gate. Shutting a gate that is shut already changes nothing.
    ///
    /// IRQL: any.
    #[must_use = "whether to wait"]
    pub fn shut(&self) -> Drained {
        let before = self.state.fetch_or(SHUT | TOLD, Ordering::AcqRel);
        if before & INSIDE == 0 {
            Drained::Now
        } else {
            Drained::Later
        }
    }

    /// Shuts the gate, and nobody is told when the last one has left, unless it is [shut](Self::shut) for
    /// that before.
    ///
    /// IRQL: any.
    pub fn shut_quietly(&self) {
        self.state.fetch_or(SHUT, Ordering::AcqRel);
    }

    /// Opens the gate.
    ///
    /// IRQL: any.
    pub fn open(&self) {
        self.state.fetch_and(INSIDE, Ordering::AcqRel);
    }

    /// Whether the gate is open. Whoever must rely on it [enters](Self::enter).
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state.load(Ordering::Acquire) & SHUT == 0
    }

    /// How many are inside. For counters and messages: it may be old when it arrives.
    #[must_use]
    pub fn inside(&self) -> u64 {
        self.state.load(Ordering::Relaxed) & INSIDE
    }
}

const SHUT: u64 = 1 << 63;
const TOLD: u64 = 1 << 62;
const INSIDE: u64 = TOLD - 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shut_gate_lets_nobody_in() {
        let gate = Gate::shut_and_empty();
        assert!(!gate.enter(1));
        gate.open();
        assert!(gate.enter(64));
        assert_eq!(gate.shut(), Drained::Later);
        assert!(!gate.enter(1));
        assert_eq!(gate.inside(), 64);
    }

    #[test]
    fn only_the_last_one_out_after_shutting_is_told() {
        let gate = Gate::shut_and_empty();
        gate.open();
        assert!(gate.enter(3));
        assert!(!gate.leave(1), "the gate is open");
        assert_eq!(gate.shut(), Drained::Later);
        assert!(!gate.leave(1));
        assert!(gate.leave(1));
        assert_eq!(gate.shut(), Drained::Now);
    }

    #[test]
    fn nobody_is_told_who_leaves_a_gate_that_was_shut_quietly() {
        let gate = Gate::shut_and_empty();
        gate.open();
        assert!(gate.enter(2));
        gate.shut_quietly();
        assert!(!gate.enter(1));
        assert!(!gate.leave(2), "nobody waits");
        assert_eq!(gate.shut(), Drained::Now);
        gate.open();
        assert!(gate.enter(1));
        gate.shut_quietly();
        assert_eq!(gate.shut(), Drained::Later);
        assert!(gate.leave(1), "somebody waits by now");
    }

    #[test]
    fn a_gate_opens_again() {
        let gate = Gate::shut_and_empty();
        gate.open();
        assert_eq!(gate.shut(), Drained::Now);
        gate.open();
        assert!(gate.enter(1));
        assert!(!gate.leave(1));
    }
}
