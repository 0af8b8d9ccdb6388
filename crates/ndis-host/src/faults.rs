//! Calls that are told to fail.
//!
//! Each fallible function asks `should_fail` before it does anything. A test arms a function by name:
//! its nth call from now on fails with the function's own resource error, once. The calls are counted
//! always, so that a first run says how many faults there are to try.
//!
//! Not here: who calls. Only images' calls count; the NDIS half, whose functions built-in parts call
//! too, sees to that.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

/// Makes the `nth` call (counted from 1, from now on) of `function` by an image fail.
pub fn fail_nth(function: &'static str, nth: u64) {
    let mut faults = lock();
    let done = faults.calls.get(function).copied().unwrap_or(0);
    faults.armed.push((function, done + nth));
}

/// Disarms all faults. Counts go on.
pub fn clear() {
    lock().armed.clear();
}

/// How often images called each fallible function so far.
pub fn fallible_calls() -> BTreeMap<&'static str, u64> {
    lock().calls.clone()
}

/// Whether this call of `function` is to fail. Counts the call.
pub(crate) fn should_fail(function: &'static str) -> bool {
    let mut faults = lock();
    let calls = faults.calls.entry(function).or_insert(0);
    *calls += 1;
    let now = *calls;
    let before = faults.armed.len();
    faults
        .armed
        .retain(|&(name, nth)| name != function || nth != now);
    faults.armed.len() != before
}

struct Faults {
    calls: BTreeMap<&'static str, u64>,
    armed: Vec<(&'static str, u64)>,
}

fn lock() -> MutexGuard<'static, Faults> {
    FAULTS
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

static FAULTS: Mutex<Faults> = Mutex::new(Faults {
    calls: BTreeMap::new(),
    armed: Vec::new(),
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
}
