//! Who holds each NBL.
//!
//! Every NBL that a pool of this host gave out has an entry: what it is (allocated plainly, a clone,
//! a fragment), the context space taken from it, how many NBLs made from it are alive, and the stack
//! of hands it is in. Each send and each indication pushes a hand with a [`Snapshot`]; completing or
//! returning pops it, after checks: it was in this hand, and it is as it was.
//!
//! An NBL in no hand is held by the driver that allocated it.
//!
//! Not in here: which binding gets what (`send`, `receive`), and the pools (`pool`).

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ndis_sys::{NDIS_STATUS_PENDING, NET_BUFFER_LIST};

use super::data;
pub(crate) use super::life::Made;
use super::life::{self, Life};
use super::snapshot::{Snapshot, Way};
use crate::ndis::adapter::Adapter;
use crate::ndis::binding::Binding;
use crate::ndis::caller::Caller;
use crate::ndis::object::{handle_of, name_of};
use crate::ndis::view::Nbl;
use crate::nt::sched;
use crate::rules;

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
    pub(crate) contexts: Vec<u16>,
    /// NBLs made from this one and alive.
    pub(crate) derived: u32,
    hands: Vec<Hand>,
    life: Life,
}

/// One hand-over that was not yet undone.
#[derive(Debug)]
struct Hand {
    way: Way,
    adapter: &'static Adapter,
    binding: Option<&'static Binding>,
    resources: bool,
    snapshot: Snapshot,
    since: Duration,
}

