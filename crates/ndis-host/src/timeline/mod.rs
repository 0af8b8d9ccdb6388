//! The trace as something to look at: what crossed between NDIS and the drivers, in order.
//!
//! A [`Timeline`] is made from the records of [`Trace`]: lanes from the wire upward, an event for each
//! crossing from one lane to its neighbour, and spans for what lasts (a pended bind, sends that are
//! out). Calls of the data path that follow each other closely are one event with a count. It is
//! written as JSON for tools or as one page of HTML for people ([`Timeline::write`]).
//!
//! # The JSON
//!
//! | field | what |
//! |---|---|
//! | `schema`, `version` | `ndishost-timeline` and [`VERSION`], which grows when a field changes its meaning or goes |
//! | `dropped.lifecycle`, `dropped.data` | records that are missing at the beginning, because too many came after them |
//! | `lanes[]` | `id` (its position, from the wire up), `kind` (`ndis`, `driver`, `nic`, `miniport`, `adapter`, `filter`, `protocol`, `client`), `name`, `driver` |
//! | `events[]` | in order of their beginning: `id` and `end` (numbers of the trace; `end` is 0 while it runs), `kind` (`call` into NDIS, `callback` into a driver), `name`, `driver`, `built_in`, `object`, `from`, `to` (lanes), `irql`, `thread`, `threads` (how many took part), `depth`, `status` (name, or null), `failed`, `began_ns`, `returned_ns` (or null), `data` (of the data path), `calls` (how many this event stands for), `nbls` |
//! | `spans[]` | `lane`, `operation` (`bind`, `open`, `pause`, …, or `sends`), `kind` (`operation`, `sends`, `state`), `from`, `to` (ids of events; `to` is null if it did not end), `status`, `pended`, `began_ns`, `ended_ns`, `count` (NBLs) |
//! | `traced[]` | what drivers traced while somebody listened: `at_ns`, `provider`, `level`, `keywords`, `text` (name and fields), `thread`, `irql`, `failed` (error or worse) |
//!
//! Times are nanoseconds since the host started, by the clock of its scheduler.
//!
//! Not in here: what is recorded (`ndis::trace`).

mod events;
mod lanes;
mod page;
mod spans;
mod traced;

#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;

use serde::Serialize;

pub use events::{Event, Way};
pub use lanes::{Lane, LaneKind};
pub use spans::{Span, SpanKind};
pub use traced::Traced;

use crate::ndis::device;
use crate::ndis::trace::{Record, Trace};
use crate::nt::etw;

/// The version of the JSON's schema.
pub const VERSION: u32 = 1;

/// What crossed between NDIS and the drivers.
#[derive(Clone, Debug, Serialize)]
pub struct Timeline {
    schema: &'static str,
    version: u32,
    /// Records that are missing at the beginning.
    pub dropped: Dropped,
    /// From the wire upward.
    pub lanes: Vec<Lane>,
    /// In the order in which they began.
    pub events: Vec<Event>,
    /// What lasted.
    pub spans: Vec<Span>,
    /// What drivers traced, oldest first, if anybody listened.
    pub traced: Vec<Traced>,
}

/// Records that are missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Dropped {
    /// Of the drivers' life.
    pub lifecycle: u64,
    /// Of the data path.
    pub data: u64,
}

/// How a timeline is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For tools.
    Json,
    /// For people.
    Html,
}

/// A timeline's file has a name that says no form.
#[derive(Debug, thiserror::Error)]
#[error("the timeline {0:?} must end in .json (for tools) or .html (to look at)")]
pub struct UnknownForm(String);

impl Form {
    /// The form that the name of a file asks for.
    ///
    /// # Errors
    /// It ends neither in `.json` nor in `.html`.
    pub fn of(path: &Path) -> Result<Self, UnknownForm> {
        let extension = path.extension().and_then(|extension| extension.to_str());
        match extension {
            Some("json") => Ok(Self::Json),
            Some("html") => Ok(Self::Html),
            _ => Err(UnknownForm(path.display().to_string())),
        }
    }
}

impl Timeline {
    /// What the trace of this process has, with devices called what people call them.
    #[must_use]
    pub fn now() -> Self {
        let dropped = Trace.dropped();
        let names: Vec<(String, String)> = device::all()
            .into_iter()
            .map(|device| (device.name, device.label))
            .collect();
        let mut timeline = Self::of(&Trace.records(), &names);
        timeline.traced = traced::of(&etw::events(), &names);
        timeline.dropped = Dropped {
            lifecycle: dropped.lifecycle,
            data: dropped.data,
        };
        timeline
    }

    /// The timeline of these records. `names`: device names, and what they are called instead.
    #[must_use]
    pub fn of(records: &[Record], names: &[(String, String)]) -> Self {
        let stack = lanes::Stack::of(records);
        let events = events::group(records, &stack);
        let spans = spans::of(records, &events, &stack);
        let mut timeline = Self {
            schema: "ndishost-timeline",
            version: VERSION,
            dropped: Dropped::default(),
            lanes: stack.into_lanes(),
            events,
            spans,
            traced: Vec::new(),
        };
        timeline.rename(names);
        timeline
    }

    /// Writes it in the form that the name of the file asks for.
    ///
    /// # Errors
    /// The name asks for none, or the file cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let text = match Form::of(path).map_err(io::Error::other)? {
            Form::Json => self.to_json(),
            Form::Html => self.to_html(),
        };
        std::fs::write(path, text)
    }

    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a timeline has only keys that are texts")
    }

    /// As a page of HTML that needs nothing else.
    #[must_use]
    pub fn to_html(&self) -> String {
        page::html(self)
    }

    fn rename(&mut self, names: &[(String, String)]) {
        for lane in &mut self.lanes {
            lane.name = renamed(&lane.name, names);
        }
        for event in &mut self.events {
            event.object = renamed(&event.object, names);
        }
    }
}

fn renamed(text: &str, names: &[(String, String)]) -> String {
    let mut text = text.to_owned();
    for (device, label) in names {
        // Device names compare without case, and have no letter that changes its length.
        while let Some(at) = text.to_ascii_lowercase().find(&device.to_ascii_lowercase())
            && !label
                .to_ascii_lowercase()
                .contains(&device.to_ascii_lowercase())
        {
            text.replace_range(at..at + device.len(), label);
        }
    }
    text
}
