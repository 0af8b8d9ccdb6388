//! Whether the rules are enforced: always, but in a process that measures speed.
//!
//! [`relax`] turns them off before a lab is built, for the rest of the process. What asks [`enforced`]
//! then leaves out its checks and the tables behind them. Nothing that a run shows after that says
//! anything about a driver but how fast it is.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::nt::{pool, sched};
use crate::{faults, image};

/// Why the rules cannot be turned off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRelaxed {
    /// An image was loaded under the rules, and what it has is in their tables.
    #[error("a driver is loaded already: the rules can be turned off before that only")]
    Loaded,
    /// Pool was allocated under the rules.
    #[error("pool is allocated already: the rules can be turned off before that only")]
    Allocated,
    /// The run is seeded, to find what is wrong.
    #[error("a seeded run looks for broken rules: run it with the rules on")]
    Seeded,
    /// Calls are to fail, to find what is wrong.
    #[error("faults look for broken rules: run them with the rules on")]
    Faults,
}

/// Turns the rules off for the rest of the process.
///
/// # Errors
/// Something was already done under the rules, or is there to find who breaks them.
pub fn relax() -> Result<(), NotRelaxed> {
    if sched::is_seeded() {
        return Err(NotRelaxed::Seeded);
    }
    if faults::are_planned() {
        return Err(NotRelaxed::Faults);
    }
    if image::any_loaded() {
        return Err(NotRelaxed::Loaded);
    }
    if enforced() && !pool::outstanding().is_empty() {
        return Err(NotRelaxed::Allocated);
    }
    super::count_evaluations(false);
    RELAXED.store(true, Ordering::SeqCst);
    Ok(())
}

/// Whether the rules are enforced.
#[inline]
pub fn enforced() -> bool {
    !RELAXED.load(Ordering::Relaxed)
}

static RELAXED: AtomicBool = AtomicBool::new(false);
