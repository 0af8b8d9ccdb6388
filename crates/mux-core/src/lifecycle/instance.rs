//! One virtual miniport of a binding, from the request for it to its end.
//!
//! `MiniportInitializeEx` may run inside `NdisIMInitializeDeviceInstanceEx`, on another thread later,
//! or never; NDIS may halt and start a virtual miniport by itself (Device Manager's disable and
//! enable); and at any moment between, the binding below may go away or the configuration not name it any
//! more. The machine remembers whether it is *leaving* for one of these, and settles who undoes what:
//! exactly one party deinitializes, and after the instance is gone no initialize is accepted.
//!
//! Lifecycle: made when the configuration names it, Idle. [`Instance::request`] before the call to
//! `NdisIMInitializeDeviceInstanceEx`; [`Instance::leave`] when the binding goes or it is removed; the
//! binding may close when [`Instance::gone`]. There is no way back from leaving: whoever names it again
//! makes a new one.
//!
//! Not here: waiting, and the calls themselves.
//!
//! Sources: the pages of `NdisIMInitializeDeviceInstanceEx`,
//! `NdisIMCancelInitializeDeviceInstance` and `NdisIMDeInitializeDeviceInstance`, "Initializing
//! Virtual Miniports", "Intermediate Driver Unbinding Operations", "Adapter States of a Miniport
//! Driver".
//!
//! | from | leaving | event | to | answer |
//! |---|---|---|---|---|
//! | Idle | no | Request | Requested | accepted |
//! | Idle | no | InitializeBegun | Initializing | accepted |
//! | Idle | no | Leave | Idle | Gone |
//! | Requested | no | RequestFailed | Idle | accepted |
//! | Requested | no | InitializeBegun | Initializing | accepted |
//! | Requested | no | Leave | Requested | Cancel |
//! | Initializing | no | InitializeSucceeded | Paused | accepted |
//! | Initializing | no | InitializeFailed | Idle | accepted |
//! | Initializing | no | Leave | Initializing | Wait |
//! | Paused | no | Restarted | Running | accepted |
//! | Paused | no | Halted | Idle | accepted |
//! | Paused | no | Leave | Paused | Deinitialize |
//! | Running | no | PauseBegun | Pausing | accepted |
//! | Running | no | Halted | Idle | accepted |
//! | Running | no | Leave | Running | Deinitialize |
//! | Pausing | no | Paused | Paused | accepted |
//! | Pausing | no | Halted | Idle | accepted |
//! | Pausing | no | Leave | Pausing | Deinitialize |
//! | Idle | yes | Leave | Idle | Gone |
//! | Idle | yes | CancelSucceeded | Idle | Gone |
//! | Idle | yes | CancelFailed | Idle | Gone |
//! | Requested | yes | RequestFailed | Idle | accepted |
//! | Requested | yes | InitializeBegun | Idle | refused |
//! | Requested | yes | Leave | Requested | Wait |
//! | Requested | yes | CancelSucceeded | Idle | Gone |
//! | Requested | yes | CancelFailed | Requested | Wait |
//! | Initializing | yes | InitializeSucceeded | Idle | refused |
//! | Initializing | yes | InitializeFailed | Idle | accepted |
//! | Initializing | yes | Leave | Initializing | Wait |
//! | Paused | yes | Restarted | Running | accepted |
//! | Paused | yes | Halted | Idle | accepted |
//! | Paused | yes | Leave | Paused | Wait |
//! | Running | yes | PauseBegun | Pausing | accepted |
//! | Running | yes | Halted | Idle | accepted |
//! | Running | yes | Leave | Running | Wait |
//! | Pausing | yes | Paused | Paused | accepted |
//! | Pausing | yes | Halted | Idle | accepted |
//! | Pausing | yes | Leave | Pausing | Wait |

use core::fmt;

/// The state of a virtual miniport.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum State {
    /// Not there: never asked for, ended, or halted by NDIS, which may start it again.
    #[default]
    Idle,
    /// `NdisIMInitializeDeviceInstanceEx` was or is being called; `MiniportInitializeEx` has not begun.
    Requested,
    /// In `MiniportInitializeEx`.
    Initializing,
    /// Initialized; no sends, no receive indications.
    Paused,
    /// Sends and receive indications.
    Running,
    /// In a pause that waits for what is outstanding; nothing new begins.
    Pausing,
}

