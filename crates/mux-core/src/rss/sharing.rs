//! Which virtual miniport's parameters the adapter below has, and what to send it next.

use alloc::vec::Vec;
use core::{mem, ops::RangeInclusive};

use super::parameters::{Invalid, Parameters, Set, disabled};
use crate::{vlans::VlanSet, wire::vlan::VlanId};

/// The place of a set among all sets: later ones compare greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub enum Next {
    /// Set this below after the lock is dropped, if there was memory for it, and report by
    /// [`Sharing::done`], also if that failed at once; or by [`Sharing::put_back`] if now is not the time.
    Send(Result<Vec<u8>, Invalid>),
    /// Nothing: a request is in flight, whose end leads on.
    Busy,
    /// Nothing: the adapter below has what is wanted, and whoever waits is answered.
    Settled,
}

/// What each virtual miniport of an adapter wants, and what the adapter has.
#[derive(Debug, Default)]
pub struct Sharing {
    wishes: Vec<Wish>,
    /// What others who use the adapter had set before any of these did.
    others: Option<Parameters>,
    latest: Ticket,
    /// Whose parameters the adapter has; `None` if it has what it had before.
    below: Option<Ticket>,
    in_flight: Option<InFlight>,
    /// What the adapter refused, though nobody who waits asked for it. It is not tried again.
    refused: Option<Option<Ticket>>,
}

/// What a virtual miniport, known by its VLAN, set last.
#[derive(Debug)]
struct Wish {
    vlan: VlanId,
    parameters: Parameters,
    /// When they were set.
    ticket: Ticket,
    enabled: bool,
    before: Before,
}

/// What to go back to if the last set fails.
#[derive(Debug)]
enum Before {
    /// The same parameters, in use.
    Enabled,
    /// The same parameters, not in use.
    Disabled,
    Other {
        parameters: Parameters,
        ticket: Ticket,
        enabled: bool,
    },
    Nothing,
}

#[derive(Clone, Copy, Debug)]
struct InFlight {
    target: Option<Ticket>,
    /// The last set when the request was made.
    latest: Ticket,
}

impl Sharing {
    /// Nobody wants anything, and the adapter below does not scale.
    pub const fn new() -> Self {
        Self {
            wishes: Vec::new(),
            others: None,
            latest: Ticket(0),
            below: None,
            in_flight: None,
            refused: None,
        }
    }

    /// What the adapter below answers to a query before anything is set: comes back when nobody wants
    /// scaling any more. It is not looked at if something was set meanwhile.
    pub fn learn(&mut self, answer: &[u8]) {
        if self.below.is_none() && self.in_flight.is_none() {
            self.others = match Parameters::read(answer, None) {
                Ok(Set::Enable(parameters)) => Some(parameters),
                Ok(Set::Disable) | Err(_) => None,
            };
        }
    }

    /// What others had set, without memory; `None` if scaling was off. Nothing is set after this.
    pub fn take_others(&mut self) -> Option<Vec<u8>> {
        self.others.take().map(Parameters::into_bytes)
    }

    /// The virtual miniport of this VLAN sets this. [`Sharing::next_step`] says what to do. Allocates.
    ///
    /// # Errors
    /// [`Invalid`]: nothing has changed.
    pub fn set(&mut self, vlan: VlanId, data: &[u8]) -> Result<Ticket, Invalid> {
        let place = self.wishes.iter().position(|wish| wish.vlan == vlan);
        let wish = place.and_then(|place| self.wishes.get_mut(place));
        let set = Parameters::read(data, wish.as_deref().map(|wish| &wish.parameters))?;
        // At one a nanosecond this lasts five centuries.
        let ticket = Ticket(self.latest.0.wrapping_add(1));
        match (set, wish) {
            (Set::Disable, None) => {}
            (Set::Disable, Some(wish)) => {
                let was_enabled = mem::replace(&mut wish.enabled, false);
                wish.before = if was_enabled {
                    Before::Enabled
                } else {
                    Before::Disabled
                };
            }
            (Set::Enable(parameters), Some(wish)) => {
                wish.before = Before::Other {
                    parameters: mem::replace(&mut wish.parameters, parameters),
                    ticket: mem::replace(&mut wish.ticket, ticket),
                    enabled: mem::replace(&mut wish.enabled, true),
                };
            }
            (Set::Enable(parameters), None) => {
                self.wishes
                    .try_reserve(1)
                    .map_err(|_| Invalid::OutOfMemory)?;
                self.wishes.push(Wish {
                    vlan,
                    parameters,
                    ticket,
                    enabled: true,
                    before: Before::Nothing,
                });
            }
        }
        self.latest = ticket;
        self.refused = None;
        Ok(ticket)
    }

