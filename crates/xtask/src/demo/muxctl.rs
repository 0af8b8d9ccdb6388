//! VLAN adapters come and go by `muxctl` while traffic runs: nobody else notices.
//!
//! Streams of numbered datagrams run on the lab file's two VLANs all the time. An adapter in a third VLAN
//! is added and used, one of the two is removed, and the other one has lost nothing.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::checks::{self, Ip};
use super::network::{ADDED, ALL, Network, Station, VLANS};
use super::report::Report;
use super::stream::Stream;
use super::tool::{self, Interrupt};
use super::traffic;

/// `muxctl`, speaking to the running host.
pub(super) struct Muxctl<'a> {
    pub(super) program: &'a Path,
    pub(super) socket: &'a Path,
    pub(super) interrupt: &'a Interrupt,
}

/// The places of the VLANs in [`ALL`].
const KEPT: usize = 0;
const REMOVED: usize = 1;
const NEW: usize = 2;

impl Muxctl<'_> {
    /// Does all of it; each item goes to the report.
    ///
    /// # Errors
    /// What comes later makes no sense then.
    pub(super) fn changes(&self, report: &mut Report, network: &Network) -> Result<()> {
        let kept = Stream::start(network, KEPT, ALL[KEPT])?;
        let removed = Stream::start(network, REMOVED, ALL[REMOVED])?;
        self.flowing(&[&kept, &removed])?;
        report.item(
            "datagrams flow on VLAN 10 and 20",
            Ok("numbered, each way, one every 10 ms".to_owned()),
        );

        let begun = Instant::now();
        let id = ADDED.id.to_string();
        let add = ["vlan", "add", "--nic", LAB_NIC, "--vlan", id.as_str()];
        let added = self.json(&add).and_then(|vlan| {
            ensure!(vlan["state"] == "running", "it is {}", vlan["state"]);
            let (name, address) = (text(&vlan, "name")?, text(&vlan, "address")?);
            let seconds = begun.elapsed().as_secs_f64();
            Ok(format!("{name} is up, {address}, after {seconds:.2} s"))
        });
        let is_up = report.item("muxctl vlan add: VLAN 30", added);
        ensure!(is_up, "there is no VLAN 30 to go on with");
        let there = self
            .interrupt
            .wait_until(Duration::from_secs(10), || Ok(network.host.has(ADDED.tap)))?;
        ensure!(there, "the client above VLAN 30 made no {}", ADDED.tap);
        network
            .hand_over_tap(NEW)
            .context("cannot hand the new TAP device over")?;

        for ip in [Ip::V4, Ip::V6] {
            let name = format!("VLAN {id}, ping over {}", ip.name());
            report.item(&name, checks::pings(network, NEW, ip, self.interrupt));
        }
        let stream = Stream::start(network, NEW, ADDED)?;
        let flows = self.flowing(&[&stream]);
        let lossless = stream.stop().and_then(|counts| {
            flows?;
            without_loss(&counts)
        });
        report.item(&format!("VLAN {id}, numbered datagrams"), lossless);
        for line in self.text(&["vlan", "list"])?.lines() {
            report.note(line);
        }

        let name = VLANS[REMOVED].tap;
        let gone = self.json(&["vlan", "remove", name]).and_then(|answer| {
            ensure!(
                answer["removed"] == name,
                "it removed {}",
                answer["removed"]
            );
            let left = self.json(&["vlan", "list"])?;
            let left = left.as_array().context("the list is none")?;
            let mut names = Vec::new();
            for vlan in left {
                names.push(text(vlan, "name")?);
            }
            ensure!(!names.contains(&name), "{name} is still there");
            Ok(format!("{name} is gone; there are {}", names.join(", ")))
        });
        let counts = removed.stop();
        report.item("muxctl vlan remove: VLAN 20", gone);
        let cut = counts.and_then(|[there, back]| {
            let there = there.none_lost_before_the_end().context("to the peer")?;
            let back = back.none_lost_before_the_end().context("to the client")?;
            Ok(format!(
                "{there} datagrams to the peer, {back} to the client, and no gap"
            ))
        });
        report.item("VLAN 20, until it was removed", cut);
        report.item("VLAN 20 is silent", self.silent(network));

        self.flowing(&[&kept])?;
        let lossless = kept.stop().and_then(|counts| {
            let facts = without_loss(&counts)?;
            self.dropped_nothing(VLANS[KEPT].tap, counts[0].sent)?;
            Ok(format!("{facts}; errors 0, discards 0 by its counters"))
        });
        report.item("VLAN 10 has lost nothing", lossless);
        Ok(())
    }

    /// Waits until datagrams have arrived both ways since now.
    fn flowing(&self, streams: &[&Stream]) -> Result<()> {
        const SOME: u64 = 100;
        let before: Vec<u64> = streams.iter().map(|stream| stream.arrived()).collect();
        let flows = self.interrupt.wait_until(Duration::from_secs(20), || {
            let mut pairs = streams.iter().zip(&before);
            Ok(pairs.all(|(stream, before)| stream.arrived() >= before + SOME))
        })?;
        ensure!(flows, "no datagrams arrive");
        Ok(())
    }

    /// Nobody of the removed VLAN answers.
    fn silent(&self, network: &Network) -> Result<String> {
        let address = ALL[REMOVED].v4(Station::Peer);
        let pings = traffic::ping(&network.clients[REMOVED], &address, self.interrupt)?;
        Ok(format!("answers to its client: {}", pings.none_answered()?))
    }

    /// The adapter's own counters say that it lost nothing.
    fn dropped_nothing(&self, name: &str, sent: u64) -> Result<()> {
        let all = self.json(&["statistics", name])?;
        let number = |way: &str, what: &str| {
            all[0][way][what]
                .as_u64()
                .with_context(|| format!("the statistics of {name} have no {way} {what}"))
        };
        for way in ["sent", "received"] {
            for what in ["errors", "discards"] {
                let count = number(way, what)?;
                ensure!(count == 0, "{name} counted {count} {way} {what}");
            }
        }
        let frames = number("sent", "directed_frames")?;
        ensure!(
            frames >= sent,
            "{name} counted {frames} frames, and {sent} datagrams were sent"
        );
        Ok(())
    }

    fn json(&self, arguments: &[&str]) -> Result<Value> {
        let text = self.text(&[arguments, &["--json"]].concat())?;
        serde_json::from_str(&text).context("muxctl's answer is no JSON")
    }

    fn text(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(self.program);
        command.arg("--ndishost").arg(self.socket).args(arguments);
        let finished = tool::run(&mut command, Duration::from_secs(90), self.interrupt)?;
        ensure!(
            finished.status.success(),
            "muxctl {}: {}{}",
            arguments.join(" "),
            tool::one_line(&finished.stdout),
            tool::one_line(&finished.stderr)
        );
        Ok(finished.stdout)
    }
}

fn without_loss([there, back]: &[super::stream::Count; 2]) -> Result<String> {
    there.none_lost().context("to the peer")?;
    back.none_lost().context("to the client")?;
    Ok(format!(
        "{there} datagrams to the peer, {back} to the client"
    ))
}

fn text<'a>(value: &'a Value, field: &str) -> Result<&'a str> {
    value[field]
        .as_str()
        .with_context(|| format!("muxctl's answer has no {field}"))
}

/// The VLAN that is removed.
pub(super) const REMOVED_ID: u16 = ALL[REMOVED].id;
/// How `labs/demo.toml` calls the NIC below the driver.
pub(super) const LAB_NIC: &str = "trunk";
