//! The history of each NBL: how it was made and by whom, who got it, who freed it. For reports.
//!
//! An NBL keeps its allocation and its last steps; the lives of the NBLs that were freed last are kept
//! for a while, because the report of a use after the free asks for them.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::call::{self, CodeAddress};
use crate::ndis::caller::Caller;
use crate::nt::sched;
use crate::rules;

/// How an NBL came to be, and so how it is freed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Made {
    /// `NdisAllocateNetBufferList` and its kind; `owns_nb`: with a NET_BUFFER of its own.
    Plain { nb: Option<usize> },
    /// `NdisAllocateCloneNetBufferList` of an NBL, with these flags.
    Clone { of: usize, flags: u32 },
    /// `NdisAllocateFragmentNetBufferList` of an NBL, with this `DataOffsetDelta`.
    Fragment { of: usize, delta: u32 },
    /// `NdisAllocateReassembledNetBufferList` of an NBL, with this `DataOffsetDelta`.
    Reassembled { of: usize, delta: u32 },
}

/// What happened to one NBL.
#[derive(Clone, Debug)]
pub(super) struct Life {
    allocated: Step,
    steps: VecDeque<Step>,
    forgotten: usize,
}

/// One thing that happened.
#[derive(Clone, Copy, Debug)]
struct Step {
    what: &'static str,
    who: &'static str,
    at: Duration,
    /// Where a driver called from, 0 for parts of the host.
    from: usize,
}

impl Step {
    fn now(what: &'static str, who: Caller) -> Self {
        let (at, from) = if rules::enforced() {
            (sched::now(), call::caller_address())
        } else {
            (Duration::ZERO, 0)
        };
        let who = who.name;
        Self {
            what,
            who,
            at,
            from,
        }
    }

    fn line(&self, now: Duration) -> String {
        let ago = now.saturating_sub(self.at);
        let mut line = format!(
            "{:9.3} ms ago  {} {}",
            ago.as_secs_f64() * 1e3,
            self.what,
            self.who
        );
        if self.from != 0 {
            line.push_str(&format!(", by {}", CodeAddress::of(self.from)));
        }
        line
    }
}

impl Life {
    /// It is allocated now.
    pub(super) fn begin(allocator: Caller) -> Self {
        Self {
            allocated: Step::now("allocated for", allocator),
            steps: VecDeque::new(),
            forgotten: 0,
        }
    }

    /// Something happens to it now.
    pub(super) fn step(&mut self, what: &'static str, who: Caller) {
        if !rules::enforced() {
            return;
        }
        if self.steps.len() == STEPS {
            self.steps.pop_front();
            self.forgotten += 1;
        }
        self.steps.push_back(Step::now(what, who));
    }

    /// All of it in words, from the beginning.
    pub(super) fn lines(&self) -> Vec<String> {
        // One moment for all: looking up symbols takes its time.
        let now = sched::now();
        let mut lines = vec![self.allocated.line(now)];
        if self.forgotten != 0 {
            lines.push(format!("… {} more …", self.forgotten));
        }
        lines.extend(self.steps.iter().map(|step| step.line(now)));
        lines
    }
}

/// The NBL at that address is freed now.
pub(super) fn freed(address: usize, life: &Life) {
    if !rules::enforced() {
        return;
    }
    let mut life = life.clone();
    life.step("freed by", crate::ndis::caller::current());
    let mut graves = GRAVES.lock().unwrap_or_else(PoisonError::into_inner);
    if graves.len() == KEPT {
        graves.pop_front();
    }
    graves.push_back((address, life));
}

/// The NBL that was freed last at that address, and its history, if it is remembered.
pub(super) fn of_freed(address: usize) -> Option<(String, Vec<String>)> {
    let graves = GRAVES.try_lock().ok()?;
    let (_, life) = graves.iter().rev().find(|(other, _)| *other == address)?;
    Some((format!("NBL {address:#x}: freed"), life.lines()))
}

/// Steps kept of an NBL, besides its allocation.
const STEPS: usize = 6;
/// Lives of freed NBLs kept.
const KEPT: usize = 256;

static GRAVES: Mutex<VecDeque<(usize, Life)>> = Mutex::new(VecDeque::new());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_keeps_its_beginning_its_end_and_that_something_is_missing() {
        let mut life = Life::begin(Caller::HOST);
        for _ in 0..STEPS + 2 {
            life.step("sent to", Caller::UNNAMED);
        }
        freed(64, &life);
        let (title, lines) = of_freed(64).unwrap();
        assert_eq!(title, "NBL 0x40: freed");
        assert!(lines[0].contains("allocated for host"));
        // One more was pushed out by the step that says that it was freed.
        assert_eq!(lines[1], "… 3 more …");
        assert_eq!(lines.len(), 2 + STEPS);
        assert!(lines.last().unwrap().contains("freed by"));
        assert_eq!(of_freed(65), None);
    }
}
