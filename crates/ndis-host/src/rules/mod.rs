//! The documented rules that a driver can break, and what happens when it does.
//!
//! One registry: each rule is a static with the name that Microsoft's documents give it, what it
//! promises, and the document. Whoever sees a rule broken calls [`broken`] with what happened; the
//! report says the rest, and the process ends with exit code 1.
//!
//! Not here: the checks themselves. They stand where the state they look at lives.

mod irql;
mod ndis;
mod nt;
mod report;
#[cfg(test)]
pub(crate) mod testing;

use std::fmt::Display;

use crate::call::CodeAddress;

pub use irql::*;
pub use ndis::*;
pub use nt::*;
pub(crate) use report::Reporter;
pub use report::{at_end, on_report, show_calls_on_panic};

/// A rule that the documents state.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// The name that the documents give it: a rule of Driver Verifier, or a bug check.
    pub name: &'static str,
    /// What a driver that keeps it promises.
    pub promise: &'static str,
    /// The file name of the document's page.
    pub source: &'static str,
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
    [irql::ALL, ndis::ALL, nt::ALL]
        .into_iter()
        .flatten()
        .copied()
}

/// Declares rules: `CONSTANT = "Name", "promise", "document";`.
macro_rules! rules {
    ($($constant:ident = $name:literal, $promise:literal, $source:literal;)*) => {
        $(
            #[doc = concat!("`", $name, "`: ", $promise, " (", $source, ").")]
            pub static $constant: $crate::rules::Rule = $crate::rules::Rule {
                name: $name,
                promise: $promise,
                source: $source,
            };
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
        assert!(all().all(|rule| rule.source.ends_with(".md") && !rule.promise.is_empty()));
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