impl State {
    /// Its name, for traces.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "Idle",
            Self::Requested => "Requested",
            Self::Initializing => "Initializing",
            Self::Paused => "Paused",
            Self::Running => "Running",
            Self::Pausing => "Pausing",
        }
    }
}

/// What happened to a virtual miniport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// The driver is about to ask for it.
    Request,
    /// Asking failed.
    RequestFailed,
    /// `MiniportInitializeEx` was called.
    InitializeBegun,
    /// `MiniportInitializeEx` is about to return success.
    InitializeSucceeded,
    /// `MiniportInitializeEx` is about to return an error.
    InitializeFailed,
    /// The binding below goes away, or the virtual miniport is removed.
    Leave,
    /// `NdisIMCancelInitializeDeviceInstance` succeeded.
    CancelSucceeded,
    /// `NdisIMCancelInitializeDeviceInstance` failed.
    CancelFailed,
    /// `MiniportRestart`.
    Restarted,
    /// `MiniportPause` was called.
    PauseBegun,
    /// The pause is complete.
    Paused,
    /// `MiniportHaltEx`.
    Halted,
}

/// What whoever takes a binding down has to do about one virtual miniport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub enum Leave {
    /// Nothing: it is gone.
    Gone,
    /// Call `NdisIMCancelInitializeDeviceInstance`, and report by [`Instance::cancelled`].
    Cancel,
    /// Wait until it is gone: somebody else ends it.
    Wait,
    /// Call `NdisIMDeInitializeDeviceInstance`, then wait until it is gone.
    Deinitialize,
}

/// What the machine answers to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It happened.
    Accepted,
    /// The caller must undo or fail what it was doing.
    Refused,
    /// What to do now.
    Answer(Leave),
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// What the row says, in words: the name of its test too.
    pub name: &'static str,
    /// The state before.
    pub from: State,
    /// Whether the binding was leaving before.
    pub leaving: bool,
    /// What happens.
    pub event: Event,
    /// The state after.
    pub to: State,
    /// What is answered.
    pub verdict: Verdict,
}

/// A virtual miniport's state, and whether its binding is leaving.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Instance {
    state: State,
    leaving: bool,
}

impl Instance {
    /// Idle, not leaving.
    pub const fn new() -> Self {
        Instance {
            state: State::Idle,
            leaving: false,
        }
    }

    /// Where it is.
    pub fn state(&self) -> State {
        self.state
    }

    /// Whether its binding is leaving: never undone.
    pub fn leaving(&self) -> bool {
        self.leaving
    }

    /// Whether it ended for good: leaving and Idle. Wake who waits after each event that makes it so.
    pub fn gone(&self) -> bool {
        self.leaving && self.state == State::Idle
    }

    /// Whether `MiniportInitializeEx` succeeded and `MiniportHaltEx` has not been called.
    pub fn initialized(&self) -> bool {
        matches!(self.state, State::Paused | State::Running | State::Pausing)
    }

    /// Whether a new send or receive indication may begin.
    pub fn running(&self) -> bool {
        self.state == State::Running
    }

    /// Before `NdisIMInitializeDeviceInstanceEx`, which may call `MiniportInitializeEx` inside.
    ///
    /// # Errors
    /// [`Refused`] if it was asked for already, is initialized, or is leaving: do not call.
    pub fn request(&mut self) -> Result<(), Refused> {
        self.accept(Event::Request)
    }

    /// `NdisIMInitializeDeviceInstanceEx` failed. Changes nothing if `MiniportInitializeEx` has begun
    /// nevertheless.
    pub fn request_failed(&mut self) {
        self.apply(Event::RequestFailed);
    }

    /// First in `MiniportInitializeEx`.
    ///
    /// Accepted from Idle as well: NDIS starts a virtual miniport again that it halted itself.
    ///
    /// # Errors
    /// [`Refused`]: return an error from `MiniportInitializeEx` at once. The instance may be gone now.
    pub fn initialize_begun(&mut self) -> Result<(), Refused> {
        self.accept(Event::InitializeBegun)
    }

    /// Last in `MiniportInitializeEx`, after everything it does was done (`succeeded`) or undone.
    ///
    /// # Errors
    /// [`Refused`] if the binding began to leave meanwhile: undo everything and return an error from
    /// `MiniportInitializeEx`. The machine calls the instance gone from here on, so the binding must be
    /// held open by other means (a reference) until the undoing is done.
    pub fn initialize_ended(&mut self, succeeded: bool) -> Result<(), Refused> {
        self.accept(if succeeded {
            Event::InitializeSucceeded
        } else {
            Event::InitializeFailed
        })
    }

