//! What a run says: events as they happen, as lines for people or as lines of JSON.
//!
//! | event | fields |
//! |---|---|
//! | `loaded` | `image` (its service), `file` |
//! | `call` | `name`, `callback` (NDIS called the driver), `driver`, `object`, `status` |
//! | `traced` | what a driver traced (`--trace`): `provider`, `name`, `level` (its number), `keywords` (in hexadecimal), `fields`, `problem` (why it cannot be shown, or null) |
//! | `link` | `client`, `up`, `bits_per_second` |
//! | `ready` | everything in the lab file is loaded, plugged and bound |
//! | `ending` | `reason` |
//! | `counters` | `adapter`, `counted_by` (`client`, or the `adapter`: OID_GEN_STATISTICS), `sent_frames`, `sent_bytes`, `received_frames`, `received_bytes`, `errors` |
//! | `low_resources` | `calls` that could fail since the simulation began, and how many `failed` of them |
//! | `pool` | `tag`, `allocations`, `frees`, `bytes` (now), `peak` (the most bytes at one time), `callers`: the same of each `caller` |
//! | `timeline` | `file` that the timeline was written to |
//! | `outstanding` | `items`: what the drivers still own; empty is as it should be |
//!
//! Calls come from the trace once they have returned, so a call follows those made inside it. Devices
//! are called what the lab file calls them. Not in here: when something is said.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};

use crate::faults::Simulated;
use crate::ndis::trace::{Direction, Record, Trace};
use crate::ndis::{device, names};
use crate::nt::etw::{self, value};
use crate::nt::pool::{Tag, Usage, Used};

/// How events are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    /// Lines for people.
    Text,
    /// Lines for people, without the calls.
    Quiet,
    /// A line of JSON for each event.
    Json,
}

/// Frames and bytes of one adapter, as its clients and the driver's statistics count them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Counters {
    pub(super) sent_frames: u64,
    pub(super) sent_bytes: u64,
    pub(super) received_frames: u64,
    pub(super) received_bytes: u64,
    pub(super) errors: u64,
}

/// Writes events to standard output.
pub(super) struct Events {
    form: Form,
    begun: Instant,
    /// Device names in lower case, and what the lab file calls them.
    names: BTreeMap<String, String>,
    /// Calls that returned before this number are said.
    said: u64,
    /// Traced events up to this number are said.
    traced: u64,
}

impl Events {
    /// `names`: each device name and what the lab file calls it.
    pub(super) fn new(form: Form, names: impl IntoIterator<Item = (String, String)>) -> Self {
        let names = names
            .into_iter()
            .map(|(device, name)| (device.to_ascii_lowercase(), name))
            .collect();
        Self {
            form,
            begun: Instant::now(),
            names,
            said: 0,
            traced: 0,
        }
    }

    /// The image is loaded and its `DriverEntry` succeeded.
    pub(super) fn loaded(&self, image: &str, file: &str) {
        self.say(
            &json!({ "event": "loaded", "image": image, "file": file }),
            || format!("{image}: loaded {file}"),
        );
    }

    /// A client above was told of its link.
    pub(super) fn link(&self, client: &str, up: bool, bits_per_second: u64) {
        self.say(
            &json!({ "event": "link", "client": client, "up": up, "bits_per_second": bits_per_second }),
            || format!("{client}: link {}, {} Mbit/s", if up { "up" } else { "down" }, bits_per_second / 1_000_000),
        );
    }

    /// Everything is up.
    pub(super) fn ready(&self) {
        self.say(&json!({ "event": "ready" }), || {
            "ready; Ctrl-C ends it".to_owned()
        });
    }

    /// The run ends, and why.
    pub(super) fn ending(&self, reason: &str) {
        self.say(&json!({ "event": "ending", "reason": reason }), || {
            format!("ending: {reason}")
        });
    }

    /// What an adapter counted.
    pub(super) fn counters(&self, adapter: &str, counted_by: &str, counters: &Counters) {
        let Counters {
            sent_frames,
            sent_bytes,
            received_frames,
            received_bytes,
            errors,
        } = *counters;
        self.say(
            &json!({
                "event": "counters", "adapter": adapter, "counted_by": counted_by,
                "sent_frames": sent_frames, "sent_bytes": sent_bytes,
                "received_frames": received_frames, "received_bytes": received_bytes,
                "errors": errors,
            }),
            || {
                format!(
                    "{adapter}, counted by the {counted_by}: sent {sent_frames} frames, {sent_bytes} bytes; \
                     received {received_frames} frames, {received_bytes} bytes; errors {errors}"
                )
            },
        );
    }

    /// What the low resources simulation did.
    pub(super) fn low_resources(&self, simulated: Simulated) {
        let Simulated { calls, failed } = simulated;
        self.say(
            &json!({ "event": "low_resources", "calls": calls, "failed": failed }),
            || format!("low resources: {failed} of {calls} calls failed"),
        );
    }

    /// How much pool was used, by tag and caller.
    pub(super) fn pool(&self, tags: &[(Tag, Usage)], callers: &[Used]) {
        for (tag, usage) in tags {
            let text = tag.to_string();
            let callers: Vec<_> = callers.iter().filter(|used| used.tag == text).collect();
            let mut event = json!({ "event": "pool", "tag": text, "callers": callers });
            if let (Value::Object(event), Value::Object(usage)) = (&mut event, json!(usage)) {
                event.extend(usage);
            }
            self.say(&event, || {
                let mut line = format!("pool {text}: {usage}");
                if self.form == Form::Text {
                    for Used { caller, usage, .. } in callers {
                        line.push_str(&format!("\n             {usage}: {caller}"));
                    }
                }
                line
            });
        }
    }

