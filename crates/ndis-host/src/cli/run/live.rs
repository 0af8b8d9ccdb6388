//! The line of live rates that a terminal shows, renewed in place.
//!
//! Only formatting; where the counters come from and when the line is renewed is the run's.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use super::events::Counters;

/// A line on a terminal that is overwritten each time; nothing where there is no terminal.
pub(super) struct Live {
    terminal: bool,
    shown: usize,
    before: Vec<(String, Counters)>,
}

impl Live {
    /// `wanted`: whether to show anything on a terminal.
    pub(super) fn new(wanted: bool) -> Self {
        Self {
            terminal: wanted && io::stdout().is_terminal(),
            shown: 0,
            before: Vec::new(),
        }
    }

    /// Whether there is anybody to show it to.
    pub(super) fn is_shown(&self) -> bool {
        self.terminal
    }

    /// Shows what changed within `elapsed`, the time since the last call.
    pub(super) fn show(&mut self, now: Vec<(String, Counters)>, elapsed: Duration) {
        if !self.terminal {
            return;
        }
        let line = rates(&self.before, &now, elapsed);
        let padding = self.shown.saturating_sub(line.len());
        let mut out = io::stdout().lock();
        let _ = write!(out, "\r{line}{:padding$}", "");
        let _ = out.flush();
        self.shown = line.len();
        self.before = now;
    }

    /// Clears the line, before something else is printed.
    pub(super) fn clear(&mut self) {
        if self.shown != 0 {
            let _ = write!(io::stdout(), "\r{:1$}\r", "", self.shown);
            self.shown = 0;
        }
    }
}

fn rates(before: &[(String, Counters)], now: &[(String, Counters)], elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64().max(f64::MIN_POSITIVE);
    let mut line = String::new();
    for (name, now) in now {
        let before = before
            .iter()
            .find(|(other, _)| other == name)
            .map_or_else(Counters::default, |(_, before)| *before);
        let frames = |now: u64, before: u64| now.saturating_sub(before) as f64 / seconds;
        let megabits =
            |now: u64, before: u64| now.saturating_sub(before) as f64 * 8.0 / seconds / 1e6;
        let separator = if line.is_empty() { "" } else { "   " };
        let _ = write!(
            line,
            "{separator}{name}: sends {:.0} frames/s, {:.1} Mbit/s; receives {:.0} frames/s, {:.1} Mbit/s",
            frames(now.sent_frames, before.sent_frames),
            megabits(now.sent_bytes, before.sent_bytes),
            frames(now.received_frames, before.received_frames),
            megabits(now.received_bytes, before.received_bytes),
        );
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_differences_over_time() {
        let counters = |sent_frames, sent_bytes| Counters {
            sent_frames,
            sent_bytes,
            ..Counters::default()
        };
        let before = [("vlan10".to_owned(), counters(100, 1_000_000))];
        let now = [
            ("vlan10".to_owned(), counters(300, 3_000_000)),
            ("vlan20".to_owned(), counters(0, 0)),
        ];
        assert_eq!(
            rates(&before, &now, Duration::from_secs(2)),
            "vlan10: sends 100 frames/s, 8.0 Mbit/s; receives 0 frames/s, 0.0 Mbit/s   \
             vlan20: sends 0 frames/s, 0.0 Mbit/s; receives 0 frames/s, 0.0 Mbit/s"
        );
    }
}