    /// The binding below goes away. From now on nothing new begins here. Asking again is answered with
    /// [`Leave::Wait`] until it is gone.
    pub fn leave(&mut self) -> Leave {
        self.answer(Event::Leave)
    }

    /// After `NdisIMCancelInitializeDeviceInstance`. Where that failed, `MiniportInitializeEx` comes
    /// and is refused ([`Leave::Wait`]), or it came already ([`Leave::Gone`]).
    pub fn cancelled(&mut self, succeeded: bool) -> Leave {
        self.answer(if succeeded {
            Event::CancelSucceeded
        } else {
            Event::CancelFailed
        })
    }

    /// In `MiniportRestart`.
    ///
    /// # Errors
    /// [`Refused`] unless Paused: NDIS broke its own rules.
    pub fn restarted(&mut self) -> Result<(), Refused> {
        self.accept(Event::Restarted)
    }

    /// First in `MiniportPause`.
    ///
    /// # Errors
    /// [`Refused`] unless Running: NDIS broke its own rules.
    pub fn pause_begun(&mut self) -> Result<(), Refused> {
        self.accept(Event::PauseBegun)
    }

    /// Everything that was outstanding came back; the pause may be completed.
    pub fn paused(&mut self) {
        self.apply(Event::Paused);
    }

    /// Last in `MiniportHaltEx`, when nothing of the instance is used any more.
    pub fn halted(&mut self) {
        self.apply(Event::Halted);
    }

    fn accept(&mut self, event: Event) -> Result<(), Refused> {
        let Instance { state, leaving } = *self;
        match self.apply(event) {
            Some(Verdict::Accepted) => Ok(()),
            _ => Err(Refused {
                state,
                leaving,
                event,
            }),
        }
    }

    fn answer(&mut self, event: Event) -> Leave {
        match self.apply(event) {
            Some(Verdict::Answer(leave)) => leave,
            // Only a report of a cancel that nobody was asked for: where things stand is the answer.
            _ if self.gone() => Leave::Gone,
            _ => Leave::Wait,
        }
    }

    fn apply(&mut self, event: Event) -> Option<Verdict> {
        let row = TRANSITIONS.iter().find(|row| {
            row.from == self.state && row.leaving == self.leaving && row.event == event
        })?;
        self.state = row.to;
        self.leaving |= event == Event::Leave;
        Some(row.verdict)
    }
}

/// The event does not fit the state. Except where the table has a row that says so, nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The state in which the event came.
    pub state: State,
    /// Whether the binding was leaving.
    pub leaving: bool,
    /// The event.
    pub event: Event,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let leaving = if self.leaving {
            " and its binding is leaving"
        } else {
            ""
        };
        write!(
            f,
            "virtual miniport: {:?} refused, it is {:?}{leaving}",
            self.event, self.state
        )
    }
}

impl core::error::Error for Refused {}

impl fmt::Display for Transition {
    /// The row as a line of a Markdown table.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let leaving = if self.leaving { "yes" } else { "no" };
        let (from, event, to) = (self.from, self.event, self.to);
        write!(f, "| {from:?} | {leaving} | {event:?} | {to:?} | ")?;
        match self.verdict {
            Verdict::Accepted => f.write_str("accepted |"),
            Verdict::Refused => f.write_str("refused |"),
            Verdict::Answer(leave) => write!(f, "{leave:?} |"),
        }
    }
}

