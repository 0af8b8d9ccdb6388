//! Which NBLs are out: for reports, and for what the end of a thing promises.

use std::sync::PoisonError;
use std::time::Duration;

use super::hand::{Hand, Party};
use super::owner::{Entry, SHARDS};
use super::snapshot::Way;
use crate::ndis::adapter::Adapter;
use crate::ndis::binding::Binding;
use crate::ndis::filter::{Layer, Module};
use crate::ndis::object::name_of;
use crate::nt::sched;
use crate::rules;

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

/// An NBL that somebody keeps for longer than `limit`: the rule against that, and what it is.
pub(crate) fn kept_longer_than(limit: Duration) -> Option<(&'static rules::Rule, String)> {
    let mut found = None;
    visit(|address, entry| {
        if let Some(rule) = entry.late(limit) {
            found = Some((rule, describe(address, entry)));
        }
    });
    found
}

/// A send that is at `adapter` for longer than `limit`, described.
pub(crate) fn oldest_send(adapter: &'static Adapter, limit: Duration) -> Option<String> {
    let adapter = Party::Below(Layer::Adapter(adapter));
    let mut found = None;
    visit(|address, entry| {
        let late = entry.hands.last().is_some_and(|hand| {
            hand.way == Way::Down
                && hand.to == adapter
                && sched::now().saturating_sub(hand.since) > limit
        });
        if late {
            found = Some(describe(address, entry));
        }
    });
    found
}

/// NBLs that `binding` sent or holds.
pub(crate) fn of_binding(binding: &'static Binding, way: Way) -> usize {
    let binding = Party::Binding(binding);
    count(|hand| {
        let side = match way {
            Way::Down => hand.from,
            Way::Up => hand.to,
        };
        hand.way == way && side == binding
    })
}

/// NBLs that `adapter` has to send, or that it indicated.
pub(crate) fn of_adapter(adapter: &'static Adapter, way: Way) -> usize {
    let adapter = Party::Below(Layer::Adapter(adapter));
    count(|hand| {
        let side = match way {
            Way::Down => hand.to,
            Way::Up => hand.from,
        };
        hand.way == way && side == adapter
    })
}

/// NBLs of others that a filter module keeps, described.
pub(crate) fn held_by_filter(module: &Module) -> Vec<String> {
    collect(|entry| {
        let last = entry.hands.last();
        last.is_some_and(|hand| hand.to.is_filter(module))
    })
}

/// NBLs that a filter module originated and has not back, described.
pub(crate) fn originated_by(module: &Module) -> Vec<String> {
    collect(|entry| {
        let first = entry.hands.first();
        first.is_some_and(|hand| hand.from.is_filter(module))
    })
}

/// NBLs that are on their way through a filter module, described.
pub(crate) fn through_filter(module: &Module) -> Vec<String> {
    collect(|entry| {
        let mut hands = entry.hands.iter();
        hands.any(|hand| hand.from.is_filter(module) || hand.to.is_filter(module))
    })
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
    visit(|address, entry| {
        if which(entry) {
            found.push(describe(address, entry));
        }
    });
    found.sort();
    found
}

fn visit(mut see: impl FnMut(usize, &Entry)) {
    for shard in SHARDS.iter() {
        let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        for (address, entry) in shard.iter() {
            see(*address, entry);
        }
    }
}

fn describe(address: usize, entry: &Entry) -> String {
    let pool = name_of(entry.pool as *mut _);
    format!("NBL {address:#x} of {pool}: {}", entry.describe())
}
