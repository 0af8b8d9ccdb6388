//! The last calls of each thread: what a report shows of how it came to this.
//!
//! A ring per thread, written without a lock. Entries hold bare addresses; they are turned into
//! image and symbol when a report is written.

use std::cell::RefCell;

use crate::nt::irql::{self, Irql};

/// What crossed the boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The driver called a function of the host.
    Call,
    /// The host called a function of the driver.
    Callback,
    /// A function of the driver returned to the host.
    Return,
}

/// One crossing of the boundary.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// What crossed it.
    pub kind: Kind,
    /// The function's documented name.
    pub name: &'static str,
    /// The driver's return address of a call, 0 if unknown.
    pub caller: usize,
    /// The IRQL before the function ran (for a return: after it).
    pub irql: Irql,
    /// How many calls and callbacks the thread was in, this one included.
    pub depth: usize,
}

/// This thread's last events, oldest first.
#[must_use]
pub fn last_events() -> Vec<Event> {
    RING.try_with(|ring| ring.try_borrow().map(|r| r.in_order()).unwrap_or_default())
        .unwrap_or_default()
}

pub(super) fn note(kind: Kind, name: &'static str, caller: usize, depth: usize) {
    RING.with_borrow_mut(|ring| {
        ring.push(Event {
            kind,
            name,
            caller,
            irql: irql::current(),
            depth,
        });
    });
}

struct Ring {
    events: Vec<Event>,
    /// Where the next event goes once the ring is full.
    next: usize,
}

impl Ring {
    fn push(&mut self, event: Event) {
        if self.events.len() < LENGTH {
            self.events.push(event);
        } else {
            self.events[self.next] = event;
            self.next = (self.next + 1) % LENGTH;
        }
    }

    fn in_order(&self) -> Vec<Event> {
        let (newer, older) = self.events.split_at(self.next);
        older.iter().chain(newer).copied().collect()
    }
}

const LENGTH: usize = 32;

thread_local! {
    static RING: RefCell<Ring> = const { RefCell::new(Ring { events: Vec::new(), next: 0 }) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_ring_keeps_the_newest_in_order() {
        for depth in 0..LENGTH + 5 {
            note(Kind::Call, "NdisSetEvent", 0, depth);
        }
        let depths: Vec<_> = last_events().iter().map(|event| event.depth).collect();
        assert_eq!(depths, (5..LENGTH + 5).collect::<Vec<_>>());
    }
}
