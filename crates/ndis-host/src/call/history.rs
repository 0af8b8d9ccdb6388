//! The last calls of each thread: what a report shows of how it came to this.
//!
//! A ring per thread, which only a report of another thread ever contends for. Entries hold bare addresses; they are turned into
//! image and symbol when a report is written.

use std::cell::OnceCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::nt::irql::{self, Irql};
use crate::nt::sched;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    HISTORY
        .try_with(|history| {
            let history = history.get()?;
            let ring = history.ring.try_lock().ok()?;
            Some(ring.in_order())
        })
        .ok()
        .flatten()
        .unwrap_or_default()
}

/// The names and last events of the other threads that live, the one that called last first. A thread
/// that is just calling is left out.
#[must_use]
pub fn last_events_of_others() -> Vec<(String, Vec<Event>)> {
    let Ok(threads) = THREADS.try_lock() else {
        return Vec::new();
    };
    let mut others: Vec<_> = threads
        .iter()
        .filter_map(Weak::upgrade)
        .filter(|history| history.thread != sched::current_id())
        .filter_map(|history| {
            let ring = history.ring.try_lock().ok()?;
            Some((ring.clock, history.name.clone(), ring.in_order()))
        })
        .collect();
    others.sort_by_key(|&(clock, ..)| std::cmp::Reverse(clock));
    others
        .into_iter()
        .map(|(_, name, events)| (name, events))
        .collect()
}

pub(super) fn note(kind: Kind, name: &'static str, caller: usize, depth: usize) {
    let event = Event {
        kind,
        name,
        caller,
        irql: irql::current(),
        depth,
    };
    // A thread that is ending has no history any more.
    let _ = HISTORY.try_with(|history| {
        let history = history.get_or_init(History::begin);
        sched::note_lock();
        let mut ring = history.ring.lock().unwrap_or_else(PoisonError::into_inner);
        ring.push(event);
    });
}

/// The last events of one thread.
struct History {
    thread: u64,
    name: String,
    ring: Mutex<Ring>,
}

impl History {
    fn begin() -> Arc<Self> {
        let history = Arc::new(Self {
            thread: sched::current_id(),
            name: sched::current_name(),
            ring: Mutex::new(Ring {
                events: Vec::new(),
                next: 0,
                clock: 0,
            }),
        });
        let mut threads = THREADS.lock().unwrap_or_else(PoisonError::into_inner);
        threads.retain(|thread| thread.strong_count() != 0);
        threads.push(Arc::downgrade(&history));
        history
    }
}

struct Ring {
    events: Vec<Event>,
    /// Where the next event goes once the ring is full.
    next: usize,
    /// When the newest event was, among those of all threads.
    clock: u64,
}

impl Ring {
    fn push(&mut self, event: Event) {
        self.clock = CLOCK.fetch_add(1, Ordering::Relaxed);
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

static CLOCK: AtomicU64 = AtomicU64::new(0);
static THREADS: Mutex<Vec<Weak<History>>> = Mutex::new(Vec::new());

thread_local! {
    static HISTORY: OnceCell<Arc<History>> = const { OnceCell::new() };
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

    #[test]
    fn a_thread_sees_what_another_one_called_last() {
        let (called, wait) = (sched::Signal::new(), sched::Signal::new());
        let (set, until) = (called.clone(), wait.clone());
        let other = sched::spawn("history test", move || {
            note(Kind::Call, "NdisResetEvent", 0, 1);
            set.set();
            until.wait(None);
        });
        called.wait(None);
        let of_other = || {
            let mut others = last_events_of_others();
            others.retain(|(name, _)| name == "history test");
            others.pop().map(|(_, events)| events)
        };
        let events = of_other().unwrap();
        assert_eq!(events.last().unwrap().name, "NdisResetEvent");
        wait.set();
        other.join();
    }
}
