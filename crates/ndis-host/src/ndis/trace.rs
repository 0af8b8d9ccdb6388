//! What happened, in order: each call into the emulated NDIS and each callback out of it.
//!
//! A record is made when the call begins, so that nested records follow the one they happened in, and
//! gets its end number and status when the call returns. Records of the driver's life and those of
//! the data path (sends, receives and their buffers) are kept in a window each, so that a run under
//! traffic neither grows without end nor forgets its beginning; [`Trace::dropped`] counts what fell out.
//! [`Trace::record`] says what is recorded at all.
//!
//! Not in here: the ring of last calls that a broken rule's report shows (`crate::call`), and how a
//! trace is shown (`crate::timeline`).

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};
use std::time::Duration;

use ndis_sys::NDIS_STATUS;

use super::caller::{self, Caller};
use crate::call;
use crate::nt::irql::{self, Irql};
use crate::nt::sched;

/// Which way a call went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// A driver called NDIS.
    Call,
    /// NDIS called a driver.
    Callback,
}

/// What is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Recording {
    /// Nothing: for measurements of speed.
    Nothing,
    /// The life of drivers, adapters and bindings.
    Lifecycle,
    /// The data path too. So it is at the start.
    Everything,
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
    /// The adapter's or binding's name, where `object` does not say it.
    pub edge: Option<String>,
    /// What came back, where the call returns a status.
    pub status: Option<NDIS_STATUS>,
    /// It belongs to the data path.
    pub data: bool,
    /// How many NBLs it hands over, 0 for none.
    pub nbls: u32,
    /// The IRQL at which it was made.
    pub irql: Irql,
    /// The number of its thread.
    pub thread: u64,
    /// The name of its thread.
    pub thread_name: Arc<str>,
    /// How many calls and callbacks of this thread it was made in.
    pub depth: usize,
    /// When it was made, by the clock of the scheduler: real or virtual.
    pub began: Duration,
    /// When it returned, if it did.
    pub returned: Option<Duration>,
}

/// How many records fell out of their window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Of the driver's life.
    pub lifecycle: u64,
    /// Of the data path.
    pub data: u64,
}

/// The trace of this process.
#[derive(Clone, Copy, Debug)]
pub struct Trace;

impl Trace {
    /// All records kept, in order.
    pub fn records(self) -> Vec<Record> {
        self.since(0)
    }

    /// The records that began or ended at number `from` or later, in order.
    pub fn since(self, from: u64) -> Vec<Record> {
        let log = lock();
        let recent = |record: &&Record| record.sequence >= from || record.ended >= from;
        let control = log.control.records.iter().filter(recent);
        let data = log.data.records.iter().filter(recent);
        let mut all: Vec<Record> = control.chain(data).cloned().collect();
        drop(log);
        all.sort_by_key(|record| record.sequence);
        all
    }

    /// How many records are no longer kept because too many came after them.
    pub fn dropped(self) -> Dropped {
        let log = lock();
        Dropped {
            lifecycle: log.control.dropped,
            data: log.data.dropped,
        }
    }

    /// Sets what is recorded from now on.
    pub fn record(self, what: Recording) {
        RECORDING.store(what as u8, Ordering::Relaxed);
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
        *log = Log::default();
    }
}

/// A record that is still open. Ends when dropped.
pub(crate) struct Open {
    /// 0 if nothing is recorded of it.
    sequence: u64,
    data: bool,
    status: Option<NDIS_STATUS>,
    nbls: Cell<u32>,
}

impl Open {
    /// Notes the status that the call returns.
    pub(crate) fn returns(&mut self, status: NDIS_STATUS) -> NDIS_STATUS {
        self.status = Some(status);
        status
    }