    /// The last set of this virtual miniport has failed: it wants what it wanted before.
    pub fn take_back(&mut self, vlan: VlanId) {
        let Some(place) = self.wishes.iter().position(|wish| wish.vlan == vlan) else {
            return;
        };
        let Some(wish) = self.wishes.get_mut(place) else {
            return;
        };
        match mem::replace(&mut wish.before, Before::Disabled) {
            Before::Enabled => wish.enabled = true,
            Before::Disabled => wish.enabled = false,
            Before::Other {
                parameters,
                ticket,
                enabled,
            } => {
                wish.parameters = parameters;
                wish.ticket = ticket;
                wish.enabled = enabled;
            }
            Before::Nothing => drop(self.wishes.swap_remove(place)),
        }
    }

    /// The virtual miniport of this VLAN goes away, and with it what it wants.
    pub fn leave(&mut self, vlan: VlanId) {
        self.wishes.retain(|wish| wish.vlan != vlan);
        self.refused = None;
    }

    /// What to do now. Allocates.
    pub fn next_step(&mut self) -> Next {
        if self.in_flight.is_some() {
            return Next::Busy;
        }
        let newest = self
            .wishes
            .iter()
            .filter(|wish| wish.enabled)
            .max_by_key(|wish| wish.ticket);
        let target = newest.map(|wish| wish.ticket);
        if target == self.below || self.refused == Some(target) {
            return Next::Settled;
        }
        let data = match newest {
            Some(wish) => wish.parameters.bytes(),
            None => self.others.as_ref().map_or_else(off, Parameters::bytes),
        };
        self.in_flight = Some(InFlight {
            target,
            latest: self.latest,
        });
        Next::Send(data)
    }

    /// The request in flight has succeeded, or failed. The sets that have failed with it come out:
    /// whoever waits for one of them is refused, after [`Sharing::take_back`].
    pub fn done(&mut self, succeeded: bool) -> Option<RangeInclusive<Ticket>> {
        let InFlight { target, latest } = self.in_flight.take()?;
        if succeeded {
            self.below = target;
            return None;
        }
        self.refused = Some(target);
        Some(match target {
            Some(ticket) => ticket..=ticket,
            None => Ticket(0)..=latest,
        })
    }

    /// The request was not sent: a later [`Sharing::next_step`] leads to it again.
    pub fn put_back(&mut self) {
        self.in_flight = None;
    }

    /// The last set.
    pub fn latest(&self) -> Ticket {
        self.latest
    }

    /// Those whose frames the adapter below hashes as they want: not those who want another hash than it
    /// has, and nobody while that changes.
    pub fn hashed(&self) -> VlanSet {
        let mut hashed = VlanSet::new();
        let mut wishes = self.wishes.iter();
        let Some(below) = wishes.find(|wish| Some(wish.ticket) == self.below) else {
            return hashed;
        };
        if self.in_flight.is_none() {
            let enabled = self.wishes.iter().filter(|wish| wish.enabled);
            for wish in enabled.filter(|wish| wish.parameters.hashes_as(&below.parameters)) {
                let _each_once = hashed.insert(wish.vlan);
            }
        }
        hashed
    }

    /// Whether the adapter below scales for one of these.
    pub fn is_set(&self) -> bool {
        self.below.is_some()
    }
}

/// The data that switches scaling off.
fn off() -> Result<Vec<u8>, Invalid> {
    let mut data = Vec::new();
    data.try_reserve_exact(disabled().len())
        .map_err(|_| Invalid::OutOfMemory)?;
    data.extend_from_slice(&disabled());
    Ok(data)
}
