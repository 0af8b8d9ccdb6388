//! Calls that are told to fail.
//!
//! Each fallible function asks `should_fail` before it does anything. There are three ways to say which
//! call fails:
//!
//! * *By count*: a test arms a function by name, and its nth call from now on fails, once.
//! * *By point*: a point is a function and the way in the driver that led to the call
//!   ([`call::stack_id`]), so that the number of points says how much code has failure paths, not how often
//!   a loop went round, and a point has the same name in each process. [`watch`] collects the points of a
//!   run, [`fail`] arms one. `ndishost check --faults` goes through them.
//! * *At random*: [`simulate`] begins Driver Verifier's low resources simulation.
//!
//! A call that fails does so with the function's own resource error. Not here: who calls. Only images' calls
//! count; the NDIS half, whose functions built-in parts call too, sees to that.

mod low_resources;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use serde::{Deserialize, Serialize};

use crate::call::{self, CodeAddress, StackId};
use crate::nt::sched;
use crate::rules;
use low_resources::Simulation;

pub use low_resources::{DEFAULT_PROBABILITY, LowResources, Simulated, TRIALS};

/// Makes the `nth` call (counted from 1, from now on) of `function` by an image fail.
///
/// # Panics
/// If the rules are off: no call fails then.
pub fn fail_nth(function: &'static str, nth: u64) {
    assert!(rules::enforced(), "{RULES_OFF}");
    let mut faults = lock();
    let done = faults.calls.get(function).copied().unwrap_or(0);
    faults.armed.push((function, done + nth));
}

/// Whether calls are told to fail, or points are collected.
pub(crate) fn are_planned() -> bool {
    let faults = lock();
    faults.watched.is_some() || faults.random.is_some() || !faults.armed.is_empty()
}

/// Disarms all faults, and collects no more points. Counts by function go on.
pub fn clear() {
    let mut faults = lock();
    faults.armed.clear();
    faults.watched = None;
    faults.random = None;
}

/// How often images called each fallible function so far.
pub fn fallible_calls() -> BTreeMap<&'static str, u64> {
    lock().calls.clone()
}

/// From now on, collects the points of all fallible calls by images.
///
/// # Panics
/// As [`fail_nth`].
pub fn watch() {
    assert!(rules::enforced(), "{RULES_OFF}");
    lock().watched.get_or_insert_default();
}

/// Which calls fail, by point.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Fault {
    /// The point.
    pub point: StackId,
    /// Every call at the point fails, not only the first one.
    #[serde(default)]
    pub always: bool,
    /// The fallible call that follows the first failed one fails too, whichever it is.
    #[serde(default)]
    pub and_next: bool,
}

/// Collects points as [`watch`] does, and makes calls at one of them fail.
///
/// # Panics
/// As [`fail_nth`].
pub fn fail(fault: Fault) {
    assert!(rules::enforced(), "{RULES_OFF}");
    lock().watched.get_or_insert_default().fault = Some(fault);
}

/// From now on, calls by images fail at random.
///
/// # Panics
/// As [`fail_nth`].
pub fn simulate(low_resources: LowResources) {
    assert!(rules::enforced(), "{RULES_OFF}");
    lock().random = Some(Simulation::new(low_resources));
}

/// What the simulation did so far: none if there is none.
#[must_use]
pub fn simulated() -> Option<Simulated> {
    lock().random.as_ref().map(|random| random.simulated)
}

/// A function and the way in the driver that led to calls of it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Point {
    /// What it is called.
    pub id: StackId,
    /// The function.
    pub function: String,
    /// The calls that came this way.
    pub calls: u64,
    /// How many of them failed because they were told to.
    pub failed: u64,
    /// The driver's functions that led there, the innermost first.
    pub stack: Vec<String>,
}

/// The points that were passed since [`watch`] or [`fail`], in the order of their first calls.
#[must_use]
pub fn points() -> Vec<Point> {
    let passed = lock()
        .watched
        .as_ref()
        .map(|watched| watched.passed.clone());
    let passed = passed.unwrap_or_default().into_iter();
    passed
        .map(|passed| Point {
            id: passed.id,
            function: passed.function.to_owned(),
            calls: passed.calls,
            failed: passed.failed,
            stack: passed
                .stack
                .iter()
                .map(|address| CodeAddress::of(*address).to_string())
                .collect(),
        })
        .collect()
}

