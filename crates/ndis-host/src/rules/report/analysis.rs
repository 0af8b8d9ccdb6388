//! What there is to say about a broken rule, gathered without waiting for any lock.

use serde::Serialize;

use super::{REPEAT, SECTIONS, objects, page};
use crate::call::{self, CodeAddress, Event, Kind};
use crate::nt::{irql, sched, spin_lock};
use crate::rules::Rule;

/// The analysis of a broken rule. As JSON: `schema` is `ndishost-report`, and `version` grows when a
/// field changes its meaning or goes.
#[derive(Debug, Serialize)]
pub(super) struct Analysis {
    schema: &'static str,
    version: u32,
    /// The rule's name.
    pub(super) rule: &'static str,
    /// What sort of rule it is.
    pub(super) kind: String,
    /// What a driver that keeps it promises.
    pub(super) promised: &'static str,
    /// What happened instead.
    pub(super) happened: String,
    /// The driver's code that did it.
    pub(super) code: Option<Place>,
    /// The document's file name.
    pub(super) document: &'static str,
    /// Where it is published.
    pub(super) page: String,
    /// The thread.
    #[serde(flatten)]
    pub(super) thread: Thread,
    /// The last calls of other threads, the thread that called last first.
    pub(super) others: Vec<Calls>,
    /// The objects concerned.
    pub(super) objects: Vec<objects::Object>,
    /// What other modules add.
    pub(super) sections: Vec<Section>,
    /// The command that repeats the run.
    pub(super) repeat: Option<String>,
}

/// What a thread was doing.
#[derive(Debug, Serialize)]
pub(super) struct Thread {
    /// Its name.
    pub(super) thread: String,
    /// Its IRQL.
    pub(super) irql: String,
    /// The calls and callbacks that it is in, innermost first.
    pub(super) within: Vec<String>,
    /// The driver's functions that led here, innermost first.
    pub(super) stack: Vec<Place>,
    /// The spin locks that it holds.
    pub(super) locks: Vec<String>,
    /// Its last calls, the newest last.
    pub(super) calls: Vec<Call>,
}

/// A place in a driver's code.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Place {
    /// All of it, for people.
    pub(super) text: String,
    image: Option<String>,
    offset: u32,
    symbol: Option<String>,
    line: Option<String>,
}

/// A call or a callback.
#[derive(Debug, Serialize)]
pub(super) struct Call {
    pub(super) kind: &'static str,
    pub(super) name: &'static str,
    pub(super) irql: String,
    pub(super) depth: usize,
    /// Where the driver called from.
    pub(super) from: Option<String>,
    /// How often this happened in a row.
    pub(super) times: usize,
}

/// The last calls of a thread.
#[derive(Debug, Serialize)]
pub(super) struct Calls {
    pub(super) thread: String,
    pub(super) calls: Vec<Call>,
}

/// What a module adds.
#[derive(Debug, Serialize)]
pub(super) struct Section {
    pub(super) title: &'static str,
    pub(super) lines: Vec<String>,
}

impl Analysis {
    /// All of it, for a rule that this thread's driver code broke.
    pub(super) fn of(rule: &'static Rule, what: &str, address: Option<CodeAddress>) -> Self {
        let code = address.unwrap_or_else(call::caller);
        Self {
            schema: "ndishost-report",
            version: 1,
            rule: rule.name,
            kind: rule.kind.to_string(),
            promised: rule.promise,
            happened: what.to_owned(),
            code: (code.address != 0).then(|| Place::of(&code)),
            document: rule.source,
            page: page::of(rule.source),
            thread: Self::of_thread(),
            others: others(),
            objects: objects::concerned(what),
            sections: sections(),
            repeat: REPEAT.try_lock().ok().and_then(|command| command.clone()),
        }
    }

    /// What this thread is doing.
    pub(super) fn of_thread() -> Thread {
        let frames = call::frames();
        let within = frames.iter().rev().map(|frame| match frame.kind {
            Kind::Call => format!("{}!{}", frame.module, frame.name),
            _ => format!("the driver's {}", frame.name),
        });
        Thread {
            thread: sched::current_name(),
            irql: irql::current().to_string(),
            within: within.collect(),
            stack: call::driver_stack().iter().map(Place::of).collect(),
            locks: spin_lock::held_list()
                .iter()
                .map(ToString::to_string)
                .collect(),
            calls: calls(&call::last_events(), OWN_CALLS),
        }
    }

    pub(super) fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

impl Place {
    fn of(address: &CodeAddress) -> Self {
        Self {
            text: address.to_string(),
            image: address.image.clone(),
            offset: address.offset,
            symbol: address.symbol.clone(),
            line: address.line.clone(),
        }
    }
}

fn calls(events: &[Event], most: usize) -> Vec<Call> {
    let mut rows: Vec<(Event, usize)> = Vec::new();
    for event in events {
        match rows.last_mut() {
            Some((last, times)) if last == event => *times += 1,
            _ => rows.push((*event, 1)),
        }
    }
    let newest = rows.len().saturating_sub(most);
    let call = |&(event, times): &(Event, usize)| Call {
        kind: match event.kind {
            Kind::Call => "call",
            Kind::Callback => "callback",
            Kind::Return => "return",
        },
        name: event.name,
        irql: event.irql.to_string(),
        depth: event.depth,
        from: (event.caller != 0).then(|| CodeAddress::of(event.caller).to_string()),
        times,
    };
    rows[newest..].iter().map(call).collect()
}

fn others() -> Vec<Calls> {
    let mut threads = call::last_events_of_others();
    threads.truncate(OTHER_THREADS);
    threads
        .into_iter()
        .map(|(thread, events)| Calls {
            thread,
            calls: calls(&events, OTHER_CALLS),
        })
        .collect()
}

fn sections() -> Vec<Section> {
    let Ok(sections) = SECTIONS.try_lock() else {
        return Vec::new();
    };
    sections
        .iter()
        .map(|&(title, lines)| Section {
            title,
            lines: lines(),
        })
        .filter(|section| !section.lines.is_empty())
        .collect()
}

/// How many calls are shown of the thread, of how many others, and of each of them.
const OWN_CALLS: usize = 14;
const OTHER_THREADS: usize = 3;
const OTHER_CALLS: usize = 3;
