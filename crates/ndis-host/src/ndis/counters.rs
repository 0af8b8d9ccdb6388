//! Exact counts of what images do: calls by function, NBLs and bytes by direction.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::caller;
use super::view::Nbl;
use crate::nt::sched;
use crate::rules;

/// What was counted since the start or the last [`reset`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Calls of images into NDIS by function, as far as they are counted.
    pub calls: BTreeMap<&'static str, u64>,
    /// NBLs that images sent.
    pub sent: u64,
    /// NBLs that images indicated.
    pub indicated: u64,
    /// NBLs that built-in parts sent.
    pub client_sent: u64,
    /// NBLs that built-in parts indicated.
    pub nic_indicated: u64,
}

/// The counts now.
pub fn current() -> Counters {
    Counters {
        calls: CALLS.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        sent: SENT.load(Ordering::Relaxed),
        indicated: INDICATED.load(Ordering::Relaxed),
        client_sent: CLIENT_SENT.load(Ordering::Relaxed),
        nic_indicated: NIC_INDICATED.load(Ordering::Relaxed),
    }
}

/// Starts all counts from zero.
pub fn reset() {
    CALLS.lock().unwrap_or_else(PoisonError::into_inner).clear();
    for counter in [&SENT, &INDICATED, &CLIENT_SENT, &NIC_INDICATED] {
        counter.store(0, Ordering::Relaxed);
    }
}

pub(crate) fn count(function: &'static str) {
    if rules::enforced() && !caller::current().built_in {
        sched::note_lock();
        let mut calls = CALLS.lock().unwrap_or_else(PoisonError::into_inner);
        *calls.entry(function).or_default() += 1;
    }
}

pub(crate) fn sent(nbls: &[Nbl]) {
    add(nbls, &SENT, &CLIENT_SENT);
}

pub(crate) fn received(nbls: &[Nbl]) {
    add(nbls, &INDICATED, &NIC_INDICATED);
}

fn add(nbls: &[Nbl], image: &AtomicU64, built_in: &AtomicU64) {
    let counter = if caller::current().built_in {
        built_in
    } else {
        image
    };
    counter.fetch_add(nbls.len() as u64, Ordering::Relaxed);
}

static CALLS: Mutex<BTreeMap<&'static str, u64>> = Mutex::new(BTreeMap::new());
static SENT: AtomicU64 = AtomicU64::new(0);
static INDICATED: AtomicU64 = AtomicU64::new(0);
static CLIENT_SENT: AtomicU64 = AtomicU64::new(0);
static NIC_INDICATED: AtomicU64 = AtomicU64::new(0);