impl Entry {
    /// An NBL fresh from its pool.
    pub(crate) fn new(allocator: Caller, pool: usize, made: Made) -> Self {
        Self {
            allocator,
            pool,
            made,
            contexts: Vec::new(),
            derived: 0,
            hands: Vec::new(),
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

    fn outstanding(&self) -> bool {
        !self.hands.is_empty()
    }

    fn describe(&self) -> String {
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

impl Hand {
    fn receiver(&self) -> Caller {
        match (self.way, self.binding) {
            (Way::Down, _) => self.adapter.driver().caller(),
            (Way::Up, Some(binding)) => binding.protocol().caller(),
            (Way::Up, None) => Caller::HOST,
        }
    }
}

/// The NBLs of a chain as a driver handed it to `function`, in order. Ends the run if the chain leads
/// to something that is no NBL, or into itself.
pub(crate) fn chain(first: *mut NET_BUFFER_LIST, function: &str) -> Vec<Nbl> {
    let mut list = Vec::new();
    let mut next = first;
    while !next.is_null() {
        let nbl = known(next, function);
        if list.len() >= LONGEST_CHAIN {
            rules::broken(
                &rules::NBL_OWNERSHIP,
                format_args!("{function}: the chain at {first:p} does not end"),
            );
        }
        list.push(nbl);
        next = nbl.raw_next();
    }
    list
}

/// The NBL that a driver passed to `function`; ends the run if it is none, or freed.
pub(crate) fn known(nbl: *mut NET_BUFFER_LIST, function: &str) -> Nbl {
    if !shard(nbl as usize).contains_key(&(nbl as usize)) {
        rules::broken(
            &rules::NBL_OWNERSHIP,
            format_args!("{function}: {nbl:p} is no NET_BUFFER_LIST, or one that was freed"),
        );
    }
    // SAFETY: the table has it, so a pool gave it out and it was not freed.
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
    life::freed(nbl.address(), &entry.life);
    entry
}

/// Reads or changes what is known of an NBL.
pub(crate) fn with<R>(nbl: Nbl, f: impl FnOnce(&mut Entry) -> R) -> R {
    let mut shard = shard(nbl.address());
    let entry = shard
        .get_mut(&nbl.address())
        .expect("the caller knows the NBL");
    f(entry)
}

/// Counts NBLs made from `original` up or down.
pub(crate) fn derived(original: usize, change: i32) {
    if let Some(entry) = shard(original).get_mut(&original) {
        entry.derived = entry.derived.saturating_add_signed(change);
    }
}

/// A protocol sends `nbl` on `binding`.
pub(crate) fn send(nbl: Nbl, binding: &'static Binding, function: &str) {
    require_holder(nbl, binding.protocol().caller(), function);
    require_source(nbl, handle_of(binding) as usize, function);
    require_consistent(nbl, function);
    nbl.set_status(NDIS_STATUS_PENDING);
    let snapshot = Snapshot::of(nbl, Way::Down);
    with(nbl, |entry| {
        entry
            .life
            .step("sent to", binding.adapter().driver().caller());
        entry.hands.push(Hand {
            way: Way::Down,
            adapter: binding.adapter(),
            binding: Some(binding),
            resources: false,
            snapshot,
            since: sched::now(),
        });
    });
}

/// A miniport completes the send of `nbl`: the binding that sent it.
pub(crate) fn complete_send(
    nbl: Nbl,
    adapter: &'static Adapter,
    function: &str,
) -> &'static Binding {
    let hand = take_hand(nbl, function, |hand| {
        hand.way == Way::Down && std::ptr::eq(hand.adapter, adapter)
    });
    let binding = hand.binding.expect("a send has a binding");
    if nbl.status() == NDIS_STATUS_PENDING {
        broken(nbl, function, "its Status member was not set");
    }
    require_source(nbl, handle_of(binding) as usize, function);
    require_unchanged(nbl, &hand, function);
    binding
}

/// A miniport indicates `nbl`; NDIS holds it then.
pub(crate) fn indicate(nbl: Nbl, adapter: &'static Adapter, resources: bool, function: &str) {
    require_holder(nbl, adapter.driver().caller(), function);
    require_source(nbl, handle_of(adapter) as usize, function);
    require_consistent(nbl, function);
    let snapshot = Snapshot::of(nbl, Way::Up);
    with(nbl, |entry| {
        entry.life.step("indicated to", Caller::HOST);
        entry.hands.push(Hand {
            way: Way::Up,
            adapter,
            binding: None,
            resources,
            snapshot,
            since: sched::now(),
        });
    });
}

/// NDIS passes an indicated NBL to a binding, which has to give it back when its receive handler
/// returns if `resources`, else by returning it.
pub(crate) fn deliver(nbl: Nbl, binding: &'static Binding, resources: bool) {
    with(nbl, |entry| {
        entry.life.step("passed to", binding.protocol().caller());
        let hand = entry
            .hands
            .last_mut()
            .expect("an indicated NBL is in a hand");
        hand.binding = Some(binding);
        hand.resources = resources;
    });
}

/// NDIS takes back an NBL that it delivered with RESOURCES.
pub(crate) fn taken_back(nbl: Nbl, binding: &'static Binding) {
    let function = "ProtocolReceiveNetBufferLists";
    let difference = with(nbl, |entry| {
        let hand = entry.hands.last_mut();
        match hand {
            Some(hand)
                if hand.way == Way::Up
                    && hand
                        .binding
                        .is_some_and(|holder| std::ptr::eq(holder, binding)) =>
            {
                hand.binding = None;
                hand.snapshot.difference(nbl)
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

/// A protocol returns `nbl`; NDIS holds it then. The adapter that indicated it.
pub(crate) fn give_back(nbl: Nbl, binding: &'static Binding, function: &str) -> &'static Adapter {
    let hand = take_hand(nbl, function, |hand| {
        hand.way == Way::Up
            && hand
                .binding
                .is_some_and(|holder| std::ptr::eq(holder, binding))
    });
    if hand.resources {
        broken(
            nbl,
            function,
            "it was indicated with NDIS_RECEIVE_FLAGS_RESOURCES and must not be returned",
        );
    }
    require_unchanged(nbl, &hand, function);
    hand.adapter
}

/// NDIS itself gives an indicated NBL back to the miniport.
pub(crate) fn undelivered(nbl: Nbl) {
    with(nbl, |entry| entry.hands.pop());
}

/// NBLs in hands, described: for the report of what is outstanding.
pub(crate) fn outstanding() -> Vec<String> {
    collect(|entry| entry.outstanding())
}

/// NBLs that an image allocated or holds, described.
pub(crate) fn of_images() -> Vec<String> {
    collect(|entry| !entry.allocator.built_in || !entry.holder().built_in)
}

/// NBLs from the pool with this handle.
pub(crate) fn of_pool(pool: usize) -> Vec<String> {
    collect(|entry| entry.pool == pool)
}

/// An NBL whose send takes longer than `limit`, described.
pub(crate) fn sent_longer_than(limit: Duration) -> Option<String> {
    let late = |entry: &Entry| {
        entry
            .hands
            .last()
            .is_some_and(|hand| hand.way == Way::Down && sched::now() - hand.since > limit)
    };
    collect(late).pop()
}

/// NBLs that `binding` sent or holds.
pub(crate) fn of_binding(binding: &'static Binding, way: Way) -> usize {
    count(|hand| {
        hand.way == way
            && hand
                .binding
                .is_some_and(|holder| std::ptr::eq(holder, binding))
    })
}

/// NBLs that are on their way through `adapter`, down or up.
pub(crate) fn of_adapter(adapter: &'static Adapter, way: Way) -> usize {
    count(|hand| hand.way == way && std::ptr::eq(hand.adapter, adapter))
}

fn count(which: impl Fn(&Hand) -> bool) -> usize {
    SHARDS
        .iter()
        .map(|shard| {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard
                .values()
                .filter(|entry| entry.hands.iter().any(&which))
                .count()
        })
        .sum()
}

fn collect(which: impl Fn(&Entry) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for shard in SHARDS.iter() {
        let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        for (address, entry) in shard.iter().filter(|(_, entry)| which(entry)) {
            let pool = name_of(entry.pool as *mut _);
            found.push(format!("NBL {address:#x} of {pool}: {}", entry.describe()));
        }
    }
    found.sort();
    found
}

fn take_hand(nbl: Nbl, function: &str, right: impl FnOnce(&Hand) -> bool) -> Hand {
    let taken = with(nbl, |entry| {
        if entry.hands.last().is_some_and(right) {
            let hand = entry.hands.pop().expect("the hand just looked at");
            entry.life.step("given back to", entry.holder());
            Ok(hand)
        } else {
            Err(entry.describe())
        }
    });
    taken.unwrap_or_else(|holder| broken(nbl, function, &format!("it is {holder}")))
}

fn require_holder(nbl: Nbl, driver: Caller, function: &str) {
    let (holder, state) = with(nbl, |entry| (entry.holder(), entry.describe()));
    if holder.name != driver.name {
        broken(
            nbl,
            function,
            &format!("{} does not hold it: it is {state}", driver.name),
        );
    }
}

fn require_source(nbl: Nbl, handle: usize, function: &str) {
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
}

fn require_consistent(nbl: Nbl, function: &str) {
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
    if let Some(difference) = hand.snapshot.difference(nbl) {
        broken(
            nbl,
            function,
            &format!("it does not come back as it was: {difference}"),
        );
    }
    require_no_derived(nbl, function);
}

fn require_no_derived(nbl: Nbl, function: &str) {
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

type Shard = HashMap<usize, Entry>;

fn shard_of(address: usize) -> usize {
    (address >> 6) % SHARDS.len()
}

fn shard(address: usize) -> MutexGuard<'static, Shard> {
    SHARDS[shard_of(address)]
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

/// More NBLs than any chain has.
const LONGEST_CHAIN: usize = 1 << 20;

static SHARDS: LazyLock<[Mutex<Shard>; 64]> =
    LazyLock::new(|| std::array::from_fn(|_| Mutex::default()));
