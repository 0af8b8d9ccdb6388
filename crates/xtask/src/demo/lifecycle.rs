//! What the demo expects to find among the host's events: the driver coming up and going down.
//!
//! Only reading and judging of events; where they come from is `host.rs`.

use std::fmt;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

/// The host's events, in the order in which they came.
pub(super) struct Events(pub(super) Vec<Value>);

impl Events {
    /// The image is in memory and its `DriverEntry` succeeded.
    pub(super) fn loaded(&self) -> Result<String> {
        let loaded = self
            .0
            .iter()
            .find(|event| event["event"] == "loaded")
            .context("no image was loaded")?;
        let service = text(loaded, "image");
        Ok(format!(
            "{service}: DriverEntry {}",
            self.succeeded("DriverEntry", Some(service))?
        ))
    }

    /// The protocol was bound to the NIC `nic`.
    pub(super) fn bound(&self, nic: &str) -> Result<String> {
        let status = self.succeeded("ProtocolBindAdapterEx", Some(nic))?;
        Ok(format!("ProtocolBindAdapterEx on {nic} {status}"))
    }

    /// Each virtual miniport was initialized.
    pub(super) fn initialized(&self, adapters: &[&str]) -> Result<String> {
        let mut facts = Vec::new();
        for adapter in adapters {
            let status = self.succeeded("MiniportInitializeEx", Some(adapter))?;
            facts.push(format!("{adapter} {status}"));
        }
        Ok(format!("MiniportInitializeEx: {}", facts.join(", ")))
    }

    /// Each client above saw its link come up.
    pub(super) fn link_up(&self, clients: &[&str]) -> Result<String> {
        let mut facts = Vec::new();
        for client in clients {
            let link = self
                .0
                .iter()
                .rfind(|event| event["event"] == "link" && event["client"] == *client)
                .with_context(|| format!("{client} was told nothing of its link"))?;
            ensure!(link["up"] == true, "the link of {client} is down");
            let speed = link["bits_per_second"].as_u64().unwrap_or(0);
            facts.push(format!("{client} {} Gbit/s", speed as f64 / 1e9));
        }
        Ok(facts.join(", "))
    }

    /// What a virtual miniport counted in the end, on which the client above it agrees.
    pub(super) fn counters(&self, adapter: &str) -> Result<Counters> {
        let own = self.counted_by("adapter", adapter)?;
        let client = self.counted_by("client", adapter)?;
        ensure!(own == client, "it counted {own}, its client {client}");
        Ok(own)
    }

    /// What the client above an adapter counted.
    pub(super) fn counters_of_client(&self, adapter: &str) -> Result<Counters> {
        self.counted_by("client", adapter)
    }

    fn counted_by(&self, who: &str, adapter: &str) -> Result<Counters> {
        let event = self
            .0
            .iter()
            .rfind(|event| {
                event["event"] == "counters"
                    && event["adapter"] == adapter
                    && event["counted_by"] == who
            })
            .with_context(|| format!("no counters of {adapter} by the {who}"))?;
        let number = |key: &str| {
            event[key]
                .as_u64()
                .with_context(|| format!("the counters of {adapter} have no `{key}`"))
        };
        Ok(Counters {
            sent: number("sent_frames")?,
            sent_bytes: number("sent_bytes")?,
            received: number("received_frames")?,
            received_bytes: number("received_bytes")?,
            errors: number("errors")?,
        })
    }

    /// The protocol let go of the NIC.
    pub(super) fn unbound(&self, nic: &str) -> Result<String> {
        let status = self.succeeded("ProtocolUnbindAdapterEx", Some(nic))?;
        ensure!(
            self.0
                .iter()
                .any(|event| is_call(event, "NdisCloseAdapterEx")),
            "NdisCloseAdapterEx was not called"
        );
        Ok(format!(
            "ProtocolUnbindAdapterEx on {nic} {status}, NdisCloseAdapterEx"
        ))
    }

    /// Each virtual miniport was halted once.
    pub(super) fn halted(&self, adapters: &[&str]) -> Result<String> {
        for adapter in adapters {
            let halts = self
                .0
                .iter()
                .filter(|event| is_call(event, "MiniportHaltEx") && is_about(event, adapter))
                .count();
            ensure!(halts == 1, "MiniportHaltEx of {adapter} came {halts} times");
        }
        Ok(format!("MiniportHaltEx: {}", adapters.join(", ")))
    }

    /// Uninstall came after the last unbind, and unload after the last halt and last of all.
    pub(super) fn uninstalled_and_unloaded(&self) -> Result<String> {
        let last = |name: &str| {
            self.0
                .iter()
                .rposition(|event| is_call(event, name))
                .with_context(|| format!("no {name}"))
        };
        let (unbind, halt) = (last("ProtocolUnbindAdapterEx")?, last("MiniportHaltEx")?);
        let (uninstall, unload) = (last("ProtocolUninstall")?, last("MiniportDriverUnload")?);
        ensure!(
            unbind < uninstall,
            "ProtocolUninstall came before the last unbind"
        );
        ensure!(
            halt < unload && uninstall < unload,
            "MiniportDriverUnload was not the last"
        );
        for call in [
            "NdisDeregisterProtocolDriver",
            "NdisMDeregisterMiniportDriver",
        ] {
            last(call)?;
        }
        Ok("ProtocolUninstall, MiniportDriverUnload, both edges deregistered".to_owned())
    }

