//! The order in which driver threads acquire locks: Driver Verifier's deadlock detection.
//!
//! Each thread lists the locks that it holds. Whoever waits for a lock while it holds another draws an
//! edge between the two, with the driver's calls that did so; edges that close a ring are a deadlock
//! that may happen, whether or not it happens in this run. Locks that were always held on top of a ring
//! keep it from closing.
//!
//! Not in here: the locks themselves. Locks on a stack are left out, as nobody says when they end.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;

use super::sched::{self, Monitor};
use crate::call::{self, CodeAddress};
use crate::rules;

/// How a lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// By nobody else.
    Exclusive,
    /// By readers at the same time.
    Shared,
}

/// What sort of lock it is, for reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A KSPIN_LOCK.
    SpinLock,
    /// An NDIS_RW_LOCK_EX.
    RwLock,
    /// A KMUTEX.
    Mutex,
}

/// This thread is about to wait for a lock. Ends the run if that may be a deadlock.
pub fn wait(lock: usize, kind: Kind, mode: Mode) {
    if !rules::enforced() {
        return;
    }
    let held = HELD.with_borrow(Clone::clone);
    let again = held.iter().any(|other| other.lock == lock);
    if held.is_empty() || again || is_on_this_stack(lock) {
        return;
    }
    let wanted = Acquired {
        lock,
        kind,
        mode,
        caller: call::caller_address(),
    };
    let ring = {
        let mut graph = GRAPH.lock();
        held.iter().find_map(|from| {
            let gates = gates(&held, from.lock);
            graph.add(*from, wanted, gates)
        })
    };
    if let Some(ring) = ring {
        let text: Vec<String> = ring.iter().map(ToString::to_string).collect();
        rules::broken(
            &rules::SPIN_LOCK_DEADLOCK,
            format_args!(
                "locks are acquired in orders that may deadlock:\n{}",
                text.join("\n")
            ),
        );
    }
    rules::held(&rules::SPIN_LOCK_DEADLOCK);
}

/// This thread has a lock.
pub fn acquired(lock: usize, kind: Kind, mode: Mode) {
    if !rules::enforced() {
        return;
    }
    let acquired = Acquired {
        lock,
        kind,
        mode,
        caller: call::caller_address(),
    };
    if !is_on_this_stack(lock) {
        HELD.with_borrow_mut(|held| held.push(acquired));
    }
}

/// This thread gave a lock back.
pub fn released(lock: usize) {
    if !rules::enforced() {
        return;
    }
    HELD.with_borrow_mut(|held| {
        if let Some(index) = held.iter().rposition(|other| other.lock == lock) {
            held.remove(index);
        }
    });
}

/// The locks in `memory` are no more: it was freed, or a lock in it was initialized again.
pub fn forget(memory: Range<usize>) {
    if !rules::enforced() {
        return;
    }
    let mut graph = GRAPH.lock();
    if graph.locks.range(memory.clone()).next().is_some() {
        graph.forget(&memory);
    }
}

/// A lock that a thread holds, and where it got it.
#[derive(Clone, Copy, Debug)]
struct Acquired {
    lock: usize,
    kind: Kind,
    mode: Mode,
    caller: usize,
}

/// Somebody who held one lock and waited for another.
#[derive(Clone, Debug)]
struct Edge {
    from: Acquired,
    to: Acquired,
    /// What was held besides, each time.
    gates: BTreeSet<usize>,
    thread: String,
    /// The driver's calls that led to the wait.
    stack: Vec<CodeAddress>,
}

impl fmt::Display for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, .. } = self;
        write!(
            f,
            "\"{}\" held {} {:#x}, acquired by {}, and waited for {} {:#x} at {}",
            self.thread,
            from.kind,
            from.lock,
            CodeAddress::of(from.caller),
            to.kind,
            to.lock,
            CodeAddress::of(to.caller)
        )?;
        for address in self.stack.iter().skip(1) {
            write!(f, "\n  in a call from {address}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SpinLock => "spin lock",
            Self::RwLock => "read-write lock",
            Self::Mutex => "mutex",
        })
    }
}

/// From one lock to another, each in a mode.
type Key = (usize, Mode, usize, Mode);

struct Graph {
    edges: BTreeMap<Key, Edge>,
    /// All locks of `edges`.
    locks: BTreeSet<usize>,
}

impl Graph {
    /// Draws an edge. Answers with the ring that it closes, if it does.
    fn add(&mut self, from: Acquired, to: Acquired, gates: BTreeSet<usize>) -> Option<Vec<Edge>> {
        let key = (from.lock, from.mode, to.lock, to.mode);
        match self.edges.get_mut(&key) {
            Some(edge) if edge.gates.is_subset(&gates) => return None,
            // It was seen with more locks around it than now.
            Some(edge) => edge.gates.retain(|gate| gates.contains(gate)),
            None => {
                let edge = Edge {
                    from,
                    to,
                    gates,
                    thread: sched::current_name(),
                    stack: call::driver_stack(),
                };
                self.edges.insert(key, edge);
                self.locks.extend([from.lock, to.lock]);
            }
        }
        let first = self.edges[&key].clone();
        let mut ring = vec![first];
        self.close(&mut ring).then_some(ring)
    }

