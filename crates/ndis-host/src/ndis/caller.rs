//! Whose code runs on this thread: an image's, a built-in part's, or the host's own.
//!
//! A thread starts as foreign code of an unnamed image (an image's own threads never pass through
//! here first). Each callback marks the driver that it enters for as long as it runs, and a built-in
//! part marks its own threads. Faults, counters and the trace ask [`current`], so that only calls of
//! the image under test are counted and failed.
//!
//! Not in here: what is done with the answer.

use std::cell::Cell;

/// A party whose code runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The service name of the driver, or what the host's part is called.
    pub name: &'static str,
    /// Part of the host, not an image.
    pub built_in: bool,
}

impl Caller {
    /// Code that no callback led to: an image's own thread, its `DriverEntry`.
    pub const UNNAMED: Self = Self {
        name: "image",
        built_in: false,
    };

    /// The host itself.
    pub const HOST: Self = Self {
        name: "host",
        built_in: true,
    };
}

/// Whose code runs on this thread now.
pub fn current() -> Caller {
    CURRENT.get()
}

/// Marks this thread as running `caller`'s code until the guard is dropped.
pub(crate) fn enter(caller: Caller) -> Entered {
    Entered {
        before: CURRENT.replace(caller),
    }
}

/// Restores who ran before.
pub(crate) struct Entered {
    before: Caller,
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.before);
    }
}

thread_local! {
    static CURRENT: Cell<Caller> = const { Cell::new(Caller::UNNAMED) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_callers_are_restored_in_reverse() {
        assert_eq!(current(), Caller::UNNAMED);
        let outer = enter(Caller::HOST);
        {
            let _inner = enter(Caller {
                name: "mux",
                built_in: false,
            });
            assert_eq!(current().name, "mux");
        }
        assert_eq!(current(), Caller::HOST);
        drop(outer);
        assert_eq!(current(), Caller::UNNAMED);
    }
}
