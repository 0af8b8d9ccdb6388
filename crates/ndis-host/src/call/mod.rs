//! The boundary between the host and a driver image, in both directions.
//!
//! *Driver to host*: every function that an image may import is declared with [`ddi!`](crate::ddi).
//! The macro writes the function, puts it into the module's `EXPORTS` table that the loader binds
//! from, and starts its body with [`enter`]: the IRQL is checked, the call joins the thread's last
//! calls, and [`caller`] answers with the driver's return address, which the import's stub stored
//! ([`stub`]).
//!
//! *Host to driver*: every call of a driver's function goes through [`callback`], which checks on
//! return what each callback owes its caller: the IRQL it was entered at, and no spin lock more.
//!
//! From inside a call, [`driver_stack`] names the driver's functions that led to it, and [`stack_id`]
//! tells one way to a call from another, the same in each run.
//!
//! Not here: what a function does (in `nt` and `ndis`), and what a report looks like (in `rules`).

mod address;
mod counts;
mod export;
mod history;
mod stack;
pub mod stub;

use std::cell::RefCell;
use std::ops::RangeInclusive;

pub use address::CodeAddress;
pub use counts::{Called, counts};
pub use export::{Export, Function, all, find};
pub use history::{Event, Kind, last_events, last_events_of_others};
pub use stack::{StackId, driver_addresses, driver_stack, driver_stack_at, stack_id};

use crate::image::Registers;
use crate::nt::irql::{self, Irql};
use crate::nt::{sched, spin_lock};
use crate::rules;

/// A call from a driver that is under way. Dropped when the function returns.
#[derive(Debug)]
pub struct Call {
    /// Nothing while the rules are off.
    entered: Option<Entered>,
}

impl Drop for Call {
    fn drop(&mut self) {
        if self.entered.is_some() {
            sched::yield_point();
        }
    }
}

/// Starts the body of an exported function: notes the call and checks the IRQL.
///
/// Ends the run with the function's IRQL rule if the current IRQL is outside the documented range.
#[must_use]
#[inline]
pub fn enter(called: &'static Called) -> Call {
    let entered = rules::enforced().then(|| enter_under_rules(called));
    Call { entered }
}

fn enter_under_rules(called: &'static Called) -> Entered {
    let function = &called.function;
    let caller = stub::take_return_address();
    let registers = stub::noted_registers();
    let entered = Entered::push(
        Kind::Call,
        function.module,
        function.name,
        caller,
        registers,
    );
    let current = irql::current();
    if !function.irql.contains(&current) {
        rules::broken(
            rules::irql_rule(function.name),
            format_args!(
                "{} must be called at {}; the driver called it at {current}",
                function.name,
                irql::describe(&function.irql),
            ),
        );
    }
    called.count();
    sched::yield_point();
    entered
}

/// Calls one of a driver's functions, `f`, under the name that the documents give it.
///
/// `irql` is the range at which the documents let that function be called. The host being outside of
/// it is a fault of the host and panics. The driver returning at another IRQL, or with a spin lock
/// that it acquired inside, ends the run.
pub fn callback<R>(name: &'static str, irql: RangeInclusive<Irql>, f: impl FnOnce() -> R) -> R {
    sched::prepare_thread();
    if !rules::enforced() {
        return f();
    }
    let before = irql::current();
    assert!(
        irql.contains(&before),
        "the host calls {name} at {before}, but it runs at {} only",
        irql::describe(&irql)
    );
    assert_eq!(
        sched::locks_held(),
        0,
        "the host calls {name} while this thread holds a lock of the host"
    );
    let locks = spin_lock::held_by_this_thread();

    let none = Registers::default();
    let entered = Entered::push(Kind::Callback, "driver", name, 0, none);
    sched::yield_point();
    let result = f();

    // What a function without a guard left there is no call of the host's.
    stub::take_return_address();
    let after = irql::current();
    if after != before {
        rules::broken(
            &rules::IRQL_RETURN,
            format_args!("{name} was called at {before} and returned at {after}"),
        );
    }
    rules::held(&rules::IRQL_RETURN);
    spin_lock::check_none_kept(name, locks);
    drop(entered);
    sched::yield_point();
    result
}

/// Calls a driver's cancel routine, `f`: at DISPATCH_LEVEL with the cancel lock held, which it must
/// release to `lower`, the IRQL from which the lock was acquired.
pub fn callback_that_lowers(name: &'static str, lower: Irql, f: impl FnOnce()) {
    sched::prepare_thread();
    let locks = spin_lock::held_by_this_thread() - 1;
    let none = Registers::default();
    let entered = Entered::push(Kind::Callback, "driver", name, 0, none);
    sched::yield_point();
    f();
    stub::take_return_address();
    if spin_lock::holds_cancel() {
        rules::broken(
            &rules::RETURNED_HOLDING_CANCEL_LOCK,
            format_args!("{name} returned and still holds the cancel spin lock"),
        );
    }
    let after = irql::current();
    if after != lower {
        rules::broken(
            &rules::IRQL_RETURN,
            format_args!("{name} was to lower to {lower} and returned at {after}"),
        );
    }
    rules::held(&rules::RETURNED_HOLDING_CANCEL_LOCK);
    spin_lock::check_none_kept(name, locks);
    drop(entered);
}

