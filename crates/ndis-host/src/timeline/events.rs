//! Events: one for each record, but one for a burst of the data path.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use ndis_sys::{NDIS_STATUS, NDIS_STATUS_PENDING, NDIS_STATUS_SUCCESS};
use serde::Serialize;

use super::lanes::Stack;
use crate::ndis::names;
use crate::ndis::trace::{Direction, Record};

/// Which way a call went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// A driver called NDIS.
    Call,
    /// NDIS called a driver.
    Callback,
}

/// A crossing between NDIS and a driver, or a burst of such.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    /// The number of its (first) record.
    pub id: u64,
    /// The number at which it (the last of them) returned; 0 while it runs.
    pub end: u64,
    /// Which way it went.
    pub kind: Way,
    /// The function's or callback's documented name.
    pub name: &'static str,
    /// Who called, or who was called.
    pub driver: &'static str,
    /// The driver is a built-in part of the host.
    pub built_in: bool,
    /// What it was about.
    pub object: String,
    /// The lane that it goes from.
    pub from: usize,
    /// The lane that it goes to.
    pub to: usize,
    /// The IRQL at which it was made, by its name.
    pub irql: String,
    /// The name of its (first) thread.
    pub thread: String,
    /// How many threads took part.
    pub threads: usize,
    /// How many calls and callbacks of the thread it was made in.
    pub depth: usize,
    /// What came back, by its name.
    pub status: Option<String>,
    /// What came back says that it failed.
    pub failed: bool,
    /// When it was made: nanoseconds since the host started.
    pub began_ns: u64,
    /// When it (the last) returned.
    pub returned_ns: Option<u64>,
    /// It belongs to the data path.
    pub data: bool,
    /// How many calls it stands for.
    pub calls: usize,
    /// How many NBLs they handed over.
    pub nbls: u64,
    /// The numbers of the records that it stands for.
    #[serde(skip)]
    pub(super) records: BTreeSet<u64>,
}

/// The events of these records, which are in order.
pub(super) fn group(records: &[Record], stack: &Stack) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    let mut burst = Burst::default();
    for record in records {
        let (from, to) = stack.ends(record);
        if record.data {
            burst.go_on(record.began);
            let key = (record.name, from, to);
            if let Some(&at) = burst.events.get(&key) {
                burst.threads.entry(at).or_default().insert(record.thread);
                let threads = burst.threads[&at].len();
                events[at].join(record, threads);
                continue;
            }
            let at = events.len();
            burst.events.insert(key, at);
            burst.threads.entry(at).or_default().insert(record.thread);
        } else {
            burst = Burst::default();
        }
        events.push(Event::of(record, from, to));
    }
    events
}

/// Nanoseconds.
pub(super) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Whether a status says that something failed: errors and warnings do.
pub(super) fn is_failure(status: NDIS_STATUS) -> bool {
    status < 0 && status != NDIS_STATUS_SUCCESS && status != NDIS_STATUS_PENDING
}

impl Event {
    fn of(record: &Record, from: usize, to: usize) -> Self {
        Self {
            id: record.sequence,
            end: record.ended,
            kind: match record.direction {
                Direction::Call => Way::Call,
                Direction::Callback => Way::Callback,
            },
            name: record.name,
            driver: record.driver,
            built_in: record.built_in,
            object: names::in_text(&record.object),
            from,
            to,
            irql: record.irql.to_string(),
            thread: record.thread_name.to_string(),
            threads: 1,
            depth: record.depth,
            status: record.status.map(names::status),
            failed: record.status.is_some_and(is_failure),
            began_ns: nanoseconds(record.began),
            returned_ns: record.returned.map(nanoseconds),
            data: record.data,
            calls: 1,
            nbls: u64::from(record.nbls),
            records: BTreeSet::from([record.sequence]),
        }
    }

    fn join(&mut self, record: &Record, threads: usize) {
        self.calls += 1;
        self.nbls += u64::from(record.nbls);
        self.threads = threads;
        // While one of them runs, the burst does.
        let running = self.end == 0 || record.ended == 0;
        self.end = if running {
            0
        } else {
            self.end.max(record.ended)
        };
        let returned = record.returned.map(nanoseconds);
        self.returned_ns = returned.and_then(|at| Some(at.max(self.returned_ns?)));
        self.records.insert(record.sequence);
    }
}

/// Calls of the data path that follow each other closely.
#[derive(Default)]
struct Burst {
    events: HashMap<(&'static str, usize, usize), usize>,
    threads: HashMap<usize, BTreeSet<u64>>,
    began: Option<Duration>,
    last: Duration,
}

impl Burst {
    /// Ends the burst if a call at this time is no part of it.
    fn go_on(&mut self, time: Duration) {
        let quiet = time.saturating_sub(self.last) > QUIET;
        let long = self
            .began
            .is_some_and(|began| time.saturating_sub(began) > LONGEST);
        if quiet || long {
            *self = Self::default();
        }
        self.began.get_or_insert(time);
        self.last = time;
    }
}

/// A burst ends when nothing comes for this long.
const QUIET: Duration = Duration::from_millis(20);
/// And after this time in any case, so that long traffic shows its course.
const LONGEST: Duration = Duration::from_secs(1);
