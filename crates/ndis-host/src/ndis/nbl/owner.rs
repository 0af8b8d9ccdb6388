//! Who holds each NBL.
//!
//! Every NBL that a pool of this host gave out has an entry: what it is (allocated plainly, a clone,
//! a fragment), the context space taken from it, how many NBLs made from it are alive, and the stack
//! of hands it is in. Each send and each indication pushes a hand with a [`Snapshot`]; completing or
//! returning pops it, after checks: it was in this hand, and it is as it was.
//!
//! An NBL in no hand is held by the driver that allocated it.
//!
//! With the rules off the entry lies in front of the NBL, without history and snapshots; the hands are
//! there so that completions and returns find their way, and nothing is checked.
//!
//! Not in here: which binding gets what (`send`, `receive`), and the pools (`pool`).

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ndis_sys::{NDIS_STATUS_PENDING, NET_BUFFER_LIST};
use smallvec::SmallVec;

pub(crate) use super::account::{
    held_by_filter, kept_longer_than, of_adapter, of_binding, of_images, of_pool, oldest_send,
    originated_by, outstanding, through_filter,
};
use super::hand::Hand;
pub(crate) use super::hand::Party;
pub(crate) use super::life::Made;
use super::life::{self, Life};
use super::snapshot::Way;
use super::{block, data};
use crate::ndis::caller::Caller;
use crate::ndis::filter::Layer;
use crate::ndis::object::{handle_of, name_of};
use crate::ndis::view::Nbl;
use crate::nt::sched;
use crate::rules;

/// The NBLs of a chain, in order: on the heap if they are many.
pub(crate) type Chain = SmallVec<[Nbl; 64]>;

/// What is known of one NBL.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Whose pool it is from.
    pub(crate) allocator: Caller,
    /// Handle of that pool, 0 for the host's own.
    pub(crate) pool: usize,
    /// How it was made.
    pub(crate) made: Made,
    /// Sizes of the context space taken with `NdisAllocateNetBufferListContext`, the last one last.
    pub(crate) contexts: SmallVec<[u16; 4]>,
    /// NBLs made from this one and alive.
    pub(crate) derived: u32,
    pub(super) hands: SmallVec<[Hand; 2]>,
    life: Life,
}

impl Entry {
    /// An NBL fresh from its pool.
    pub(crate) fn new(allocator: Caller, pool: usize, made: Made) -> Self {
        Self {
            allocator,
            pool,
            made,
            contexts: SmallVec::new(),
            derived: 0,
            hands: SmallVec::new(),
            life: Life::begin(allocator),
        }
    }

    /// Who holds it now.
    pub(crate) fn holder(&self) -> Caller {
        match self.hands.last() {
            None => self.allocator,
            Some(hand) => hand.receiver(),
        }
    }

    /// Undoes the last hand-over: who has it now has it from now on.
    fn pop(&mut self) -> Option<Hand> {
        let hand = self.hands.pop();
        if rules::enforced()
            && let Some(below) = self.hands.last_mut()
        {
            below.held = sched::now();
        }
        hand
    }

    /// The rule that is broken if its holder has it for longer than `limit`.
    pub(super) fn late(&self, limit: Duration) -> Option<&'static rules::Rule> {
        let hand = self
            .hands
            .last()
            .filter(|hand| sched::now() - hand.held > limit)?;
        match (hand.way, hand.to) {
            (Way::Down, Party::Below(Layer::Filter(_))) => {
                Some(&rules::NDIS_FILTER_TIMED_DATA_SEND)
            }
            (Way::Down, _) => Some(&rules::NDIS_TIMED_DATA_SEND),
            (Way::Up, Party::Below(Layer::Filter(_))) => {
                Some(&rules::NDIS_FILTER_TIMED_DATA_RECEIVE)
            }
            (Way::Up, _) => None,
        }
    }

    /// Whether it is in a hand.
    pub(super) fn outstanding(&self) -> bool {
        !self.hands.is_empty()
    }

    /// Who has it, in words.
    pub(super) fn describe(&self) -> String {
        match self.hands.last() {
            None => format!("held by {}, which allocated it", self.allocator.name),
            Some(hand) => format!(
                "held by {} since it was {} {} ms ago",
                hand.receiver().name,
                match hand.way {
                    Way::Down => "sent",
                    Way::Up => "indicated",
                },
                (sched::now() - hand.since).as_millis()
            ),
        }
    }
}

