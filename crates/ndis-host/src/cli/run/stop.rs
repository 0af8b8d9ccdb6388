//! When a run ends: on Ctrl-C, on `SIGTERM`, when its time is over.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Why a run ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reason {
    /// A signal asked for it.
    Asked,
    /// Its time is over.
    TimeOver,
}

/// Watches for the end. The signals are taken over for the rest of the process; the first one asks
/// for an orderly end, a second one of the same kind ends the process at once.
pub(super) struct Stop {
    asked: Arc<AtomicBool>,
    end: Option<Instant>,
}

impl Stop {
    /// Takes the signals over; the time begins with [`Stop::begin`].
    pub(super) fn install() -> io::Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [libc::SIGINT, libc::SIGTERM] {
            // In this order: the first signal finds the flag clear and only sets it.
            signal_hook::flag::register_conditional_shutdown(signal, 1, Arc::clone(&asked))?;
            signal_hook::flag::register(signal, Arc::clone(&asked))?;
        }
        Ok(Self { asked, end: None })
    }

    /// Starts the clock; without a limit the run lasts until a signal.
    pub(super) fn begin(&mut self, limit: Option<Duration>) {
        self.end = limit.map(|limit| Instant::now() + limit);
    }

    /// Whether the run is to end now.
    pub(super) fn reason(&self) -> Option<Reason> {
        if self.asked.load(Ordering::SeqCst) {
            Some(Reason::Asked)
        } else if self.end.is_some_and(|end| Instant::now() >= end) {
            Some(Reason::TimeOver)
        } else {
            None
        }
    }

    /// Waits up to `step`; the end comes early.
    pub(super) fn wait(&self, step: Duration) -> Option<Reason> {
        const LOOK: Duration = Duration::from_millis(20);
        let until = Instant::now() + step;
        loop {
            let reason = self.reason();
            let left = until.saturating_duration_since(Instant::now());
            if reason.is_some() || left.is_zero() {
                return reason;
            }
            std::thread::sleep(left.min(LOOK));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_ends_when_its_time_is_over_or_a_signal_asks_and_not_before() {
        let mut stop = Stop {
            asked: Arc::default(),
            end: None,
        };
        assert_eq!(stop.wait(Duration::from_millis(1)), None);
        stop.begin(Some(Duration::from_secs(600)));
        assert_eq!(stop.reason(), None);
        stop.begin(Some(Duration::ZERO));
        assert_eq!(stop.wait(Duration::from_secs(600)), Some(Reason::TimeOver));
        stop.begin(None);
        stop.asked.store(true, Ordering::SeqCst);
        assert_eq!(stop.wait(Duration::from_secs(600)), Some(Reason::Asked));
    }
}