    /// Notes how many NBLs the call hands over.
    pub(crate) fn hands_over(&self, nbls: usize) {
        self.nbls.set(u32::try_from(nbls).unwrap_or(u32::MAX));
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if self.sequence == 0 {
            return;
        }
        let now = sched::now();
        let mut log = lock();
        let ended = NEXT.fetch_add(1, Ordering::SeqCst);
        let window = log.window(self.data);
        // Gone if too many came after it.
        if let Ok(at) = window
            .records
            .binary_search_by_key(&self.sequence, |record| record.sequence)
        {
            let record = &mut window.records[at];
            record.ended = ended;
            record.returned = Some(now);
            record.status = self.status;
            record.nbls = record.nbls.max(self.nbls.get());
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

/// Says where the next record of this thread happens, an adapter or a binding by its name: for
/// records whose object is something else.
pub(crate) fn next_at(edge: &str) {
    if RECORDING.load(Ordering::Relaxed) != Recording::Nothing as u8 {
        NEXT_EDGE.set(Some(edge.to_owned()));
    }
}

/// Says how many NBLs the next record of this thread hands over.
pub(crate) fn next_hands_over(nbls: usize) {
    NEXT_NBLS.set(u32::try_from(nbls).unwrap_or(u32::MAX));
}

fn open(
    direction: Direction,
    name: &'static str,
    driver: Caller,
    object: &str,
    data: bool,
) -> Open {
    let (edge, nbls) = (NEXT_EDGE.take(), NEXT_NBLS.take());
    let least = if data {
        Recording::Everything
    } else {
        Recording::Lifecycle
    };
    if RECORDING.load(Ordering::Relaxed) < least as u8 {
        return Open {
            sequence: 0,
            data,
            status: None,
            nbls: Cell::new(0),
        };
    }
    let mut record = Record {
        sequence: 0,
        ended: 0,
        direction,
        name,
        driver: driver.name,
        built_in: driver.built_in,
        object: object.to_owned(),
        edge,
        status: None,
        data,
        nbls,
        irql: irql::current(),
        thread: sched::current_id(),
        thread_name: thread_name(),
        depth: call::depth(),
        began: sched::now(),
        returned: None,
    };
    let mut log = lock();
    // Numbered under the lock, so that each window is in order.
    let sequence = NEXT.fetch_add(1, Ordering::SeqCst);
    record.sequence = sequence;
    log.window(data).push(record);
    Open {
        sequence,
        data,
        status: None,
        nbls: Cell::new(0),
    }
}

fn thread_name() -> Arc<str> {
    NAME.with_borrow_mut(|name| {
        name.get_or_insert_with(|| sched::current_name().into())
            .clone()
    })
}

struct Log {
    control: Window,
    data: Window,
}

/// The newest records of one sort.
struct Window {
    records: VecDeque<Record>,
    size: usize,
    dropped: u64,
}

impl Log {
    fn window(&mut self, data: bool) -> &mut Window {
        if data {
            &mut self.data
        } else {
            &mut self.control
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            control: Window::new(CONTROL_WINDOW),
            data: Window::new(DATA_WINDOW),
        }
    }
}

impl Window {
    fn new(size: usize) -> Self {
        Self {
            records: VecDeque::new(),
            size,
            dropped: 0,
        }
    }

    fn push(&mut self, record: Record) {
        if self.records.len() == self.size {
            self.records.pop_front();
            self.dropped += 1;
        }
        self.records.push_back(record);
    }
}

fn lock() -> MutexGuard<'static, Log> {
    sched::note_lock();
    LOG.lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Data path records kept.
const DATA_WINDOW: usize = 1 << 14;
/// Other records kept.
const CONTROL_WINDOW: usize = 1 << 16;

static LOG: LazyLock<Mutex<Log>> = LazyLock::new(Mutex::default);
static NEXT: AtomicU64 = AtomicU64::new(1);
static RECORDING: AtomicU8 = AtomicU8::new(Recording::Everything as u8);

thread_local! {
    static NAME: RefCell<Option<Arc<str>>> = const { RefCell::new(None) };
    static NEXT_EDGE: Cell<Option<String>> = const { Cell::new(None) };
    static NEXT_NBLS: Cell<u32> = const { Cell::new(0) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_nest_and_keep_their_status() {
        {
            let mut outer = call("TraceTestOuter", "a");
            next_at("proto on nic");
            let inner = callback("TraceTestInner", Caller::HOST, "b", true);
            inner.hands_over(3);
            outer.returns(5);
        }
        let outer = &Trace.calls("TraceTestOuter")[0];
        let inner = &Trace.calls("TraceTestInner")[0];
        assert!(outer.sequence < inner.sequence && inner.ended < outer.ended);
        assert_eq!((outer.status, inner.status), (Some(5), None));
        assert_eq!((outer.edge.as_deref(), outer.nbls), (None, 0));
        assert_eq!(
            (inner.edge.as_deref(), inner.nbls),
            (Some("proto on nic"), 3)
        );
        assert!(outer.began <= inner.began && inner.returned <= outer.returned);
        assert!(Trace.in_order(&["TraceTestOuter", "TraceTestInner"]));
        assert!(!Trace.in_order(&["TraceTestInner", "TraceTestOuter"]));
    }

    #[test]
    fn since_gives_what_began_or_ended_from_there_on() {
        let _before = call("TraceTestBefore", "");
        let during = call("TraceTestDuring", "");
        let from = Trace.now();
        drop(during);
        let _after = call("TraceTestAfter", "");
        let mut names: Vec<_> = Trace.since(from).iter().map(|it| it.name).collect();
        names.retain(|name| name.starts_with("TraceTest"));
        names.retain(|name| !["TraceTestOuter", "TraceTestInner"].contains(name));
        assert_eq!(names, ["TraceTestDuring", "TraceTestAfter"]);
    }

    #[test]
    fn a_full_window_counts_what_it_drops() {
        let record = call("TraceTestWindow", "");
        let one = Trace.calls("TraceTestWindow").remove(0);
        drop(record);
        let mut window = Window::new(2);
        for sequence in 1..=5 {
            window.push(Record {
                sequence,
                ..one.clone()
            });
        }
        let kept: Vec<_> = window.records.iter().map(|it| it.sequence).collect();
        assert_eq!((kept, window.dropped), (vec![4, 5], 3));
    }
}