/// The NBLs of a chain as a driver handed it to `function`, in order. Ends the run if the chain leads
/// to something that is no NBL, or into itself.
pub(crate) fn chain(first: *mut NET_BUFFER_LIST, function: &str) -> Chain {
    let mut list = Chain::new();
    let mut next = first;
    while !next.is_null() {
        let nbl = known(next, function);
        if list.len() >= LONGEST_CHAIN {
            rules::broken(
                &rules::NBL_OWNERSHIP,
                format_args!("{function}: the chain at {first:p} does not end"),
            );
        }
        rules::held(&rules::NBL_OWNERSHIP);
        list.push(nbl);
        next = nbl.raw_next();
    }
    list
}

/// The NBL that a driver passed to `function`; ends the run if it is none, or freed.
pub(crate) fn known(nbl: *mut NET_BUFFER_LIST, function: &str) -> Nbl {
    if rules::enforced() && !shard(nbl as usize).contains_key(&(nbl as usize)) {
        rules::broken(
            &rules::NBL_OWNERSHIP,
            format_args!("{function}: {nbl:p} is no NET_BUFFER_LIST, or one that was freed"),
        );
    }
    rules::held(&rules::NBL_OWNERSHIP);
    // SAFETY: the table has it, so a pool gave it out and it was not freed; with the rules off, the
    // driver's word for it.
    let view = unsafe { Nbl::from_raw(nbl) };
    view.expect("NULL is not in the table")
}

/// What is known of the NBL at an address, or of one that was there: for reports, and so nothing if
/// somebody uses its table just now.
pub(crate) fn explain(address: usize) -> Option<(String, Vec<String>)> {
    let shard = SHARDS[shard_of(address)].try_lock().ok()?;
    let Some(entry) = shard.get(&address) else {
        return life::of_freed(address);
    };
    let title = format!("NBL {address:#x}: {}", entry.describe());
    Some((title, entry.life.lines()))
}

/// Makes a new NBL known.
pub(crate) fn add(nbl: Nbl, entry: Entry) {
    shard(nbl.address()).insert(nbl.address(), entry);
}

/// Forgets a freed NBL, which must be in no hand; `function` is what frees it.
pub(crate) fn remove(nbl: Nbl, function: &str) -> Entry {
    if !rules::enforced() {
        // SAFETY: `pool::make` put it there, and nobody reads it after this.
        return unsafe { block::entry_of::<Entry>(nbl.address()).read() };
    }
    let entry = shard(nbl.address())
        .remove(&nbl.address())
        .expect("the caller knows the NBL");
    let fault = if entry.outstanding() {
        Some(entry.describe())
    } else if entry.derived != 0 {
        Some(format!(
            "{} NBLs that were made from it still exist",
            entry.derived
        ))
    } else if nbl.children() != 0 {
        Some(format!("its ChildRefCount is {}", nbl.children()))
    } else if !entry.contexts.is_empty() {
        Some(format!(
            "context space is still allocated from it: {:?} bytes",
            entry.contexts
        ))
    } else {
        None
    };
    if let Some(fault) = fault {
        rules::broken(
            &rules::NBL_OWNERSHIP,
            format_args!("{function}({:p}): {fault}", nbl.raw()),
        );
    }
    rules::held(&rules::NBL_OWNERSHIP);
    life::freed(nbl.address(), &entry.life);
    entry
}

/// Reads or changes what is known of an NBL.
pub(crate) fn with<R>(nbl: Nbl, f: impl FnOnce(&mut Entry) -> R) -> R {
    if !rules::enforced() {
        // SAFETY: `pool::make` put it there, and who holds an NBL is the only one to use it.
        return f(unsafe { &mut *block::entry_of::<Entry>(nbl.address()) });
    }
    let mut shard = shard(nbl.address());
    let entry = shard
        .get_mut(&nbl.address())
        .expect("the caller knows the NBL");
    f(entry)
}

/// Counts NBLs made from `original` up or down.
pub(crate) fn derived(original: usize, change: i32) {
    if !rules::enforced() {
        return;
    }
    if let Some(entry) = shard(original).get_mut(&original) {
        entry.derived = entry.derived.saturating_add_signed(change);
    }
}

