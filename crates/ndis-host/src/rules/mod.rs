//! The documented rules that a driver can break, and what happens when it does.
//!
//! One registry: each rule is a static with the name that Microsoft's documents give it, what it
//! promises, how it is detected, and the document. Whoever decides a rule calls [`held`] where it was
//! kept, and [`broken`] with what happened where it was not; the report says the rest, and the process
//! ends with exit code 1.
//!
//! Not here: the checks themselves. They stand where the state they look at lives.

mod bug_checks;
mod enforcement;
mod groups;
mod io;
mod irql;
mod left_out;
mod ndis;
mod nt;
mod report;
mod rows;
mod states;
#[cfg(test)]
pub(crate) mod testing;

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::call::{self, CodeAddress};

pub use bug_checks::*;
pub use enforcement::{NotRelaxed, enforced, relax};
pub use groups::irql_rule;
pub use io::*;
pub use irql::*;
pub use left_out::{LEFT_OUT, LeftOut};
pub use ndis::*;
pub use nt::*;
pub(crate) use report::{Reporter, is_reporting};
pub use report::{at_end, on_report, repeat_by, report_to, show_calls_on_panic};
pub use rows::{ORDERS, Order, Row, Seen, rows_of};
pub use states::*;

/// A rule that the documents state.
#[derive(Debug)]
pub struct Rule {
    /// The name that the documents give it: a rule of Driver Verifier, or a bug check.
    pub name: &'static str,
    /// What sort of rule it is.
    pub kind: Kind,
    /// What a driver that keeps it promises.
    pub promise: &'static str,
    /// When it is decided, and by what.
    pub detected: &'static str,
    /// The file name of the document's page.
    pub source: &'static str,
    held: AtomicU64,
}

/// The sorts of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A rule of Driver Verifier, or one of Static Driver Verifier that is decided at run time here.
    Verifier,
    /// A bug check of the kernel or of ndis.sys.
    BugCheck,
    /// A machine of states that the reference pages describe.
    State,
    /// An order in which the documents let things happen.
    Order,
    /// What the documents require without a name for it, and the host keeps account of.
    Host,
}

impl Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Verifier => "verifier",
            Self::BugCheck => "bug check",
            Self::State => "states",
            Self::Order => "order",
            Self::Host => "host",
        })
    }
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Rule {}

impl Rule {
    /// A rule of the registry; see the macro `rules!`.
    const fn new(
        name: &'static str,
        kind: Kind,
        promise: &'static str,
        detected: &'static str,
        source: &'static str,
    ) -> Self {
        Self {
            name,
            kind,
            promise,
            detected,
            source,
            held: AtomicU64::new(0),
        }
    }
}

impl Rule {
    /// The test of a driver image that breaks this rule, if there is one.
    #[must_use]
    pub fn alarm(&self) -> Option<&'static str> {
        let mut lines = ALARMS
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(','));
        lines.find_map(|(rule, test)| (rule == self.name).then_some(test))
    }
}

/// A line for each rule that a driver image of our own breaks: the rule's name, and the test's.
const ALARMS: &str = include_str!("alarms.csv");

/// Notes that `rule` was decided here, and that the driver kept it.
///
/// Cheap enough for each hand-over of a NET_BUFFER_LIST, and nothing while counting is off.
pub fn held(rule: &'static Rule) {
    if is_counting() {
        rule.held.fetch_add(1, Ordering::Relaxed);
    }
}

/// Decides `rule`: it is held if `kept`, else broken in the way that `what` says.
pub fn check<D: Display>(rule: &'static Rule, kept: bool, what: impl FnOnce() -> D) {
    if kept {
        held(rule);
    } else {
        broken(rule, what());
    }
}

/// Ends the run: `rule` was broken by this thread's driver code, in the way that `what` says.
///
/// Prints the report to standard error, runs what [`at_end`] registered, and ends the process with
/// exit code 1. If several threads come here, the first one's report is the one.
pub fn broken(rule: &'static Rule, what: impl Display) -> ! {
    report::end(rule, &what.to_string(), None)
}

/// Like [`broken`], when the code in question is another than the current call's: `caller` is the
/// driver's return address of an earlier call, such as the one that allocated what was left.
pub fn broken_at(rule: &'static Rule, what: impl Display, caller: usize) -> ! {
    report::end(rule, &what.to_string(), Some(CodeAddress::of(caller)))
}

