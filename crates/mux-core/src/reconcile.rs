//! One setting of the adapter below that follows many wishes from above.
//!
//! The virtual miniports of a binding share the packet filter of the adapter below, and each of them
//! may change its part at any time, also while a request for the last change is on its way down. A
//! [`Reconciler`] decides what to send and when, under three rules:
//!
//! - **No request is made with a lock held.** The caller locks, calls [`Reconciler::want`] or
//!   [`Reconciler::done`], unlocks, and only then sends what it was told to send. A request that
//!   completes inline comes back as `done` on the same thread without meeting its own lock.
//! - **Never two requests in flight.** What is wanted meanwhile waits, so requests cannot overtake each
//!   other on their way down.
//! - **The last wanted value wins.** Wishes that wait are replaced, not queued up: however many come,
//!   one more request settles them all.
//!
//! Each wish gets a [`Ticket`]; whoever asked can complete its own request when [`Done::settled`] has
//! reached that ticket. A ticket may be settled by a later wish's request, and gets that one's result.
//!
//! Not here: computing the value ([`crate::filter::combined`]), the request, the waiting.

/// The place of a wish among all wishes: later ones compare greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

/// What to do about a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Wanted<T> {
    /// Nothing: the adapter below has this value. The ticket is settled.
    Already,
    /// Send this value, after the lock is dropped, and report by [`Reconciler::done`], also if sending
    /// failed at once.
    Send(T),
    /// Nothing now: a request is in flight. Its `done`, or the one after, settles the ticket.
    Queued,
}

/// What a completed request means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Done<T> {
    /// All tickets up to this one are finished.
    pub settled: Ticket,
    /// The last ticket whose wish was in the completed request.
    pub requested: Ticket,
    /// How the request ended, and with it every ticket up to `requested` that was not finished before.
    /// Tickets between `requested` and `settled` found their value in place: they succeeded.
    pub succeeded: bool,
    /// Send this value next, after the lock is dropped, and report by [`Reconciler::done`].
    pub next: Option<T>,
}

impl<T> Done<T> {
    /// How the wish with this ticket ended, if this completion is what ended it; `None` while it
    /// still waits.
    pub fn outcome(&self, ticket: Ticket) -> Option<bool> {
        if ticket > self.settled {
            return None;
        }
        Some(self.succeeded || ticket > self.requested)
    }
}

/// The value that the adapter below has, and the one that it should have.
#[derive(Debug)]
pub struct Reconciler<T> {
    applied: T,
    in_flight: Option<InFlight<T>>,
    /// What to send after the request in flight. Only with one in flight.
    waiting: Option<T>,
    issued: Ticket,
    settled: Ticket,
}

#[derive(Debug)]
struct InFlight<T> {
    value: T,
    /// The last ticket that this request settles.
    covers: Ticket,
}

impl<T: Copy + Eq> Reconciler<T> {
    /// The adapter below has `applied`; nothing is in flight.
    pub const fn new(applied: T) -> Self {
        Reconciler {
            applied,
            in_flight: None,
            waiting: None,
            issued: Ticket(0),
            settled: Ticket(0),
        }
    }

    /// The value that the adapter below is known to have.
    pub fn applied(&self) -> T {
        self.applied
    }

    /// Whether a request is in flight.
    pub fn busy(&self) -> bool {
        self.in_flight.is_some()
    }

    /// Whether the wish with this ticket is finished, one way or the other.
    pub fn is_settled(&self, ticket: Ticket) -> bool {
        ticket <= self.settled
    }

    /// The adapter below should have `value`.
    pub fn want(&mut self, value: T) -> (Ticket, Wanted<T>) {
        // At one wish a nanosecond this lasts five centuries.
        self.issued = Ticket(self.issued.0.wrapping_add(1));
        let ticket = self.issued;
        if let Some(in_flight) = &mut self.in_flight {
            if in_flight.value == value {
                in_flight.covers = ticket;
                self.waiting = None;
            } else {
                self.waiting = Some(value);
            }
            return (ticket, Wanted::Queued);
        }
        if self.applied == value {
            self.settled = ticket;
            return (ticket, Wanted::Already);
        }
        self.in_flight = Some(InFlight {
            value,
            covers: ticket,
        });
        (ticket, Wanted::Send(value))
    }

    /// The request in flight is complete.
    ///
    /// After a failure the adapter below still has what it had. Wishes that waited are tried; the ones
    /// that failed are not tried again until somebody wants them again. Without a request in flight
    /// this changes nothing.
    pub fn done(&mut self, succeeded: bool) -> Done<T> {
        if let Some(InFlight { value, covers }) = self.in_flight.take() {
            if succeeded {
                self.applied = value;
            }
            self.settled = covers;
        }
        let requested = self.settled;
        let next = match self.waiting.take() {
            Some(value) if value != self.applied => {
                self.in_flight = Some(InFlight {
                    value,
                    covers: self.issued,
                });
                Some(value)
            }
            Some(_) => {
                self.settled = self.issued;
                None
            }
            None => None,
        };
        Done {
            settled: self.settled,
            requested,
            succeeded,
            next,
        }
    }
}

#[cfg(test)]
mod tests;