/// Whether this call of `function` is to fail. Counts the call.
pub(crate) fn should_fail(function: &'static str) -> bool {
    if !rules::enforced() {
        return false;
    }
    let watching = {
        let faults = lock();
        faults.watched.is_some() || faults.random.is_some()
    };
    // The walk looks at no lock of this module, and none is held over it.
    let place = watching.then(|| (call::stack_id(function), call::driver_addresses()));
    let mut faults = lock();
    let calls = faults.calls.entry(function).or_insert(0);
    *calls += 1;
    let now = *calls;
    let before = faults.armed.len();
    faults
        .armed
        .retain(|&(name, nth)| name != function || nth != now);
    let by_count = faults.armed.len() != before;
    let Some((id, stack)) = place else {
        return by_count;
    };
    let by_chance = match &mut faults.random {
        Some(random) => random.fails(id),
        None => false,
    };
    let by_point = match &mut faults.watched {
        Some(watched) => watched.pass(function, id, stack, by_chance),
        None => false,
    };
    by_count || by_chance || by_point
}

struct Faults {
    calls: BTreeMap<&'static str, u64>,
    armed: Vec<(&'static str, u64)>,
    watched: Option<Watched>,
    random: Option<Simulation>,
}

#[derive(Default)]
struct Watched {
    passed: Vec<Passed>,
    index: BTreeMap<StackId, usize>,
    fault: Option<Fault>,
    /// A call failed; the next one is to fail too.
    next_fails: bool,
}

#[derive(Clone)]
struct Passed {
    id: StackId,
    function: &'static str,
    calls: u64,
    failed: u64,
    stack: Vec<usize>,
}

impl Watched {
    /// Notes a call at a point; answers whether it is to fail. `by_chance`: it fails anyway.
    fn pass(
        &mut self,
        function: &'static str,
        id: StackId,
        stack: Vec<usize>,
        by_chance: bool,
    ) -> bool {
        let index = *self.index.entry(id).or_insert_with(|| {
            self.passed.push(Passed {
                id,
                function,
                calls: 0,
                failed: 0,
                stack,
            });
            self.passed.len() - 1
        });
        let point = &mut self.passed[index];
        point.calls += 1;
        let followed = std::mem::take(&mut self.next_fails);
        let armed = self.fault.filter(|fault| fault.point == id);
        let fails = armed.is_some_and(|fault| fault.always || point.calls == 1);
        if fails || followed || by_chance {
            point.failed += 1;
        }
        self.next_fails = armed.is_some_and(|fault| fault.and_next && point.calls == 1);
        fails || followed
    }
}

fn lock() -> MutexGuard<'static, Faults> {
    sched::note_lock();
    FAULTS
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

const RULES_OFF: &str = "faults need the rules, which are off in this process";

static FAULTS: Mutex<Faults> = Mutex::new(Faults {
    calls: BTreeMap::new(),
    armed: Vec::new(),
    watched: None,
    random: None,
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nth_call_fails_once() {
        fail_nth("FaultTest", 2);
        assert!(!should_fail("FaultTest"));
        assert!(should_fail("FaultTest"));
        assert!(!should_fail("FaultTest"));
        assert_eq!(fallible_calls()["FaultTest"], 3);
    }

    fn point(text: &str) -> StackId {
        text.parse().expect("16 digits")
    }

    /// What becomes of calls at points that are named by one digit.
    fn pass(fault: Fault, points: &[u64]) -> (Vec<bool>, Watched) {
        let mut watched = Watched {
            fault: Some(fault),
            ..Watched::default()
        };
        let fails = points
            .iter()
            .map(|number| {
                watched.pass(
                    "FaultTest",
                    point(&format!("{number:016x}")),
                    Vec::new(),
                    false,
                )
            })
            .collect();
        (fails, watched)
    }

    fn fault(number: u64) -> Fault {
        Fault {
            point: point(&format!("{number:016x}")),
            always: false,
            and_next: false,
        }
    }

    #[test]
    fn the_first_call_at_a_point_fails() {
        let (fails, watched) = pass(fault(2), &[1, 2, 1, 2]);
        assert_eq!(fails, [false, true, false, false]);
        let counts: Vec<_> = watched.passed.iter().map(|p| (p.calls, p.failed)).collect();
        assert_eq!(
            counts,
            [(2, 0), (2, 1)],
            "in the order of their first calls"
        );
    }

    #[test]
    fn every_call_at_a_point_fails_if_always() {
        let always = Fault {
            always: true,
            ..fault(2)
        };
        assert_eq!(pass(always, &[2, 1, 2]).0, [true, false, true]);
    }

    #[test]
    fn of_a_pair_the_next_call_fails_too_wherever_it_is_and_once() {
        let pair = Fault {
            and_next: true,
            ..fault(2)
        };
        assert_eq!(
            pass(pair, &[1, 2, 3, 3, 2, 1]).0,
            [false, true, true, false, false, false]
        );
        assert_eq!(pass(pair, &[2, 2, 2]).0, [true, true, false]);
    }
}
