//! The receive filter of the adapter below, which follows what all virtual miniports want together.
//!
//! They share a packet filter, a multicast list and the receive filters for addresses, and each of them
//! may change its part at any time, also while a request for the last change is on its way down. A
//! [`Reconciler`] decides what to send and when, under these rules:
//!
//! - **No request is made with a lock held.** The caller locks, calls one of the functions, unlocks, and
//!   only then sends what it was told to send.
//! - **Never two requests in flight.** What is wanted meanwhile is looked at when the request is done, so
//!   requests cannot overtake each other on their way down.
//! - **The last wanted counts.** Wishes do not queue up: however many come, the steps lead from what the
//!   adapter below has to what is wanted now.
//! - **Wider before narrower.** The packet filter lets in what needs no list before a list changes, and
//!   counts on a list after it is set; what nobody wants any more goes last. No frame is lost on the way
//!   that is wanted before and after.
//! - **A list that is refused is not needed.** Everything of its kind is let in then, until another list
//!   is wanted. Only a packet filter that is refused fails a wish.
//!
//! Each wish gets a [`Ticket`]; whoever asked is answered when its ticket, or a later one, is settled.
//!
//! Not here: what is wanted ([`Needed`]), the request, the waiting.

use alloc::vec::Vec;

use crate::filter::{Needed, PacketFilter, Unicast, Wanted};
use crate::wire::mac::MacAddress;

/// The place of a wish among all wishes: later ones compare greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

/// The number that NDIS gave a receive filter of the adapter below.
pub type FilterId = u32;

/// A request to the adapter below.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Set the packet filter.
    PacketFilter(PacketFilter),
    /// Set the multicast list: addresses one after another, as its OID carries them.
    Groups(Vec<u8>),
    /// Set a receive filter for an address.
    Add(Unicast),
    /// Clear that receive filter.
    Clear(FilterId),
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub enum Next {
    /// Send this, after the lock is dropped, and report by [`Reconciler::done`], also if sending failed
    /// at once; or by [`Reconciler::put_back`] if now is not the time.
    Send(Step),
    /// Nothing: a request is in flight, whose end leads on.
    Busy,
    /// Nothing: the adapter below has what is wanted. All tickets up to this one are settled.
    Settled(Ticket),
}

/// What the adapter below has, and what it should have.
#[derive(Debug)]
pub struct Reconciler {
    needed: Needed,
    /// The last wish, which is in `needed`.
    latest: Ticket,
    filter: PacketFilter,
    groups: Vec<MacAddress>,
    addresses: Vec<(Unicast, FilterId)>,
    in_flight: Option<InFlight>,
    /// What the adapter below, or a lack of memory, refused of `needed`.
    refused: Refused,
}

#[derive(Debug, Default)]
struct Refused {
    filter: bool,
    groups: bool,
    addresses: bool,
}

#[derive(Debug)]
struct InFlight {
    change: Change,
    /// The last wish that the step was made for.
    ticket: Ticket,
}

/// What a step changes if it succeeds.
#[derive(Debug)]
enum Change {
    Filter(PacketFilter),
    Groups(Vec<MacAddress>),
    Add(Unicast),
    Clear(FilterId),
}

impl Default for Reconciler {
    fn default() -> Self {
        Self::new()
    }
}

impl Reconciler {
    /// The adapter below lets nothing in; nothing is in flight.
    pub const fn new() -> Self {
        Reconciler {
            needed: Needed::NOTHING,
            latest: Ticket(0),
            filter: PacketFilter::EMPTY,
            groups: Vec::new(),
            addresses: Vec::new(),
            in_flight: None,
            refused: Refused {
                filter: false,
                groups: false,
                addresses: false,
            },
        }
    }

    /// All virtual miniports together want this from now on. [`Reconciler::next_step`] says what to do.
    /// What was wanted before comes out, to be dropped without the lock.
    pub fn want(&mut self, needed: Needed) -> (Ticket, Needed) {
        // At one wish a nanosecond this lasts five centuries.
        self.latest = Ticket(self.latest.0.wrapping_add(1));
        let before = core::mem::replace(&mut self.needed, needed);
        // What was refused is tried again when it is another list.
        self.refused = Refused {
            filter: false,
            groups: self.refused.groups && before.groups() == self.needed.groups(),
            addresses: self.refused.addresses && before.addresses() == self.needed.addresses(),
        };
        (self.latest, before)
    }

    /// What to do now. Allocates.
    pub fn next_step(&mut self) -> Next {
        if self.in_flight.is_some() {
            return Next::Busy;
        }
        let Some((step, change)) = self.step() else {
            return Next::Settled(self.latest);
        };
        self.in_flight = Some(InFlight {
            change,
            ticket: self.latest,
        });
        Next::Send(step)
    }

