//! Which calls of the driver can fail, so that a test lets each of them fail in turn.

use std::collections::BTreeMap;

use ndis_host::faults;

/// One call that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The function.
    pub function: &'static str,
    /// Which call of it, counted from 1.
    pub nth: u64,
}

impl Fault {
    /// Lets this call fail, counted from now on. No other fault is armed any more.
    pub fn arm(self) {
        faults::clear();
        faults::fail_nth(self.function, self.nth);
    }
}

/// The calls that can fail in what `work` makes the driver do, which must be the same each time.
///
/// # Panics
/// If one of `expected` is not among them: then nothing would be tested by it.
pub fn faults_in(expected: &[&str], work: impl FnOnce()) -> Vec<Fault> {
    let before = faults::fallible_calls();
    work();
    let calls: BTreeMap<&'static str, u64> = faults::fallible_calls()
        .into_iter()
        .map(|(function, count)| (function, count - before.get(function).unwrap_or(&0)))
        .filter(|(_, count)| *count != 0)
        .collect();
    for function in expected {
        assert!(
            calls.contains_key(function),
            "{function} is not among the fallible {calls:?}"
        );
    }
    calls
        .into_iter()
        .flat_map(|(function, count)| (1..=count).map(move |nth| Fault { function, nth }))
        .collect()
}