/// `from` (a binding or a filter module) sends `nbl` to `to`. Answers whether it is an NBL of `from`'s
/// own, not one that it passes on.
pub(crate) fn send(nbl: Nbl, from: Party, to: Layer, function: &str) -> bool {
    let own = require_giver(nbl, from, Way::Down, function);
    require_consistent(nbl, function);
    rules::held(&rules::NBL_OWNERSHIP);
    nbl.set_status(NDIS_STATUS_PENDING);
    let hand = Hand::new(Way::Down, from, Party::Below(to), nbl, false);
    with(nbl, |entry| {
        entry.life.step("sent to", to.caller());
        entry.hands.push(hand);
    });
    own
}

/// `by` (the adapter or a filter module) completes the send of `nbl`: who sent it.
pub(crate) fn complete_send(nbl: Nbl, by: Layer, function: &str) -> Party {
    let hand = take_hand(nbl, function, |hand| {
        hand.way == Way::Down && hand.to == Party::Below(by)
    });
    if let Layer::Adapter(adapter) = by {
        adapter.note_completed();
    }
    if rules::enforced() && nbl.status() == NDIS_STATUS_PENDING {
        broken(nbl, function, "its Status member was not set");
    }
    require_unchanged(nbl, &hand, function);
    hand.from
}

/// The adapter or a filter module indicates `nbl`; NDIS holds it then. Answers whether it is an NBL of
/// `from`'s own, not one that it passes on.
pub(crate) fn indicate(nbl: Nbl, from: Layer, resources: bool, function: &str) -> bool {
    let from = Party::Below(from);
    let own = require_giver(nbl, from, Way::Up, function);
    require_consistent(nbl, function);
    rules::held(&rules::NBL_OWNERSHIP);
    let hand = Hand::new(Way::Up, from, Party::Ndis, nbl, resources);
    with(nbl, |entry| {
        entry.life.step("indicated to", Caller::HOST);
        entry.hands.push(hand);
    });
    own
}

/// NDIS passes an indicated NBL to a binding or a filter module, which has to give it back when its
/// receive handler returns if `resources`, else by returning it.
pub(crate) fn deliver(nbl: Nbl, to: Party, resources: bool) {
    with(nbl, |entry| {
        entry.life.step("passed to", to.caller());
        let hand = entry
            .hands
            .last_mut()
            .expect("an indicated NBL is in a hand");
        hand.to = to;
        hand.resources = resources;
    });
}

/// NDIS takes back an NBL that it delivered with RESOURCES, now that `function` returned.
pub(crate) fn taken_back(nbl: Nbl, from: Party, function: &str) {
    if !rules::enforced() {
        with(nbl, |entry| {
            if let Some(hand) = entry.hands.last_mut() {
                hand.to = Party::Ndis;
            }
        });
        return;
    }
    let difference = with(nbl, |entry| {
        let hand = entry.hands.last_mut();
        match hand {
            Some(hand) if hand.way == Way::Up && hand.to == from => {
                let difference = hand.difference(nbl);
                hand.to = Party::Ndis;
                difference
            }
            _ => Some(format!("is {}", entry.describe())),
        }
    });
    if let Some(difference) = difference {
        broken(
            nbl,
            function,
            &format!("indicated with RESOURCES, and on return {difference}"),
        );
    }
    require_no_derived(nbl, function);
}

/// `by` (a binding or a filter module) returns `nbl`; NDIS holds it then. Who indicated it.
pub(crate) fn give_back(nbl: Nbl, by: Party, function: &str) -> Layer {
    let hand = take_hand(nbl, function, |hand| hand.way == Way::Up && hand.to == by);
    if hand.resources {
        broken(
            nbl,
            function,
            "it was indicated with NDIS_RECEIVE_FLAGS_RESOURCES and must not be returned",
        );
    }
    require_unchanged(nbl, &hand, function);
    indicated_by(&hand)
}

/// NDIS itself gives an indicated NBL back to who indicated it.
pub(crate) fn undelivered(nbl: Nbl) -> Layer {
    let hand = with(nbl, Entry::pop).expect("an indicated NBL is in a hand");
    indicated_by(&hand)
}

