//! Spans: operations that last from a call to their completion, sends that are out, and how far up
//! an edge is.

use std::collections::{BTreeMap, HashMap};

use ndis_sys::NDIS_STATUS_PENDING;
use serde::Serialize;

use super::events::{Event, nanoseconds};
use super::lanes::Stack;
use crate::ndis::names;
use crate::ndis::trace::Record;

/// Something that lasts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Span {
    /// At which edge.
    pub lane: usize,
    /// What is done, or which state it is.
    pub operation: &'static str,
    /// What sort of span it is.
    pub kind: SpanKind,
    /// The event that it begins with.
    pub from: u64,
    /// The event that ends it, if it ended.
    pub to: Option<u64>,
    /// What it ended with, by its name.
    pub status: Option<String>,
    /// The call that began it returned NDIS_STATUS_PENDING.
    pub pended: bool,
    /// When it began: nanoseconds since the host started.
    pub began_ns: u64,
    /// When it ended.
    pub ended_ns: Option<u64>,
    /// How many NBLs were sent.
    pub count: u64,
}

/// What sort of span it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SpanKind {
    /// An operation.
    Operation,
    /// Sends that are not complete.
    Sends,
    /// A state.
    State,
}

/// The spans of these records.
pub(super) fn of(records: &[Record], events: &[Event], stack: &Stack) -> Vec<Span> {
    let mut spans = operations(records, stack);
    spans.extend(states(records, stack));
    let of_record: HashMap<u64, u64> = events
        .iter()
        .flat_map(|event| event.records.iter().map(|&record| (record, event.id)))
        .collect();
    for span in &mut spans {
        span.from = of_record.get(&span.from).copied().unwrap_or(span.from);
        span.to = span.to.map(|to| of_record.get(&to).copied().unwrap_or(to));
    }
    spans.extend(sends(records, stack, &of_record));
    spans.sort_by_key(|span| (span.from, span.lane));
    spans
}

/// From the call that begins it to the return, or to the call that completes it.
fn operations(records: &[Record], stack: &Stack) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    // Indices of spans that pend, by edge and the function that completes them.
    let mut open: HashMap<(usize, &'static str), Vec<usize>> = HashMap::new();
    for record in records {
        let lane = stack.edge(record);
        if let Some(operation) = OPERATIONS.iter().find(|it| it.begin == record.name) {
            let pended = record.status == Some(NDIS_STATUS_PENDING);
            let mut span = Span::begin(record, lane, operation.name, SpanKind::Operation);
            span.pended = pended;
            let completes = operation.end.filter(|_| pended || record.ended == 0);
            if let Some(end) = completes {
                open.entry((lane, end)).or_default().push(spans.len());
            } else if record.ended != 0 {
                span.to = last_before(records, record.ended);
                span.status = record.status.map(names::status);
                span.ended_ns = record.returned.map(nanoseconds);
            }
            spans.push(span);
        }
        if let Some(waiting) = open.get_mut(&(lane, record.name))
            && !waiting.is_empty()
        {
            // First come, first served: requests are answered in their order.
            spans[waiting.remove(0)].end(record);
        }
    }
    spans
}

/// How far up an edge is: initialized or open, and running between restart and pause.
fn states(records: &[Record], stack: &Stack) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut open: HashMap<(usize, &'static str), usize> = HashMap::new();
    for record in records {
        let lane = stack.edge(record);
        for state in STATES {
            let concerns =
                |name: &str, object: &str| name == record.name && record.object.starts_with(object);
            let ok = record.status.is_none_or(|status| status >= 0);
            if concerns(state.begin, state.object_begin) && ok {
                open.entry((lane, state.name)).or_insert_with(|| {
                    spans.push(Span::begin(record, lane, state.name, SpanKind::State));
                    spans.len() - 1
                });
            } else if concerns(state.end, state.object_end)
                && let Some(at) = open.remove(&(lane, state.name))
            {
                spans[at].end(record);
                spans[at].status = None;
            }
        }
    }
    spans
}

/// From the first send until all are complete, at each edge; those of one burst are one.
fn sends(records: &[Record], stack: &Stack, of_record: &HashMap<u64, u64>) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    // At each edge: the span, and how many NBLs are out.
    let mut out: BTreeMap<usize, (usize, u64)> = BTreeMap::new();
    for record in records {
        let nbls = u64::from(record.nbls);
        let lane = stack.edge(record);
        let id = of_record.get(&record.sequence).copied();
        let id = id.unwrap_or(record.sequence);
        if SENDS.contains(&record.name) {
            let at = match out.get(&lane) {
                // A burst that goes on.
                Some(&(at, 0)) if spans[at].to >= Some(id) => {
                    spans[at].to = None;
                    at
                }
                Some(&(at, left)) if left != 0 => at,
                _ => {
                    let mut span = Span::begin(record, lane, "sends", SpanKind::Sends);
                    span.from = id;
                    span.pended = true;
                    spans.push(span);
                    spans.len() - 1
                }
            };
            spans[at].count += nbls;
            let left = out.get(&lane).map_or(0, |&(_, left)| left) + nbls;
            out.insert(lane, (at, left));
        } else if COMPLETIONS.contains(&record.name)
            && let Some((at, left)) = out.get_mut(&lane)
        {
            *left = left.saturating_sub(nbls);
            if *left == 0 {
                spans[*at].end(record);
                spans[*at].to = Some(id);
            }
        }
    }
    spans
}