/// Every transition there is. What has no row is refused and changes nothing.
pub const TRANSITIONS: &[Transition] = {
    use Event::{
        CancelFailed, CancelSucceeded, Halted, InitializeBegun, InitializeFailed,
        InitializeSucceeded, PauseBegun, Request, RequestFailed, Restarted,
    };
    use Leave::{Cancel, Deinitialize, Gone, Wait};
    use State::{Idle, Initializing, Paused, Pausing, Requested, Running};
    use Verdict::{Accepted, Answer, Refused};
    const LEAVE: Event = Event::Leave;
    const PAUSED: Event = Event::Paused;
    const LEAVING: bool = true;
    const STAYING: bool = false;

    #[rustfmt::skip]
    const ROWS: &[Transition] = &[
        row("request_while_idle_is_accepted", Idle, STAYING, Request, Requested, Accepted),
        row("initialize_begun_while_idle_starts_it_again", Idle, STAYING, InitializeBegun, Initializing, Accepted),
        row("leave_while_idle_is_gone", Idle, STAYING, LEAVE, Idle, Answer(Gone)),
        row("request_failed_while_requested_is_idle_again", Requested, STAYING, RequestFailed, Idle, Accepted),
        row("initialize_begun_while_requested_is_accepted", Requested, STAYING, InitializeBegun, Initializing, Accepted),
        row("leave_while_requested_cancels", Requested, STAYING, LEAVE, Requested, Answer(Cancel)),
        row("initialize_succeeded_is_paused", Initializing, STAYING, InitializeSucceeded, Paused, Accepted),
        row("initialize_failed_is_idle_again", Initializing, STAYING, InitializeFailed, Idle, Accepted),
        row("leave_while_initializing_waits", Initializing, STAYING, LEAVE, Initializing, Answer(Wait)),
        row("restarted_while_paused_is_running", Paused, STAYING, Restarted, Running, Accepted),
        row("halted_while_paused_is_idle", Paused, STAYING, Halted, Idle, Accepted),
        row("leave_while_paused_deinitializes", Paused, STAYING, LEAVE, Paused, Answer(Deinitialize)),
        row("pause_begun_while_running_is_pausing", Running, STAYING, PauseBegun, Pausing, Accepted),
        row("halted_while_running_is_idle", Running, STAYING, Halted, Idle, Accepted),
        row("leave_while_running_deinitializes", Running, STAYING, LEAVE, Running, Answer(Deinitialize)),
        row("paused_while_pausing_is_paused", Pausing, STAYING, PAUSED, Paused, Accepted),
        row("halted_while_pausing_is_idle", Pausing, STAYING, Halted, Idle, Accepted),
        row("leave_while_pausing_deinitializes", Pausing, STAYING, LEAVE, Pausing, Answer(Deinitialize)),

        row("leave_again_after_gone_is_gone", Idle, LEAVING, LEAVE, Idle, Answer(Gone)),
        row("cancel_succeeded_after_gone_is_gone", Idle, LEAVING, CancelSucceeded, Idle, Answer(Gone)),
        row("cancel_failed_after_refused_initialize_is_gone", Idle, LEAVING, CancelFailed, Idle, Answer(Gone)),
        row("request_failed_while_cancelling_is_gone", Requested, LEAVING, RequestFailed, Idle, Accepted),
        row("initialize_begun_after_leave_is_refused", Requested, LEAVING, InitializeBegun, Idle, Refused),
        row("leave_again_while_cancelling_waits", Requested, LEAVING, LEAVE, Requested, Answer(Wait)),
        row("cancel_succeeded_is_gone", Requested, LEAVING, CancelSucceeded, Idle, Answer(Gone)),
        row("cancel_failed_waits_for_initialize", Requested, LEAVING, CancelFailed, Requested, Answer(Wait)),
        row("initialize_succeeded_after_leave_is_refused", Initializing, LEAVING, InitializeSucceeded, Idle, Refused),
        row("initialize_failed_after_leave_is_gone", Initializing, LEAVING, InitializeFailed, Idle, Accepted),
        row("leave_again_while_initializing_waits", Initializing, LEAVING, LEAVE, Initializing, Answer(Wait)),
        row("restarted_while_deinitializing_is_running", Paused, LEAVING, Restarted, Running, Accepted),
        row("halted_while_paused_and_leaving_is_gone", Paused, LEAVING, Halted, Idle, Accepted),
        row("leave_again_while_paused_waits", Paused, LEAVING, LEAVE, Paused, Answer(Wait)),
        row("pause_begun_while_deinitializing_is_pausing", Running, LEAVING, PauseBegun, Pausing, Accepted),
        row("halted_while_running_and_leaving_is_gone", Running, LEAVING, Halted, Idle, Accepted),
        row("leave_again_while_running_waits", Running, LEAVING, LEAVE, Running, Answer(Wait)),
        row("paused_while_deinitializing_is_paused", Pausing, LEAVING, PAUSED, Paused, Accepted),
        row("halted_while_pausing_and_leaving_is_gone", Pausing, LEAVING, Halted, Idle, Accepted),
        row("leave_again_while_pausing_waits", Pausing, LEAVING, LEAVE, Pausing, Answer(Wait)),
    ];
    ROWS
};

const fn row(
    name: &'static str,
    from: State,
    leaving: bool,
    event: Event,
    to: State,
    verdict: Verdict,
) -> Transition {
    Transition {
        name,
        from,
        leaving,
        event,
        to,
        verdict,
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
