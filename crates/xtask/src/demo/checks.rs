//! The demo's checks of traffic: each one measures something and says whether it is as it should be.

use std::path::Path;
use std::thread;

use anyhow::{Context as _, Result, ensure};

use super::capture::{Capture, Captured, Direction, Tally};
use super::lifecycle::Events;
use super::network::{ALL, Namespace, Network, PEER_INTERFACE, Station, TRUNK, VLANS, Vlan};
use super::report::Report;
use super::tool::Interrupt;
use super::traffic;

/// A version of the Internet protocol.
#[derive(Clone, Copy)]
pub(super) enum Ip {
    V4,
    V6,
}

/// What crossed the cable between the driver's NIC and the switch.
pub(super) struct Tallies {
    pub(super) from_driver: Tally,
    pub(super) to_driver: Tally,
}

/// The captures on that cable, both directions apart.
pub(super) struct WireCaptures {
    from_driver: Capture,
    to_driver: Capture,
}

impl Ip {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        }
    }

    fn of(self, vlan: Vlan, station: Station) -> String {
        match self {
            Self::V4 => vlan.v4(station),
            Self::V6 => vlan.v6(station),
        }
    }
}

impl WireCaptures {
    /// Starts both, at the switch's end of the cable.
    pub(super) fn start(network: &Network, folder: &Path, interrupt: &Interrupt) -> Result<Self> {
        let start = |direction, file: &str| {
            let log = network.folder().join(format!("{file}.log"));
            Capture::start(
                &network.switch,
                TRUNK,
                direction,
                "",
                &folder.join(file),
                &log,
                interrupt,
            )
        };
        Ok(Self {
            from_driver: start(Direction::In, "trunk-from-driver.pcap")?,
            to_driver: start(Direction::Out, "trunk-to-driver.pcap")?,
        })
    }

    /// Ends both and counts.
    pub(super) fn stop(self) -> Result<Tallies> {
        Ok(Tallies {
            from_driver: self.from_driver.stop()?.tally()?,
            to_driver: self.to_driver.stop()?.tally()?,
        })
    }
}

/// Pings between the client and the peer of the VLAN at `index`, each way.
pub(super) fn pings(
    network: &Network,
    index: usize,
    ip: Ip,
    interrupt: &Interrupt,
) -> Result<String> {
    let vlan = ALL[index];
    let (client, peer) = (&network.clients[index], &network.peers[index]);
    let there = traffic::ping(client, &ip.of(vlan, Station::Peer), interrupt)?;
    let there = there.all_answered().context("to the peer")?;
    let back = traffic::ping(peer, &ip.of(vlan, Station::Client), interrupt)?;
    let back = back.all_answered().context("to the client")?;
    Ok(format!("to the peer {there}; to the client {back}"))
}

/// A TCP stream between the client and the peer of the VLAN at `index`, each way.
pub(super) fn streams(
    network: &Network,
    index: usize,
    seconds: u32,
    interrupt: &Interrupt,
) -> Result<String> {
    let (client, peer) = (&network.clients[index], &network.peers[index]);
    let address = VLANS[index].v4(Station::Peer);
    let log = network.folder().join("iperf3.log");
    let stream = |reverse| traffic::tcp(client, peer, &address, reverse, seconds, &log, interrupt);
    let there = stream(false).context("to the peer")?;
    let back = stream(true).context("to the client")?;
    Ok(format!(
        "to the peer {there:.0} Mbit/s, to the client {back:.0} Mbit/s"
    ))
}

/// Puts addresses of each VLAN into the other one, and shows that nobody reaches them there.
pub(super) fn isolation(
    report: &mut Report,
    network: &Network,
    folder: &Path,
    interrupt: &Interrupt,
) -> Result<()> {
    network.add_strays().context("cannot add addresses")?;
    let edges = Edges::start(network, folder, interrupt)?;
    for (index, vlan) in VLANS.into_iter().enumerate() {
        let other = VLANS[1 - index];
        let name = format!("VLAN {} cannot reach VLAN {}", vlan.id, other.id);
        report.item(&name, no_answer(network, index, interrupt));
    }
    let questions = edges.stop()?;
    for (index, vlan) in VLANS.into_iter().enumerate() {
        report.item(
            &format!("broadcasts of VLAN {} stay in it", vlan.id),
            questions.stay_in(index),
        );
    }
    Ok(())
}

/// Nobody answers to an address of the VLAN at `index` that stands in the other VLAN.
fn no_answer(network: &Network, index: usize, interrupt: &Interrupt) -> Result<String> {
    let vlan = VLANS[index];
    let (client, peer) = (&network.clients[index], &network.peers[index]);
    let tries: [(&Namespace, Ip, Station, &str); 4] = [
        (client, Ip::V4, Station::StrayPeer, "client over IPv4"),
        (client, Ip::V6, Station::StrayPeer, "client over IPv6"),
        (peer, Ip::V4, Station::StrayClient, "peer over IPv4"),
        (peer, Ip::V6, Station::StrayClient, "peer over IPv6"),
    ];
    // All at once: what is waited for is that nothing comes.
    let outcomes = thread::scope(|scope| {
        tries
            .map(|(from, ip, to, who)| {
                scope.spawn(move || {
                    let pings = traffic::ping(from, &ip.of(vlan, to), interrupt)?;
                    let none = pings
                        .none_answered()
                        .with_context(|| format!("from the {who}"))?;
                    Ok::<_, anyhow::Error>(format!("{who} {none}"))
                })
            })
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|_| Err(anyhow::anyhow!("a ping's thread panicked")))
            })
    });
    let facts: Vec<String> = outcomes.into_iter().collect::<Result<_>>()?;
    Ok(format!("answers: {}", facts.join(", ")))
}