    /// Whether edges lead from the end of `ring` to its start; they are added to it.
    fn close(&self, ring: &mut Vec<Edge>) -> bool {
        let (start, end) = (ring[0].from, ring[ring.len() - 1].to);
        if start.lock == end.lock {
            return conflict(start.mode, end.mode) && !gated(ring);
        }
        let from_end = (end.lock, Mode::Exclusive, 0, Mode::Exclusive)..;
        for (key, edge) in self.edges.range(from_end) {
            if key.0 != end.lock {
                break;
            }
            let seen = ring.iter().any(|other| other.to.lock == edge.to.lock);
            if seen || !conflict(end.mode, edge.from.mode) {
                continue;
            }
            ring.push(edge.clone());
            if self.close(ring) {
                return true;
            }
            ring.pop();
        }
        false
    }

    fn forget(&mut self, memory: &Range<usize>) {
        self.edges
            .retain(|key, _| !memory.contains(&key.0) && !memory.contains(&key.2));
        self.locks.retain(|lock| !memory.contains(lock));
    }
}

/// Whether one thread waits for another that has the lock in the other mode.
fn conflict(one: Mode, other: Mode) -> bool {
    (one, other) != (Mode::Shared, Mode::Shared)
}

/// Whether a lock was held around each edge, so that only one thread at a time is on the ring.
fn gated(ring: &[Edge]) -> bool {
    let (first, rest) = ring.split_first().expect("a ring has an edge");
    let around_all = |gate: &usize| rest.iter().all(|edge| edge.gates.contains(gate));
    first.gates.iter().any(around_all)
}

/// What a thread that holds `held` has exclusively besides `lock`.
fn gates(held: &[Acquired], lock: usize) -> BTreeSet<usize> {
    held.iter()
        .filter(|other| other.lock != lock && other.mode == Mode::Exclusive)
        .map(|other| other.lock)
        .collect()
}

fn is_on_this_stack(lock: usize) -> bool {
    let here = 0_u8;
    (&raw const here as usize).abs_diff(lock) < STACK
}

/// As much of a stack as is looked at.
const STACK: usize = 1 << 20;

static GRAPH: Monitor<Graph> = Monitor::new(Graph {
    edges: BTreeMap::new(),
    locks: BTreeSet::new(),
});

thread_local! {
    static HELD: RefCell<Vec<Acquired>> = const { RefCell::new(Vec::new()) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::assert_broken;

    const EXCLUSIVE: Mode = Mode::Exclusive;
    const SHARED: Mode = Mode::Shared;

    /// One thread takes these locks in this order, and gives them back.
    fn take(locks: &[(usize, Mode)]) {
        for &(lock, mode) in locks {
            wait(lock, Kind::RwLock, mode);
            acquired(lock, Kind::RwLock, mode);
        }
        locks.iter().for_each(|&(lock, _)| released(lock));
    }

    #[test]
    fn two_orders_of_two_locks_break_the_rule_without_a_deadlock() {
        assert_broken(
            &rules::SPIN_LOCK_DEADLOCK,
            &["held read-write lock 0x10", "held read-write lock 0x20"],
            || {
                take(&[(0x10, EXCLUSIVE), (0x20, EXCLUSIVE)]);
                take(&[(0x20, EXCLUSIVE), (0x10, EXCLUSIVE)]);
            },
        );
    }

    #[test]
    fn a_ring_of_three_locks_breaks_the_rule() {
        assert_broken(
            &rules::SPIN_LOCK_DEADLOCK,
            &["0x10", "0x20", "0x30"],
            || {
                take(&[(0x10, EXCLUSIVE), (0x20, SHARED)]);
                take(&[(0x20, EXCLUSIVE), (0x30, EXCLUSIVE)]);
                take(&[(0x30, EXCLUSIVE), (0x10, EXCLUSIVE)]);
            },
        );
    }

    #[test]
    fn a_gate_that_is_missing_once_breaks_the_rule() {
        assert_broken(&rules::SPIN_LOCK_DEADLOCK, &["0x20"], || {
            take(&[(0x1, EXCLUSIVE), (0x10, EXCLUSIVE), (0x20, EXCLUSIVE)]);
            take(&[(0x1, EXCLUSIVE), (0x20, EXCLUSIVE), (0x10, EXCLUSIVE)]);
            take(&[(0x10, EXCLUSIVE), (0x20, EXCLUSIVE)]);
            take(&[(0x20, EXCLUSIVE), (0x10, EXCLUSIVE)]);
        });
    }

    #[test]
    fn readers_gates_and_locks_that_ended_make_no_ring() {
        take(&[(0x110, SHARED), (0x120, SHARED)]);
        take(&[(0x120, SHARED), (0x110, SHARED)]);

        take(&[(0x1, EXCLUSIVE), (0x210, EXCLUSIVE), (0x220, EXCLUSIVE)]);
        take(&[(0x1, EXCLUSIVE), (0x220, EXCLUSIVE), (0x210, EXCLUSIVE)]);

        take(&[(0x310, EXCLUSIVE), (0x320, EXCLUSIVE)]);
        forget(0x300..0x318);
        take(&[(0x320, EXCLUSIVE), (0x310, EXCLUSIVE)]);
    }
}