    /// The timeline was written.
    pub(super) fn timeline(&self, file: &Path) {
        let file = file.display().to_string();
        self.say(&json!({ "event": "timeline", "file": file }), || {
            format!("timeline: {file}")
        });
    }

    /// What the drivers still own.
    pub(super) fn outstanding(&self, items: &[String]) {
        self.say(
            &json!({ "event": "outstanding", "items": items }),
            || match items {
                [] => "outstanding: nothing".to_owned(),
                _ => format!("outstanding:\n  {}", items.join("\n  ")),
            },
        );
    }

    /// Says which calls of and into images have returned since the last time. Calls of the data path
    /// are not among them.
    pub(super) fn calls(&mut self) {
        // What returns from here on is for the next time.
        let now = Trace.now();
        let mut records = Trace.since(self.said);
        records.retain(|record| {
            (self.said.max(1)..now).contains(&record.ended) && !record.built_in && !record.data
        });
        self.said = now;
        records.sort_by_key(|record| record.ended);
        for record in records {
            self.call(&record);
        }
        self.traced();
    }

    /// Says what drivers have traced since the last time.
    fn traced(&mut self) {
        for event in etw::since(self.traced) {
            self.traced = event.sequence;
            let (name, fields) = match &event.says {
                Some(Ok(decoded)) => (json!(decoded.name), value::to_json(&decoded.fields)),
                _ => (json!(event.descriptor.id), json!({})),
            };
            let problem = event.says.as_ref().and_then(|says| says.as_ref().err());
            let said = json!({
                "event": "traced", "provider": event.provider_name, "name": name,
                "level": event.descriptor.level, "fields": fields,
                "keywords": format!("{:#x}", event.descriptor.keyword),
                "problem": problem.map(ToString::to_string),
            });
            self.say(&said, || {
                let level = event.descriptor.level_name();
                let line = event.line();
                // Each value may be a device of its own.
                let words: Vec<String> = line.split(' ').map(|word| self.name(word)).collect();
                format!("{}: ~~ {level}: {}", event.provider_name, words.join(" "))
            });
        }
    }

    fn call(&self, record: &Record) {
        let callback = record.direction == Direction::Callback;
        let object = self.name(&names::in_text(&record.object));
        let status = record.status.map(names::status);
        let event = json!({
            "event": "call", "name": record.name, "callback": callback, "driver": record.driver,
            "object": object, "status": status,
        });
        if self.form == Form::Json || (self.form == Form::Text && LIFECYCLE.contains(&record.name))
        {
            self.say(&event, || {
                let arrow = if callback { "<-" } else { "->" };
                format!(
                    "{}: {arrow} {} {object} {}",
                    record.driver,
                    record.name,
                    status.unwrap_or_default()
                )
            });
        }
    }

    /// `object`, with what the lab file calls a device in place of the device's name. It may be more
    /// than the name: `ndismux on \Device\trunk`.
    fn name(&self, object: &str) -> String {
        let lower = object.to_ascii_lowercase();
        for (device, name) in &self.names {
            if let Some(at) = lower.find(device) {
                return format!("{}{name}{}", &object[..at], &object[at + device.len()..]);
            }
        }
        // It may have come since.
        for device in device::all() {
            if let Some(at) = lower.find(&device.name.to_ascii_lowercase()) {
                let rest = &object[at + device.name.len()..];
                return format!("{}{}{rest}", &object[..at], device.label);
            }
        }
        object.to_owned()
    }

    fn say(&self, event: &Value, line: impl FnOnce() -> String) {
        let mut out = io::stdout().lock();
        // Whoever read it went away; the run goes on to its orderly end.
        let _ = match self.form {
            Form::Json => writeln!(out, "{event}"),
            Form::Text | Form::Quiet => {
                writeln!(
                    out,
                    "{:9.3}  {}",
                    self.begun.elapsed().as_secs_f64(),
                    line().trim_end()
                )
            }
        };
        let _ = out.flush();
    }
}

/// The calls that tell a driver's life, in its order.
const LIFECYCLE: [&str; 24] = [
    "DriverEntry",
    "NdisMRegisterMiniportDriver",
    "NdisRegisterProtocolDriver",
    "NdisIMAssociateMiniport",
    "ProtocolBindAdapterEx",
    "NdisOpenAdapterEx",
    "ProtocolOpenAdapterCompleteEx",
    "NdisIMInitializeDeviceInstanceEx",
    "NdisIMCancelInitializeDeviceInstance",
    "MiniportInitializeEx",
    "NdisCompleteBindAdapterEx",
    "MiniportPause",
    "MiniportRestart",
    "ProtocolUnbindAdapterEx",
    "NdisIMDeInitializeDeviceInstance",
    "MiniportHaltEx",
    "NdisCloseAdapterEx",
    "ProtocolCloseAdapterCompleteEx",
    "NdisCompleteUnbindAdapterEx",
    "ProtocolUninstall",
    "MiniportDriverUnload",
    "DriverUnload",
    "NdisDeregisterProtocolDriver",
    "NdisMDeregisterMiniportDriver",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_called_what_the_lab_file_calls_them() {
        let events = Events::new(
            Form::Json,
            [(r"\Device\{4D75}".to_owned(), "vlan10".to_owned())],
        );
        assert_eq!(events.name(r"\DEVICE\{4d75}"), "vlan10");
        assert_eq!(
            events.name(r"ndismux on \device\{4D75}"),
            "ndismux on vlan10"
        );
        assert_eq!(events.name("other"), "other");
    }
}
