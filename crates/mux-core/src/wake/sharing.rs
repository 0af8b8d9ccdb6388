//! What all virtual miniports of an adapter want it to wake for, and what it was told of that.
//!
//! One request at a time leads from what the adapter has to what is wanted. A virtual miniport is known by
//! its VLAN.

use alloc::vec::Vec;

use super::{BITMAP_PATTERN, Parameters};
use crate::wire::vlan::VlanId;

/// There is no memory for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory;

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub enum Next {
    /// Add this pattern below, after the lock is dropped, and report by [`Sharing::done`] or
    /// [`Sharing::put_back`]; likewise the others.
    Add(Vec<u8>),
    /// Remove the pattern that has this number below.
    Remove(u32),
    /// Set what is to wake.
    Set(Parameters),
    /// Nothing: a request is in flight, whose end leads on.
    Busy,
    /// Nothing: the adapter below has what is wanted.
    Settled,
}

/// What a request that ended was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// A pattern of this virtual miniport was added, or not.
    Added(VlanId),
    /// A pattern was removed, or not.
    Removed,
    /// The parameters were set, or not.
    Set,
}

/// What each virtual miniport wants, and what the adapter below has.
#[derive(Debug, Default)]
pub struct Sharing {
    wishes: Vec<(VlanId, Parameters)>,
    patterns: Vec<Pattern>,
    /// What was set below.
    below: Parameters,
    /// What was refused below. It is not tried again until somebody wishes anew.
    refused: Option<Parameters>,
    in_flight: Option<InFlight>,
}

#[derive(Debug)]
struct Pattern {
    /// Whose it is, and its number there. Nobody's is to be removed.
    owner: Option<(VlanId, u32)>,
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// It is to be added.
    Above(Vec<u8>),
    /// It has this number below.
    Below(u32),
    /// It has, and could not be removed.
    Stuck(u32),
}

#[derive(Clone, Copy, Debug)]
enum InFlight {
    Add(VlanId, u32),
    Remove(u32),
    Set(Parameters),
}

impl Sharing {
    /// Nobody wants anything.
    pub const fn new() -> Self {
        Self {
            wishes: Vec::new(),
            patterns: Vec::new(),
            below: Parameters {
                packet_patterns: 0,
                others: [0; 3],
            },
            refused: None,
            in_flight: None,
        }
    }

    /// A virtual miniport enables this, and nothing else. The answer is what it had enabled.
    ///
    /// # Errors
    /// [`OutOfMemory`]: nothing has changed.
    pub fn wish(&mut self, vlan: VlanId, wanted: Parameters) -> Result<Parameters, OutOfMemory> {
        self.refused = None;
        if let Some((_, wish)) = self.wishes.iter_mut().find(|(other, _)| *other == vlan) {
            return Ok(core::mem::replace(wish, wanted));
        }
        self.wishes.try_reserve(1).map_err(|_| OutOfMemory)?;
        self.wishes.push((vlan, wanted));
        Ok(Parameters::default())
    }

    /// The last wish failed below, and is as before. One that is refused again is not tried again.
    pub fn take_back(&mut self, vlan: VlanId, before: Parameters) {
        if let Some((_, wish)) = self.wishes.iter_mut().find(|(other, _)| *other == vlan) {
            *wish = before;
        }
    }

    /// A virtual miniport adds a pattern that has the number `above` there.
    ///
    /// Until it says what it enables, it wants to be woken for that: the set that enables patterns comes just
    /// before it sleeps, and the adapter below may sleep first.
    ///
    /// # Errors
    /// [`OutOfMemory`]: nothing has changed.
    pub fn add(&mut self, vlan: VlanId, above: u32, pattern: Vec<u8>) -> Result<(), OutOfMemory> {
        self.patterns.try_reserve(1).map_err(|_| OutOfMemory)?;
        self.refused = None;
        self.patterns.push(Pattern {
            owner: Some((vlan, above)),
            place: Place::Above(pattern),
        });
        Ok(())
    }

    /// A virtual miniport removes its pattern.
    pub fn remove(&mut self, vlan: VlanId, above: u32) {
        self.disown(|owner| owner == (vlan, above));
    }

    /// A virtual miniport has halted: it wants nothing any more.
    pub fn leave(&mut self, vlan: VlanId) {
        self.refused = None;
        self.wishes.retain(|(other, _)| *other != vlan);
        self.disown(|(other, _)| other == vlan);
    }

    /// The adapter below gave up the pattern that has this number there. The answer is whose it was, and its
    /// number there.
    pub fn rejected(&mut self, below: u32) -> Option<(VlanId, u32)> {
        let at = self.patterns.iter().position(|it| it.is_below(below))?;
        self.patterns.remove(at).owner
    }

    /// A pattern that is still below, whoever wanted it: it must be removed before the adapter is closed.
    pub fn take_any(&mut self) -> Option<u32> {
        while let Some(pattern) = self.patterns.pop() {
            if let Place::Below(id) | Place::Stuck(id) = pattern.place {
                return Some(id);
            }
        }
        None
    }

