//! Interrupt request levels. Each thread has one; nothing preempts a thread by it, but every call is
//! checked against it and it must be put back as on Windows.

use std::cell::Cell;
use std::fmt;
use std::ops::RangeInclusive;

use ndis_sys::nt::KIRQL;

use crate::call;
use crate::ddi;
use crate::rules;

/// An interrupt request level of x64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Irql(pub KIRQL);

impl Irql {
    /// Threads run here; they may wait and page.
    pub const PASSIVE: Self = Self(0);
    /// Asynchronous procedure calls are held back.
    pub const APC: Self = Self(1);
    /// Spin locks and DPCs: no waiting, no paging.
    pub const DISPATCH: Self = Self(2);
    /// Everything is held back.
    pub const HIGH: Self = Self(15);
}

impl fmt::Display for Irql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("PASSIVE_LEVEL"),
            1 => f.write_str("APC_LEVEL"),
            2 => f.write_str("DISPATCH_LEVEL"),
            15 => f.write_str("HIGH_LEVEL"),
            level => write!(f, "IRQL {level}"),
        }
    }
}

/// This thread's IRQL.
#[must_use]
pub fn current() -> Irql {
    CURRENT.get()
}

/// Sets this thread's IRQL, up or down, and answers with the one before. The host's own use: what a
/// driver asks for is checked first.
pub fn set(irql: Irql) -> Irql {
    CURRENT.replace(irql)
}

/// Runs `f` at `irql`, at or above the current one: the host calls a driver's function so, or holds
/// a driver's lock.
pub fn at<R>(irql: Irql, f: impl FnOnce() -> R) -> R {
    let before = set(irql);
    assert!(before <= irql, "the host raises from {before} to {irql}");
    let result = f();
    set(before);
    result
}

/// A range as the documents write it: `<= DISPATCH_LEVEL`.
#[must_use]
pub fn describe(range: &RangeInclusive<Irql>) -> String {
    let (low, high) = (*range.start(), *range.end());
    if low == high {
        format!("{low} only")
    } else if low == Irql::PASSIVE {
        format!("<= {high}")
    } else {
        format!("{low} to {high}")
    }
}

ddi! { "ntoskrnl.exe":
    /// The current IRQL (`nf-wdm-kegetcurrentirql.md`).
    [PASSIVE..=HIGH] fn KeGetCurrentIrql() -> KIRQL {
        queried(None).0
    }

    /// Raises the IRQL and returns the old one (`nf-wdm-keraiseirql.md`).
    [PASSIVE..=HIGH] fn KfRaiseIrql(new: KIRQL) -> KIRQL {
        raise(Irql(new)).0
    }

    /// Raises the IRQL to DISPATCH_LEVEL and returns the old one (`nf-wdm-keraiseirqltodpclevel.md`).
    [PASSIVE..=DISPATCH, unchecked] fn KeRaiseIrqlToDpcLevel() -> KIRQL {
        raise(Irql::DISPATCH).0
    }

    /// Restores the IRQL (`nf-wdm-kelowerirql.md`).
    [PASSIVE..=HIGH] fn KeLowerIrql(new: KIRQL) {
        lower(Irql(new));
    }

    /// The same under its other exported name.
    [PASSIVE..=HIGH, unchecked] fn KfLowerIrql(new: KIRQL) {
        lower(Irql(new));
    }
}

/// The current IRQL, for a driver that asks for it: in `code`, or in the call that is under way.
///
/// Ends the run with [`rules::FLAGS_IRQL`] in a function that is told whether this is DISPATCH_LEVEL.
pub fn queried(code: Option<usize>) -> Irql {
    if !rules::enforced() {
        return current();
    }
    if let Some(function) = call::innermost_callback().filter(|name| TOLD.contains(name)) {
        let what = format_args!("{function} asks for the current IRQL; its flags tell it");
        match code {
            Some(code) => rules::broken_at(&rules::FLAGS_IRQL, what, code),
            None => rules::broken(&rules::FLAGS_IRQL, what),
        }
    }
    rules::held(&rules::FLAGS_IRQL);
    current()
}

/// The functions of a driver whose flags say whether they are called at DISPATCH_LEVEL.
const TOLD: &[&str] = &[
    "FilterReceiveNetBufferLists",
    "FilterReturnNetBufferLists",
    "FilterSendNetBufferLists",
    "FilterSendNetBufferListsComplete",
    "MiniportReturnNetBufferLists",
    "MiniportSendNetBufferLists",
    "ProtocolReceiveNetBufferLists",
    "ProtocolSendNetBufferListsComplete",
];

/// Raises the IRQL for a driver: [`rules::IRQL_KE_RAISE_LOWER`] is broken by a lower one.
pub fn raise(new: Irql) -> Irql {
    let before = current();
    if new < before || new > Irql::HIGH {
        rules::broken(
            &rules::IRQL_KE_RAISE_LOWER,
            format_args!("the IRQL is raised to {new} while it is {before}"),
        );
    }
    rules::held(&rules::IRQL_KE_RAISE_LOWER);
    set(new)
}

/// Lowers the IRQL for a driver: [`rules::IRQL_KE_RAISE_LOWER`] is broken by a higher one.
pub fn lower(new: Irql) {
    let before = current();
    if new > before {
        rules::broken(
            &rules::IRQL_KE_RAISE_LOWER,
            format_args!("the IRQL is lowered to {new} while it is {before}"),
        );
    }
    rules::held(&rules::IRQL_KE_RAISE_LOWER);
    set(new);
}

thread_local! {
    static CURRENT: Cell<Irql> = const { Cell::new(Irql::PASSIVE) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::assert_broken;

    #[test]
    fn raise_and_lower_return_to_the_start() {
        let old = raise(Irql::DISPATCH);
        assert_eq!((old, current()), (Irql::PASSIVE, Irql::DISPATCH));
        lower(old);
        assert_eq!(current(), Irql::PASSIVE);
    }

    #[test]
    fn raising_to_a_lower_level_breaks_irql_ke_raise_lower() {
        assert_broken(
            &rules::IRQL_KE_RAISE_LOWER,
            &["raised to PASSIVE_LEVEL"],
            || {
                set(Irql::DISPATCH);
                raise(Irql::PASSIVE)
            },
        );
    }

    #[test]
    fn lowering_to_a_higher_level_breaks_irql_ke_raise_lower() {
        assert_broken(
            &rules::IRQL_KE_RAISE_LOWER,
            &["lowered to DISPATCH_LEVEL"],
            || lower(Irql::DISPATCH),
        );
    }

    #[test]
    fn asking_for_the_irql_in_a_function_that_is_told_it_breaks_flags_irql() {
        assert_broken(&rules::FLAGS_IRQL, &["MiniportSendNetBufferLists"], || {
            // SAFETY: the function has no arguments.
            unsafe { KeGetCurrentIrql() };
            let name = "MiniportSendNetBufferLists";
            call::callback(name, Irql::PASSIVE..=Irql::DISPATCH, || {
                // SAFETY: as above.
                unsafe { KeGetCurrentIrql() }
            });
        });
    }

    #[test]
    fn ranges_read_as_in_the_documents() {
        assert_eq!(
            describe(&(Irql::PASSIVE..=Irql::DISPATCH)),
            "<= DISPATCH_LEVEL"
        );
        assert_eq!(
            describe(&(Irql::PASSIVE..=Irql::PASSIVE)),
            "PASSIVE_LEVEL only"
        );
        assert_eq!(
            describe(&(Irql::APC..=Irql::DISPATCH)),
            "APC_LEVEL to DISPATCH_LEVEL"
        );
    }
}