impl Span {
    fn begin(record: &Record, lane: usize, operation: &'static str, kind: SpanKind) -> Self {
        Self {
            lane,
            operation,
            kind,
            from: record.sequence,
            to: None,
            status: None,
            pended: false,
            began_ns: nanoseconds(record.began),
            ended_ns: None,
            count: 0,
        }
    }

    fn end(&mut self, record: &Record) {
        self.to = Some(record.sequence);
        self.status = record.status.map(names::status);
        self.ended_ns = Some(nanoseconds(record.began));
    }
}

/// The last record that began before the number `end`.
fn last_before(records: &[Record], end: u64) -> Option<u64> {
    let after = records.partition_point(|record| record.sequence < end);
    let last = records.get(after.checked_sub(1)?)?;
    Some(last.sequence)
}

struct Operation {
    name: &'static str,
    begin: &'static str,
    /// What completes it if it pends.
    end: Option<&'static str>,
}

const fn operation(
    name: &'static str,
    begin: &'static str,
    end: Option<&'static str>,
) -> Operation {
    Operation { name, begin, end }
}

/// Operations that may pend, and others that people look for.
const OPERATIONS: &[Operation] = &[
    operation("load", "DriverEntry", None),
    operation("unload", "DriverUnload", None),
    operation("unload", "MiniportDriverUnload", None),
    operation("unload", "FilterDriverUnload", None),
    operation("uninstall", "ProtocolUninstall", None),
    operation(
        "bind",
        "ProtocolBindAdapterEx",
        Some("NdisCompleteBindAdapterEx"),
    ),
    operation(
        "unbind",
        "ProtocolUnbindAdapterEx",
        Some("NdisCompleteUnbindAdapterEx"),
    ),
    operation(
        "open",
        "NdisOpenAdapterEx",
        Some("ProtocolOpenAdapterCompleteEx"),
    ),
    operation(
        "close",
        "NdisCloseAdapterEx",
        Some("ProtocolCloseAdapterCompleteEx"),
    ),
    operation(
        "event",
        "ProtocolNetPnPEvent",
        Some("NdisCompleteNetPnPEvent"),
    ),
    operation(
        "request",
        "NdisOidRequest",
        Some("ProtocolOidRequestComplete"),
    ),
    operation(
        "request",
        "MiniportOidRequest",
        Some("NdisMOidRequestComplete"),
    ),
    operation(
        "request",
        "FilterOidRequest",
        Some("NdisFOidRequestComplete"),
    ),
    operation(
        "request",
        "NdisFOidRequest",
        Some("FilterOidRequestComplete"),
    ),
    operation("initialize", "MiniportInitializeEx", None),
    operation("halt", "MiniportHaltEx", None),
    operation("pause", "MiniportPause", Some("NdisMPauseComplete")),
    operation("restart", "MiniportRestart", Some("NdisMRestartComplete")),
    operation("reset", "MiniportResetEx", Some("NdisMResetComplete")),
    operation("attach", "FilterAttach", None),
    operation("detach", "FilterDetach", None),
    operation("pause", "FilterPause", Some("NdisFPauseComplete")),
    operation("restart", "FilterRestart", Some("NdisFRestartComplete")),
];

struct State {
    name: &'static str,
    begin: &'static str,
    object_begin: &'static str,
    end: &'static str,
    object_end: &'static str,
}

const fn state(
    name: &'static str,
    (begin, object_begin): (&'static str, &'static str),
    (end, object_end): (&'static str, &'static str),
) -> State {
    State {
        name,
        begin,
        object_begin,
        end,
        object_end,
    }
}

/// From which call to which an edge is up, and runs. The text is what the object begins with.
const STATES: &[State] = &[
    state("loaded", ("DriverEntry", ""), ("DriverUnload", "")),
    state("loaded", ("DriverEntry", ""), ("MiniportDriverUnload", "")),
    state("loaded", ("DriverEntry", ""), ("FilterDriverUnload", "")),
    state("up", ("MiniportInitializeEx", ""), ("MiniportHaltEx", "")),
    state("running", ("MiniportRestart", ""), ("MiniportPause", "")),
    state(
        "up",
        ("ProtocolBindAdapterEx", ""),
        ("ProtocolUnbindAdapterEx", ""),
    ),
    state(
        "running",
        ("ProtocolNetPnPEvent", "NetEventRestart"),
        ("ProtocolNetPnPEvent", "NetEventPause"),
    ),
    state("up", ("FilterAttach", ""), ("FilterDetach", "")),
    state("running", ("FilterRestart", ""), ("FilterPause", "")),
];

const SENDS: [&str; 2] = ["NdisSendNetBufferLists", "NdisFSendNetBufferLists"];
const COMPLETIONS: [&str; 2] = [
    "ProtocolSendNetBufferListsComplete",
    "FilterSendNetBufferListsComplete",
];