/// Captures at the four ends of the two VLANs.
struct Edges {
    clients: [Capture; 2],
    peers: [Capture; 2],
}

/// Where the questions of each VLAN for its stray addresses were heard.
struct Questions([Heard; 2]);

/// Where the questions of one VLAN were heard, in frames.
#[derive(Clone, Copy)]
struct Heard {
    /// By its peer, those of its client.
    by_peer: u64,
    /// By its client, those of its peer.
    by_client: u64,
    /// By anyone in the other VLAN.
    elsewhere: u64,
}

impl Edges {
    fn start(network: &Network, folder: &Path, interrupt: &Interrupt) -> Result<Self> {
        let start = |namespace: &Namespace, interface: &str, file: String| {
            let (log, file) = (
                network.folder().join(format!("{file}.log")),
                folder.join(file),
            );
            let questions = "arp or icmp6";
            Capture::start(
                namespace,
                interface,
                Direction::Both,
                questions,
                &file,
                &log,
                interrupt,
            )
        };
        let client = |index: usize| {
            let vlan = VLANS[index];
            start(
                &network.clients[index],
                vlan.tap,
                format!("client{}.pcap", vlan.id),
            )
        };
        let peer = |index: usize| {
            start(
                &network.peers[index],
                PEER_INTERFACE,
                format!("peer{}.pcap", VLANS[index].id),
            )
        };
        Ok(Self {
            clients: [client(0)?, client(1)?],
            peers: [peer(0)?, peer(1)?],
        })
    }

    fn stop(self) -> Result<Questions> {
        let stop = |captures: [Capture; 2]| -> Result<[Captured; 2]> {
            let [ten, twenty] = captures;
            Ok([ten.stop()?, twenty.stop()?])
        };
        let (clients, peers) = (stop(self.clients)?, stop(self.peers)?);
        let asked = |end: &Captured, vlan: Vlan, station: Station| -> Result<u64> {
            end.questions_about(vlan.v4(station).parse()?, vlan.v6(station).parse()?)
        };
        let heard = |index: usize| -> Result<Heard> {
            let vlan = VLANS[index];
            let mut elsewhere = 0;
            for end in [&clients[1 - index], &peers[1 - index]] {
                for station in [Station::StrayPeer, Station::StrayClient] {
                    elsewhere += asked(end, vlan, station)?;
                }
            }
            Ok(Heard {
                by_peer: asked(&peers[index], vlan, Station::StrayPeer)?,
                by_client: asked(&clients[index], vlan, Station::StrayClient)?,
                elsewhere,
            })
        };
        Ok(Questions([heard(0)?, heard(1)?]))
    }
}

impl Questions {
    /// The questions of the VLAN at `index` were heard at its own other end and nowhere else.
    fn stay_in(&self, index: usize) -> Result<String> {
        let Heard {
            by_peer,
            by_client,
            elsewhere,
        } = self.0[index];
        ensure!(by_peer > 0, "its peer did not hear its client's broadcasts");
        ensure!(
            by_client > 0,
            "its client did not hear its peer's broadcasts"
        );
        ensure!(
            elsewhere == 0,
            "{elsewhere} of them were heard in the other VLAN"
        );
        Ok(format!(
            "{by_peer} heard by its peer, {by_client} by its client, none in the other VLAN"
        ))
    }
}

/// Frames of all VLANs and nothing else.
pub(super) fn tags(tally: &Tally) -> Result<String> {
    let mut facts = Vec::new();
    for vlan in ALL {
        let frames = tally.of(Some(vlan.id));
        ensure!(frames > 0, "no frame of VLAN {}", vlan.id);
        facts.push(format!("VLAN {} {frames} frames", vlan.id));
    }
    for (vlan, frames) in &tally.frames {
        match vlan {
            None => anyhow::bail!("{frames} frames without tag"),
            Some(id) => ensure!(
                ALL.iter().any(|vlan| vlan.id == *id),
                "{frames} frames of VLAN {id}"
            ),
        }
    }
    facts.push("untagged 0".to_owned());
    if tally.missed > 0 {
        facts.push(format!("{} went by uncaptured", tally.missed));
    }
    Ok(facts.join(", "))
}

/// The counters of a virtual miniport agree with what was captured on the wire, and its client's with
/// them. One that was removed has none any more: then only its client's are held against the wire.
pub(super) fn counters(
    events: &Events,
    vlan: Vlan,
    tallies: &Tallies,
    removed: bool,
) -> Result<String> {
    let (counters, note) = if removed {
        (
            events.counters_of_client(vlan.tap)?,
            "counted by the client above; removed",
        )
    } else {
        (events.counters(vlan.tap)?, "the client above agrees")
    };
    ensure!(counters.errors == 0, "{} errors", counters.errors);
    let on_wire = tallies.from_driver.of(Some(vlan.id));
    // Frames before and after the capture are counted as well, lost ones are not captured.
    ensure!(
        counters.sent >= on_wire,
        "it counted {} frames sent, but {on_wire} with its tag were on the wire",
        counters.sent
    );
    ensure!(counters.received > 0, "it counted no frame received");
    Ok(format!("{counters}; {note}"))
}