    /// The host found nothing that the driver still owns.
    pub(super) fn nothing_outstanding(&self) -> Result<String> {
        let event = self
            .0
            .iter()
            .rfind(|event| event["event"] == "outstanding")
            .context("the host did not come to look for it")?;
        let items = event["items"]
            .as_array()
            .context("the host's list cannot be read")?;
        if !items.is_empty() {
            let list: Vec<String> = items
                .iter()
                .map(|item| {
                    item.as_str()
                        .map_or_else(|| item.to_string(), str::to_owned)
                })
                .collect();
            bail!("{}", list.join("; "));
        }
        Ok("nothing".to_owned())
    }

    /// The status of a call, which has to be success.
    fn succeeded(&self, name: &str, object: Option<&str>) -> Result<String> {
        let on = object.map_or_else(String::new, |object| format!(" on {object}"));
        let event = self
            .0
            .iter()
            .find(|event| {
                is_call(event, name) && object.is_none_or(|object| is_about(event, object))
            })
            .with_context(|| format!("no {name}{on}"))?;
        let status = text(event, "status");
        if matches!(status, "NDIS_STATUS_SUCCESS" | "STATUS_SUCCESS") {
            Ok("succeeded".to_owned())
        } else if status == "NDIS_STATUS_PENDING" {
            Ok("pended".to_owned())
        } else {
            bail!("{name}{on} returned {status}")
        }
    }
}

/// What a virtual miniport counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Counters {
    pub(super) sent: u64,
    pub(super) sent_bytes: u64,
    pub(super) received: u64,
    pub(super) received_bytes: u64,
    pub(super) errors: u64,
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            sent,
            sent_bytes,
            received,
            received_bytes,
            errors,
        } = self;
        write!(
            f,
            "sent {sent} frames, {sent_bytes} bytes; received {received} frames, {received_bytes} bytes"
        )?;
        if *errors > 0 {
            write!(f, "; {errors} errors")
        } else {
            Ok(())
        }
    }
}

fn is_call(event: &Value, name: &str) -> bool {
    event["event"] == "call" && event["name"] == name
}

/// Whether a call is about an adapter: by itself, or as a binding's (`ndismux on trunk`).
fn is_about(event: &Value, adapter: &str) -> bool {
    let object = event["object"].as_str().unwrap_or_default();
    object.rsplit(" on ").next() == Some(adapter)
}

fn text<'a>(event: &'a Value, key: &str) -> &'a str {
    event[key].as_str().unwrap_or("nothing")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(name: &str, object: &str, status: &str) -> Value {
        json!({ "event": "call", "name": name, "object": object, "status": status })
    }

    fn end() -> Vec<Value> {
        vec![
            call("ProtocolUnbindAdapterEx", "trunk", "NDIS_STATUS_SUCCESS"),
            call("MiniportHaltEx", "vlan10", ""),
            call("NdisCloseAdapterEx", "trunk", ""),
            call("ProtocolUninstall", "", ""),
            call("MiniportDriverUnload", "", ""),
            call("NdisDeregisterProtocolDriver", "", ""),
            call("NdisMDeregisterMiniportDriver", "", ""),
        ]
    }

    #[test]
    fn an_orderly_end_is_recognised_and_each_missing_step_is_not() {
        let whole = Events(end());
        assert!(whole.unbound("trunk").is_ok());
        assert!(whole.halted(&["vlan10"]).is_ok());
        assert!(whole.uninstalled_and_unloaded().is_ok());
        for missing in 0..end().len() {
            let mut events = end();
            events.remove(missing);
            let events = Events(events);
            let holds = events.unbound("trunk").is_ok()
                && events.halted(&["vlan10"]).is_ok()
                && events.uninstalled_and_unloaded().is_ok();
            assert!(!holds, "without step {missing}");
        }
        let mut twice = end();
        twice.insert(1, call("MiniportHaltEx", "vlan10", ""));
        assert!(Events(twice).halted(&["vlan10"]).is_err());
        let mut order = end();
        order.swap(0, 3);
        assert!(Events(order).uninstalled_and_unloaded().is_err());
    }

    #[test]
    fn counters_that_disagree_are_an_error() {
        let by = |who: &str, sent: u64| {
            json!({
                "event": "counters", "adapter": "vlan10", "counted_by": who, "sent_frames": sent,
                "sent_bytes": 60, "received_frames": 1, "received_bytes": 60, "errors": 0,
            })
        };
        let agreeing = Events(vec![by("client", 1), by("adapter", 1)]);
        assert_eq!(agreeing.counters("vlan10").unwrap().sent, 1);
        assert!(
            Events(vec![by("client", 1), by("adapter", 2)])
                .counters("vlan10")
                .is_err()
        );
        assert!(Events(vec![by("client", 1)]).counters("vlan10").is_err());
        assert!(agreeing.counters("vlan20").is_err());
    }

    #[test]
    fn a_status_that_is_no_success_is_named() {
        let events = Events(vec![call(
            "ProtocolBindAdapterEx",
            "trunk",
            "NDIS_STATUS_RESOURCES",
        )]);
        let error = events.bound("trunk").unwrap_err().to_string();
        assert!(error.contains("NDIS_STATUS_RESOURCES"), "{error}");
        assert!(events.bound("other").is_err());
    }

    #[test]
    fn what_is_outstanding_is_listed() {
        let events = |items: Value| Events(vec![json!({ "event": "outstanding", "items": items })]);
        assert_eq!(events(json!([])).nothing_outstanding().unwrap(), "nothing");
        let error = events(json!(["1 NBL", "2 locks"]))
            .nothing_outstanding()
            .unwrap_err();
        assert_eq!(error.to_string(), "1 NBL; 2 locks");
        assert!(Events(Vec::new()).nothing_outstanding().is_err());
    }
}
