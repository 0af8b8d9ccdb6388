//! What happened, in order: each call into the emulated NDIS and each callback out of it.
//!
//! A record is made when the call begins, so that nested records follow the one they happened in, and
//! gets its end number and status when the call returns. Lifecycle records are all kept; those of the
//! data path (sends, receives and their buffers) only in a bounded window, so that a run under
//! traffic does not grow without end.
//!
//! Not in here: the ring of last calls that a broken rule's report shows (`crate::call`).

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard};

use ndis_sys::NDIS_STATUS;

use super::caller::{self, Caller};

/// Which way a call went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// A driver called NDIS.
    Call,
    /// NDIS called a driver.
    Callback,
}

/// One call.
#[derive(Clone, Debug)]
pub struct Record {
    /// Position among all records of the process; counts from 1 and never repeats.
    pub sequence: u64,
    /// Position at which the call returned; 0 while it runs.
    pub ended: u64,
    /// Which way it went.
    pub direction: Direction,
    /// The function's or callback's documented name.
    pub name: &'static str,
    /// Who called, or who was called.
    pub driver: &'static str,
    /// The driver is a built-in part of the host.
    pub built_in: bool,
    /// What it was about: an adapter's or binding's name, an OID, an event; may be empty.
    pub object: String,
    /// What came back, where the call returns a status.
    pub status: Option<NDIS_STATUS>,
}

/// The trace of this process.
#[derive(Clone, Copy, Debug)]
pub struct Trace;

impl Trace {
    /// All records kept, in order.
    pub fn records(self) -> Vec<Record> {
        let log = lock();
        let mut all: Vec<Record> = log.control.iter().chain(&log.data).cloned().collect();
        all.sort_by_key(|record| record.sequence);
        all
    }

    /// The records of one function or callback, in order.
    pub fn calls(self, name: &str) -> Vec<Record> {
        let mut records = self.records();
        records.retain(|record| record.name == name);
        records
    }

    /// The records of `name` that are about `object`, in order.
    pub fn calls_on(self, name: &str, object: &str) -> Vec<Record> {
        let mut records = self.calls(name);
        records.retain(|record| record.object == object);
        records
    }

    /// The records of `name` made by or to images, without those of built-in parts.
    pub fn image_calls(self, name: &str) -> Vec<Record> {
        let mut records = self.calls(name);
        records.retain(|record| !record.built_in);
        records
    }

    /// Whether records with these names exist in this order: the first `names[0]`, after it a
    /// `names[1]`, and so on.
    pub fn in_order(self, names: &[&str]) -> bool {
        let records = self.records();
        let mut from = records.iter();
        names
            .iter()
            .all(|name| from.by_ref().any(|record| record.name == *name))
    }

    /// The sequence number that the next record gets: a point in time to compare records with.
    pub fn now(self) -> u64 {
        NEXT.load(Ordering::SeqCst)
    }

    /// Forgets all records. Sequence numbers go on.
    pub fn clear(self) {
        let mut log = lock();
        log.control.clear();
        log.data.clear();
    }
}

/// A record that is still open. Ends when dropped.
pub(crate) struct Open {
    sequence: u64,
    data: bool,
    status: Option<NDIS_STATUS>,
}

impl Open {
    /// Notes the status that the call returns.
    pub(crate) fn returns(&mut self, status: NDIS_STATUS) -> NDIS_STATUS {
        self.status = Some(status);
        status
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let ended = NEXT.fetch_add(1, Ordering::SeqCst);
        let mut log = lock();
        let list = if self.data {
            &mut log.data
        } else {
            &mut log.control
        };
        // Recent records are near the end.
        if let Some(record) = list
            .iter_mut()
            .rev()
            .find(|record| record.sequence == self.sequence)
        {
            record.ended = ended;
            record.status = self.status;
        }
    }
}

/// Opens the record of a call that the running driver made.
pub(crate) fn call(name: &'static str, object: &str) -> Open {
    open(Direction::Call, name, caller::current(), object, false)
}

/// Opens the record of a data path call that the running driver made.
pub(crate) fn data_call(name: &'static str, object: &str) -> Open {
    open(Direction::Call, name, caller::current(), object, true)
}

/// Opens the record of a callback into `driver`.
pub(crate) fn callback(name: &'static str, driver: Caller, object: &str, data: bool) -> Open {
    open(Direction::Callback, name, driver, object, data)
}

fn open(
    direction: Direction,
    name: &'static str,
    driver: Caller,
    object: &str,
    data: bool,
) -> Open {
    let mut log = lock();
    // Numbered under the lock, so that each list is in order.
    let sequence = NEXT.fetch_add(1, Ordering::SeqCst);
    let record = Record {
        sequence,
        ended: 0,
        direction,
        name,
        driver: driver.name,
        built_in: driver.built_in,
        object: object.to_owned(),
        status: None,
    };
    if data {
        if log.data.len() == DATA_WINDOW {
            log.data.pop_front();
        }
        log.data.push_back(record);
    } else {
        log.control.push_back(record);
    }
    Open {
        sequence,
        data,
        status: None,
    }
}

#[derive(Default)]
struct Log {
    control: VecDeque<Record>,
    data: VecDeque<Record>,
}

fn lock() -> MutexGuard<'static, Log> {
    LOG.lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Data path records kept.
const DATA_WINDOW: usize = 1 << 14;

static LOG: LazyLock<Mutex<Log>> = LazyLock::new(Mutex::default);
static NEXT: AtomicU64 = AtomicU64::new(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_nest_and_keep_their_status() {
        {
            let mut outer = call("TraceTestOuter", "a");
            let _inner = callback("TraceTestInner", Caller::HOST, "b", true);
            outer.returns(5);
        }
        let outer = &Trace.calls("TraceTestOuter")[0];
        let inner = &Trace.calls("TraceTestInner")[0];
        assert!(outer.sequence < inner.sequence && inner.ended < outer.ended);
        assert_eq!((outer.status, inner.status), (Some(5), None));
        assert!(Trace.in_order(&["TraceTestOuter", "TraceTestInner"]));
        assert!(!Trace.in_order(&["TraceTestInner", "TraceTestOuter"]));
    }
}
