//! One open lower adapter, from `ProtocolBindAdapterEx` to the end of the close.
//!
//! Lifecycle: made Opening in `ProtocolBindAdapterEx`; Closed is the end, the next bind makes a new
//! one. NDIS's own Unbound is both "not made yet" and Closed here, and its Restarting does not exist:
//! a restart has nothing to wait for.
//!
//! Not here: the count of what is outstanding, which the driver's rundown keeps, and the virtual
//! miniports above, each of which is an [`super::instance`].
//!
//! Sources: "Binding States of a Protocol Driver", the pages of `ProtocolBindAdapterEx`,
//! `ProtocolUnbindAdapterEx` and `ProtocolNetPnPEvent`.
//!
//! | from | event | to |
//! |---|---|---|
//! | Opening | OpenSucceeded | Paused |
//! | Opening | OpenFailed | Closed |
//! | Paused | Restart | Running |
//! | Paused | Unbind | Closing |
//! | Running | PauseBegun | Pausing |
//! | Pausing | Paused | Paused |
//! | Closing | Closed | Closed |

use core::fmt;

/// The state of a binding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum State {
    /// `NdisOpenAdapterEx` was or is being called.
    #[default]
    Opening,
    /// Open; OID requests may go down, sends not.
    Paused,
    /// Sends and receive indications.
    Running,
    /// In `NetEventPause`, waiting for sends to come back; nothing new begins.
    Pausing,
    /// `NdisCloseAdapterEx` is about to be called, or was.
    Closing,
    /// The end: not open any more, or never was.
    Closed,
}

impl State {
    /// Its name, for traces.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opening => "Opening",
            Self::Paused => "Paused",
            Self::Running => "Running",
            Self::Pausing => "Pausing",
            Self::Closing => "Closing",
            Self::Closed => "Closed",
        }
    }
}

/// What happened to a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// `NdisOpenAdapterEx` succeeded.
    OpenSucceeded,
    /// `NdisOpenAdapterEx` failed.
    OpenFailed,
    /// `NetEventRestart`.
    Restart,
    /// `NetEventPause` came.
    PauseBegun,
    /// What was outstanding came back.
    Paused,
    /// `ProtocolUnbindAdapterEx`, or a bind that failed after the open.
    Unbind,
    /// `NdisCloseAdapterEx` is complete.
    Closed,
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// What the row says, in words: the name of its test too.
    pub name: &'static str,
    /// The state before.
    pub from: State,
    /// What happens.
    pub event: Event,
    /// The state after.
    pub to: State,
}

/// A binding's state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Binding {
    state: State,
}

impl Binding {
    /// Opening.
    pub const fn new() -> Self {
        Binding {
            state: State::Opening,
        }
    }

    /// Where it is.
    pub fn state(&self) -> State {
        self.state
    }

    /// `NdisOpenAdapterEx` succeeded, at once or later.
    pub fn open_succeeded(&mut self) {
        self.apply(Event::OpenSucceeded);
    }

    /// `NdisOpenAdapterEx` failed, at once or later.
    pub fn open_failed(&mut self) {
        self.apply(Event::OpenFailed);
    }

    /// In `ProtocolNetPnPEvent` for `NetEventRestart`.
    ///
    /// # Errors
    /// [`Refused`] unless Paused: NDIS broke its own rules.
    pub fn restart(&mut self) -> Result<(), Refused> {
        self.accept(Event::Restart)
    }

    /// First in `ProtocolNetPnPEvent` for `NetEventPause`.
    ///
    /// # Errors
    /// [`Refused`] unless Running: NDIS broke its own rules.
    pub fn pause_begun(&mut self) -> Result<(), Refused> {
        self.accept(Event::PauseBegun)
    }

    /// All sends came back and all receives were returned; the pause may be completed.
    pub fn paused(&mut self) {
        self.apply(Event::Paused);
    }

    /// First in `ProtocolUnbindAdapterEx`, and before the close of a bind that failed after its open.
    ///
    /// # Errors
    /// [`Refused`] unless Paused: while it opens there is nothing to unbind yet, and NDIS pauses a
    /// binding before it unbinds it.
    pub fn unbind(&mut self) -> Result<(), Refused> {
        self.accept(Event::Unbind)
    }

    /// `NdisCloseAdapterEx` is complete, at once or later.
    pub fn closed(&mut self) {
        self.apply(Event::Closed);
    }

    fn accept(&mut self, event: Event) -> Result<(), Refused> {
        let state = self.state;
        self.apply(event).ok_or(Refused { state, event })
    }

    fn apply(&mut self, event: Event) -> Option<()> {
        let row = TRANSITIONS
            .iter()
            .find(|row| row.from == self.state && row.event == event)?;
        self.state = row.to;
        Some(())
    }
}

/// The event does not fit the state; nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The state in which the event came.
    pub state: State,
    /// The event.
    pub event: Event,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "binding: {:?} refused, it is {:?}",
            self.event, self.state
        )
    }
}

impl core::error::Error for Refused {}

impl fmt::Display for Transition {
    /// The row as a line of a Markdown table.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "| {:?} | {:?} | {:?} |", self.from, self.event, self.to)
    }
}

/// Every transition there is. What has no row is refused and changes nothing.
#[rustfmt::skip]
pub const TRANSITIONS: &[Transition] = &[
    row("open_succeeded_is_paused", State::Opening, Event::OpenSucceeded, State::Paused),
    row("open_failed_is_closed", State::Opening, Event::OpenFailed, State::Closed),
    row("restart_while_paused_is_running", State::Paused, Event::Restart, State::Running),
    row("unbind_while_paused_is_closing", State::Paused, Event::Unbind, State::Closing),
    row("pause_begun_while_running_is_pausing", State::Running, Event::PauseBegun, State::Pausing),
    row("paused_while_pausing_is_paused", State::Pausing, Event::Paused, State::Paused),
    row("closed_while_closing_is_closed", State::Closing, Event::Closed, State::Closed),
];

const fn row(name: &'static str, from: State, event: Event, to: State) -> Transition {
    Transition {
        name,
        from,
        event,
        to,
    }
}

#[cfg(test)]
mod tests;