    /// The request in flight has succeeded, with the number of the receive filter where it set one (any
    /// number where not), or failed. It was made for all tickets up to the one that comes out then, and is
    /// not tried again before something else is [wanted](Self::want).
    pub fn done(&mut self, succeeded: Option<FilterId>) -> Option<Ticket> {
        let InFlight { change, ticket } = self.in_flight.take()?;
        match (change, succeeded) {
            (Change::Filter(filter), Some(_)) => self.filter = filter,
            (Change::Filter(_), None) => {
                // A wish that came later is still to be tried.
                self.refused.filter = ticket == self.latest;
                return Some(ticket);
            }
            (Change::Groups(groups), Some(_)) => self.groups = groups,
            // A list that came later is still to be tried.
            (Change::Groups(groups), None) => {
                self.refused.groups = *self.needed.groups() == Wanted::These(groups);
            }
            // There is room: made when the step was.
            (Change::Add(unicast), Some(id)) => self.addresses.push((unicast, id)),
            (Change::Add(unicast), None) => {
                let Wanted::These(wanted) = self.needed.addresses() else {
                    return None;
                };
                self.refused.addresses = wanted.binary_search(&unicast).is_ok();
            }
            // It can do no more about one that cannot be cleared.
            (Change::Clear(id), _) => {
                self.addresses.retain(|(_, other)| *other != id);
                // There is room again.
                self.refused.addresses = false;
            }
        }
        None
    }

    /// The request was not sent, because now is not the time: a later [`Reconciler::next_step`] leads to it
    /// again.
    pub fn put_back(&mut self) {
        self.in_flight = None;
    }

    /// The last wish.
    pub fn latest(&self) -> Ticket {
        self.latest
    }

    /// Takes a receive filter out that is still set: whoever closes the adapter below clears them.
    pub fn take_filter(&mut self) -> Option<FilterId> {
        self.addresses.pop().map(|(_, id)| id)
    }

    /// The packet filter that is to be set, with the lists as far as they are.
    fn wanted_filter(&self) -> PacketFilter {
        self.needed
            .filter(!self.refused.groups, !self.refused.addresses)
    }

    fn step(&mut self) -> Option<(Step, Change)> {
        let to_lists = self.step_to_groups().or_else(|| self.step_to_addresses());
        let wanted = self.wanted_filter();
        let mut next = wanted;
        if to_lists.is_some() {
            // What is let in whatever the lists say comes before another list, and nothing goes yet.
            next = self.filter.union(wanted.without_lists());
        }
        if next != self.filter && !self.refused.filter {
            return Some((Step::PacketFilter(next), Change::Filter(next)));
        }
        if to_lists.is_some() {
            return to_lists;
        }
        // The filter has what is wanted, or will not get it: now the rest may go.
        let unwanted = self
            .addresses
            .iter()
            .find(|(unicast, _)| match self.needed.addresses() {
                Wanted::These(wanted) => wanted.binary_search(unicast).is_err(),
                Wanted::TooMany => true,
            });
        let (_, id) = unwanted?;
        (wanted == self.filter).then_some((Step::Clear(*id), Change::Clear(*id)))
    }

    fn step_to_groups(&mut self) -> Option<(Step, Change)> {
        let Wanted::These(groups) = self.needed.groups() else {
            return None;
        };
        if self.refused.groups || groups.is_empty() || *groups == self.groups {
            return None;
        }
        let copied = copy(groups).zip(octets(groups));
        if copied.is_none() {
            self.refused.groups = true;
        }
        copied.map(|(groups, octets)| (Step::Groups(octets), Change::Groups(groups)))
    }

    fn step_to_addresses(&mut self) -> Option<(Step, Change)> {
        let Wanted::These(wanted) = self.needed.addresses() else {
            return None;
        };
        let has = |unicast: &Unicast| self.addresses.iter().any(|(other, _)| other == unicast);
        let missing = wanted.iter().find(|unicast| !has(unicast)).copied();
        let missing = missing.filter(|_| !self.refused.addresses)?;
        if self.addresses.try_reserve(1).is_err() {
            self.refused.addresses = true;
            return None;
        }
        Some((Step::Add(missing), Change::Add(missing)))
    }
}

fn copy(groups: &[MacAddress]) -> Option<Vec<MacAddress>> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(groups.len()).ok()?;
    copy.extend_from_slice(groups);
    Some(copy)
}

fn octets(groups: &[MacAddress]) -> Option<Vec<u8>> {
    let mut octets = Vec::new();
    let length = groups.len().checked_mul(size_of::<MacAddress>())?;
    octets.try_reserve_exact(length).ok()?;
    for group in groups {
        octets.extend_from_slice(&group.octets());
    }
    Some(octets)
}

#[cfg(test)]
mod tests;