fn indicated_by(hand: &Hand) -> Layer {
    match hand.from {
        Party::Below(layer) => layer,
        from => unreachable!("{from:?} indicates nothing"),
    }
}

fn take_hand(nbl: Nbl, function: &str, right: impl FnOnce(&Hand) -> bool) -> Hand {
    if !rules::enforced() {
        return with(nbl, Entry::pop).expect("an NBL that comes back is in a hand");
    }
    let taken = with(nbl, |entry| {
        if entry.hands.last().is_some_and(right) {
            let hand = entry.pop().expect("the hand just looked at");
            entry.life.step("given back to", entry.holder());
            Ok(hand)
        } else {
            Err(entry.describe())
        }
    });
    taken.unwrap_or_else(|holder| broken(nbl, function, &format!("it is {holder}")))
}

/// Ends the run unless `from` may send or indicate `nbl`: it holds it, and the SourceHandle is right.
/// Answers whether the NBL is `from`'s own.
fn require_giver(nbl: Nbl, from: Party, way: Way, function: &str) -> bool {
    if !rules::enforced() {
        return false;
    }
    let own_handle = match from {
        Party::Binding(binding) => handle_of(binding),
        Party::Below(layer) => layer.handle(),
        Party::Ndis => unreachable!("NDIS sends and indicates nothing"),
    };
    let filter = matches!(from, Party::Below(Layer::Filter(_)));
    let (holder, state, passed) = with(nbl, |entry| {
        let passed = entry
            .hands
            .last()
            .filter(|hand| filter && hand.way == way && hand.to == from)
            .map(|hand| hand.source);
        // What came to a filter from one side does not leave it on that side as a new one.
        let holder = match entry.hands.last() {
            Some(_) if filter => None,
            _ => Some(entry.holder()),
        };
        (holder, entry.describe(), passed)
    });
    let own = passed.is_none();
    let driver = from.caller();
    if own && holder.is_none_or(|holder| holder.name != driver.name) {
        broken(
            nbl,
            function,
            &format!("{} does not hold it: it is {state}", driver.name),
        );
    }
    let handle = passed.unwrap_or(own_handle as usize);
    let source = nbl.source() as usize;
    if source != handle {
        broken(
            nbl,
            function,
            &format!(
                "its SourceHandle is {source:#x} ({}), not {handle:#x} ({})",
                name_of(source as *mut _),
                name_of(handle as *mut _)
            ),
        );
    }
    own
}

fn require_consistent(nbl: Nbl, function: &str) {
    if !rules::enforced() {
        return;
    }
    let mut count = 0;
    for (index, nb) in nbl.buffers().enumerate() {
        count += 1;
        if let Err(fault) = data::check(nb) {
            broken(nbl, function, &format!("NET_BUFFER {index}: {fault}"));
        }
    }
    if count == 0 {
        broken(nbl, function, "it has no NET_BUFFER");
    }
}

fn require_unchanged(nbl: Nbl, hand: &Hand, function: &str) {
    if let Some(difference) = hand.difference(nbl) {
        broken(
            nbl,
            function,
            &format!("it does not come back as it was: {difference}"),
        );
    }
    require_no_derived(nbl, function);
    rules::held(&rules::NBL_OWNERSHIP);
}

fn require_no_derived(nbl: Nbl, function: &str) {
    if !rules::enforced() {
        return;
    }
    let derived = with(nbl, |entry| entry.derived);
    if derived != 0 {
        broken(
            nbl,
            function,
            &format!("{derived} NBLs that were made from it still exist"),
        );
    }
}

fn broken(nbl: Nbl, function: &str, what: &str) -> ! {
    rules::broken(
        &rules::NBL_OWNERSHIP,
        format_args!("{function}: NBL {:p}: {what}", nbl.raw()),
    )
}

pub(super) type Shard = HashMap<usize, Entry>;

fn shard_of(address: usize) -> usize {
    (address >> 6) % SHARDS.len()
}

fn shard(address: usize) -> MutexGuard<'static, Shard> {
    sched::note_lock();
    SHARDS[shard_of(address)]
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

/// More NBLs than any chain has.
const LONGEST_CHAIN: usize = 1 << 20;

pub(super) static SHARDS: LazyLock<[Mutex<Shard>; 64]> =
    LazyLock::new(|| std::array::from_fn(|_| Mutex::default()));