/// Where the driver called the function that this thread is executing, or an unknown address if it
/// is in no call from a driver.
#[must_use]
pub fn caller() -> CodeAddress {
    CodeAddress::of(caller_address())
}

/// Like [`caller`], as a bare address, 0 for none: cheap enough to note for every allocation.
#[must_use]
pub fn caller_address() -> usize {
    FRAMES
        .try_with(|frames| {
            let frames = frames.try_borrow().ok()?;
            let innermost = frames.iter().rev().find(|frame| frame.kind == Kind::Call)?;
            Some(innermost.caller)
        })
        .ok()
        .flatten()
        .unwrap_or(0)
}

/// The calls and callbacks that this thread is in, outermost first.
#[must_use]
pub fn frames() -> Vec<Frame> {
    FRAMES
        .try_with(|frames| frames.try_borrow().map(|f| f.clone()).unwrap_or_default())
        .unwrap_or_default()
}

/// How many calls and callbacks this thread is in.
#[must_use]
pub fn depth() -> usize {
    FRAMES
        .try_with(|frames| frames.try_borrow().map_or(0, |frames| frames.len()))
        .unwrap_or(0)
}

/// Whether this thread is in a call or callback of one of these `names`.
#[must_use]
pub fn is_inside(names: &[&str]) -> bool {
    any_frame(|frame| names.contains(&frame.name))
}

/// The driver's function that this thread is in, the innermost one.
#[must_use]
pub fn innermost_callback() -> Option<&'static str> {
    FRAMES
        .try_with(|frames| {
            let frames = frames.try_borrow().ok()?;
            let mut inwards = frames.iter().rev();
            inwards.find_map(|frame| (frame.kind == Kind::Callback).then_some(frame.name))
        })
        .ok()
        .flatten()
}

fn any_frame(which: impl Fn(&Frame) -> bool) -> bool {
    FRAMES
        .try_with(|frames| {
            frames
                .try_borrow()
                .is_ok_and(|frames| frames.iter().any(which))
        })
        .unwrap_or(false)
}

/// One call or callback that a thread is in.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Into the host or into the driver.
    pub kind: Kind,
    /// The module that exports the function, `driver` for a callback.
    pub module: &'static str,
    /// The function's documented name.
    pub name: &'static str,
    /// The driver's return address of a call, 0 if unknown.
    pub caller: usize,
    /// The driver's registers at the call. They mean nothing if `caller` is unknown.
    registers: Registers,
}

/// The innermost frame of this thread for as long as the value lives.
#[derive(Debug)]
struct Entered {
    kind: Kind,
    name: &'static str,
}

impl Entered {
    fn push(
        kind: Kind,
        module: &'static str,
        name: &'static str,
        caller: usize,
        registers: Registers,
    ) -> Self {
        let depth = FRAMES.with_borrow_mut(|frames| {
            frames.push(Frame {
                kind,
                module,
                name,
                caller,
                registers,
            });
            frames.len()
        });
        history::note(kind, name, caller, depth);
        sched::seeded::crossing(kind as u8, name);
        Self { kind, name }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let depth = FRAMES.with_borrow_mut(|frames| {
            frames.pop();
            frames.len() + 1
        });
        // Only a callback's end is news in the history: what follows a call shows that it returned.
        sched::seeded::crossing(Kind::Return as u8, self.name);
        if self.kind == Kind::Callback {
            history::note(Kind::Return, self.name, 0, depth);
        }
    }
}

thread_local! {
    static FRAMES: RefCell<Vec<Frame>> = const { RefCell::new(Vec::new()) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::assert_broken;

    static PASSIVE_ONLY: Called = Called::new(Function {
        module: "ndis.sys",
        name: "NdisOpenAdapterEx",
        irql: Irql::PASSIVE..=Irql::PASSIVE,
    });

    #[test]
    fn call_at_too_high_irql_names_the_rule_and_both_levels() {
        assert_broken(
            &rules::IRQL_PROTOCOL_DRIVER_FUNCTION,
            &["NdisOpenAdapterEx", "PASSIVE_LEVEL", "DISPATCH_LEVEL"],
            || {
                irql::set(Irql::DISPATCH);
                let _call = enter(&PASSIVE_ONLY);
            },
        );
    }

    #[test]
    fn callback_that_returns_at_another_irql_breaks_irql_return() {
        assert_broken(&rules::IRQL_RETURN, &["MiniportHaltEx"], || {
            callback("MiniportHaltEx", Irql::PASSIVE..=Irql::PASSIVE, || {
                irql::set(Irql::DISPATCH);
            });
        });
    }

    #[test]
    fn frames_nest_and_end() {
        callback(
            "MiniportInitializeEx",
            Irql::PASSIVE..=Irql::PASSIVE,
            || {
                let call = enter(&PASSIVE_ONLY);
                let names: Vec<_> = frames().iter().map(|frame| frame.name).collect();
                assert_eq!(names, ["MiniportInitializeEx", "NdisOpenAdapterEx"]);
                drop(call);
                assert_eq!(frames().len(), 1);
            },
        );
        assert!(frames().is_empty());
    }
}