    /// What to do next.
    ///
    /// # Errors
    /// [`OutOfMemory`]; it is in flight all the same, and has failed.
    pub fn next_step(&mut self) -> Result<Next, OutOfMemory> {
        if self.in_flight.is_some() {
            return Ok(Next::Busy);
        }
        let mut unwanted = self.patterns.iter().filter(|it| it.owner.is_none());
        let unwanted = unwanted.find_map(|it| match it.place {
            Place::Below(id) => Some(id),
            Place::Above(_) | Place::Stuck(_) => None,
        });
        if let Some(id) = unwanted {
            self.in_flight = Some(InFlight::Remove(id));
            return Ok(Next::Remove(id));
        }
        let wanted = self
            .patterns
            .iter()
            .find_map(|it| match (&it.place, it.owner) {
                (Place::Above(pattern), Some(owner)) => Some((owner, pattern)),
                _ => None,
            });
        if let Some(((vlan, above), pattern)) = wanted {
            self.in_flight = Some(InFlight::Add(vlan, above));
            let mut copy = Vec::new();
            copy.try_reserve_exact(pattern.len())
                .map_err(|_| OutOfMemory)?;
            copy.extend_from_slice(pattern);
            return Ok(Next::Add(copy));
        }
        let joined = self.joined();
        if joined == self.below || self.refused == Some(joined) {
            return Ok(Next::Settled);
        }
        self.in_flight = Some(InFlight::Set(joined));
        Ok(Next::Set(joined))
    }

    /// The request has ended. `id`: the number that a pattern got below, or any, if it did what it should.
    /// Nothing if there was none.
    pub fn done(&mut self, id: Option<u32>) -> Option<Done> {
        match self.in_flight.take()? {
            InFlight::Add(vlan, above) => {
                let mut patterns = self.patterns.iter_mut();
                let added = patterns.find(|it| it.is_above((vlan, above)));
                match (added, id) {
                    (Some(pattern), Some(id)) => pattern.place = Place::Below(id),
                    _ => self.patterns.retain(|it| !it.is_above((vlan, above))),
                }
                Some(Done::Added(vlan))
            }
            InFlight::Remove(removed) => {
                if id.is_some() {
                    self.patterns.retain(|it| !it.is_below(removed));
                } else if let Some(it) = self.patterns.iter_mut().find(|it| it.is_below(removed)) {
                    it.place = Place::Stuck(removed);
                }
                Some(Done::Removed)
            }
            InFlight::Set(parameters) => {
                match id {
                    Some(_) => self.below = parameters,
                    None => self.refused = Some(parameters),
                }
                Some(Done::Set)
            }
        }
    }

    /// The request was not made.
    pub fn put_back(&mut self) {
        self.in_flight = None;
        self.patterns
            .retain(|it| it.owner.is_some() || !matches!(it.place, Place::Above(_)));
    }

    /// A pattern that was to be added is not.
    pub fn take_back_pattern(&mut self, vlan: VlanId) {
        self.patterns.retain(|it| {
            !matches!((it.owner, &it.place), (Some((owner, _)), Place::Above(_)) if owner == vlan)
        });
    }

    fn joined(&self) -> Parameters {
        let wishes = self.wishes.iter().map(|&(_, wish)| wish);
        let mut joined = wishes.fold(Parameters::default(), Parameters::or);
        let says = |vlan: VlanId| self.wishes.iter().any(|&(other, _)| other == vlan);
        let mut owners = self.patterns.iter().filter_map(|it| it.owner);
        if owners.any(|(vlan, _)| !says(vlan)) {
            joined.packet_patterns |= BITMAP_PATTERN;
        }
        joined
    }

    fn disown(&mut self, is_it: impl Fn((VlanId, u32)) -> bool) {
        let is_it = |it: &Pattern| it.owner.is_some_and(&is_it);
        let on_its_way = self.in_flight;
        self.patterns.retain(|it| {
            let travels = matches!((on_its_way, it.owner),
                (Some(InFlight::Add(vlan, above)), Some(owner)) if owner == (vlan, above));
            !is_it(it) || travels || !matches!(it.place, Place::Above(_))
        });
        let disowned = self.patterns.iter_mut().filter(|it| is_it(it));
        disowned.for_each(|it| it.owner = None);
    }
}

impl Pattern {
    /// Whether it is the one of that owner that is on its way; nobody's may be, too.
    fn is_above(&self, owner: (VlanId, u32)) -> bool {
        matches!(self.place, Place::Above(_)) && self.owner.is_none_or(|own| own == owner)
    }

    fn is_below(&self, id: u32) -> bool {
        match self.place {
            Place::Below(own) | Place::Stuck(own) => own == id,
            Place::Above(_) => false,
        }
    }
}