/// Every rule of the registry.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    [
        io::ALL,
        irql::ALL,
        ndis::ALL,
        nt::ALL,
        states::ALL,
        bug_checks::ALL,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// The rules that were decided in this process so far, with how often, by name.
#[must_use]
pub fn evaluations() -> Vec<(&'static Rule, u64)> {
    let mut counts: BTreeMap<&str, (&Rule, u64)> = all()
        .map(|rule| (rule.name, (rule, rule.held.load(Ordering::Relaxed))))
        .collect();
    for (function, calls) in call::counts() {
        let rule = irql_rule(function.name);
        counts.entry(rule.name).or_insert((rule, 0)).1 += calls;
    }
    counts
        .into_values()
        .filter(|(_, count)| *count != 0)
        .collect()
}

/// Starts or stops the counting of decisions, which is on from the start.
pub fn count_evaluations(on: bool) {
    COUNTING.store(on, Ordering::Relaxed);
}

/// Whether decisions are counted.
pub(crate) fn is_counting() -> bool {
    COUNTING.load(Ordering::Relaxed)
}

static COUNTING: AtomicBool = AtomicBool::new(true);

/// Declares rules:
/// `CONSTANT = Kind "Name", "what is promised", "when and by what it is decided", "document.md";`.
macro_rules! rules {
    ($(
        $constant:ident = $kind:ident $name:literal, $promise:literal, $detected:literal,
        $source:literal;
    )*) => {
        $(
            #[doc = concat!("`", $name, "`: ", $promise, "; ", $detected, " (", $source, ").")]
            pub static $constant: $crate::rules::Rule = $crate::rules::Rule::new(
                $name,
                $crate::rules::Kind::$kind,
                $promise,
                $detected,
                $source,
            );
        )*
        /// The rules of this part of the registry.
        pub(super) static ALL: &[&$crate::rules::Rule] = &[$(&$constant),*];
    };
}
use rules;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_every_rule_has_a_source_page() {
        let mut names: Vec<_> = all().map(|rule| rule.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
        for rule in all() {
            assert!(rule.source.ends_with(".md"), "{}", rule.name);
            assert!(!rule.promise.is_empty(), "{}", rule.name);
            assert!(
                rule.detected.contains("when ")
                    || rule.detected.contains("while ")
                    || rule.detected.starts_with("each second")
                    || rule.detected.starts_with("at "),
                "{} says when it is decided: {}",
                rule.name,
                rule.detected
            );
        }
    }

    #[test]
    fn a_name_is_a_rule_or_left_out_and_alarms_are_for_rules() {
        let is_rule = |name: &str| all().any(|rule| rule.name == name);
        for left in LEFT_OUT {
            assert!(!is_rule(left.name), "{} is a rule", left.name);
        }
        for line in ALARMS.lines().skip(1) {
            let (rule, test) = line.split_once(',').expect("a rule and a test");
            assert!(is_rule(rule) && !test.is_empty(), "{line}");
        }
    }

    #[test]
    fn a_held_rule_is_counted_and_a_call_counts_for_its_irql_rule() {
        let of = |rule: &Rule| {
            let counts = evaluations();
            let found = counts.iter().find(|(other, _)| *other == rule);
            found.map_or(0, |(_, count)| *count)
        };
        let (before, calls) = (of(&INVALID_STRING), of(&IRQL_KE_SET_EVENT));
        check(&INVALID_STRING, true, || "it was kept");
        assert_eq!(of(&INVALID_STRING), before + 1);
        let mut event = std::mem::MaybeUninit::<ndis_sys::NDIS_EVENT>::zeroed();
        let event = event.as_mut_ptr();
        // SAFETY: the event lives until the end of the test.
        unsafe { crate::nt::dispatcher::KeInitializeEvent(event.cast(), 0, 0) };
        // SAFETY: as above.
        unsafe { crate::nt::dispatcher::KeSetEvent(event.cast(), 0, 0) };
        assert!(of(&IRQL_KE_SET_EVENT) > calls);
    }

    #[test]
    fn report_has_rule_promise_calls_and_thread() {
        testing::assert_broken(
            &POOL_LEAK,
            &[
                "a driver frees all its pool",
                "3 blocks",
                "MiniportHaltEx",
                "PASSIVE_LEVEL",
            ],
            || {
                use crate::nt::irql::Irql;
                crate::call::callback("MiniportHaltEx", Irql::PASSIVE..=Irql::PASSIVE, || {
                    broken(&POOL_LEAK, "3 blocks")
                })
            },
        );
    }
}
