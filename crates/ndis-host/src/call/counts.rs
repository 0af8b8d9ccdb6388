//! How often each function was called: each call decides the function's IRQL rule.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::Function;
use crate::rules;

/// A function as its own code sees it: what the documents say of it, and how often it was called.
#[derive(Debug)]
pub struct Called {
    pub(super) function: Function,
    calls: AtomicU64,
}

impl Called {
    /// A function that was not called yet.
    #[must_use]
    pub const fn new(function: Function) -> Self {
        Self {
            function,
            calls: AtomicU64::new(0),
        }
    }

    /// Counts a call, while decisions are counted.
    pub(super) fn count(&'static self) {
        if rules::is_counting() && self.calls.fetch_add(1, Ordering::Relaxed) == 0 {
            CALLED
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(self);
        }
    }
}

/// The functions that were called so far, and how often.
#[must_use]
pub fn counts() -> Vec<(&'static Function, u64)> {
    let called = CALLED.lock().unwrap_or_else(PoisonError::into_inner);
    called
        .iter()
        .map(|called| (&called.function, called.calls.load(Ordering::Relaxed)))
        .collect()
}

static CALLED: Mutex<Vec<&'static Called>> = Mutex::new(Vec::new());
