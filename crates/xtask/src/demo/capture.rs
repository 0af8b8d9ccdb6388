//! What crossed the wire: captured by `tcpdump`, read frame by frame.
//!
//! A capture is a process that runs until [`Capture::stop`]; what it wrote is then counted by tag, or
//! searched for questions about an address (ARP requests, neighbour solicitations).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use etherparse::{EtherType, Icmpv6Slice, LaxSlicedPacket, NetSlice, SlicedPacket, TransportSlice};
use pcap_file::pcap::PcapReader;
use rustix::process::Signal;

use super::network::Namespace;
use super::tool::{Background, Interrupt};

/// Which frames a capture takes, seen from the interface.
#[derive(Clone, Copy)]
pub(super) enum Direction {
    In,
    Out,
    Both,
}

/// A capture that runs.
pub(super) struct Capture {
    process: Background,
    file: PathBuf,
}

/// Frames by tag, and how many the capture missed.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Tally {
    /// By VLAN identifier; `None` is without tag.
    pub(super) frames: BTreeMap<Option<u16>, u64>,
    /// Frames that went by while the capture was busy.
    pub(super) missed: u64,
}

/// A capture that has ended.
pub(super) struct Captured {
    file: PathBuf,
    missed: u64,
}

impl Capture {
    /// Starts to capture on `interface`; returns once it runs.
    pub(super) fn start(
        namespace: &Namespace,
        interface: &str,
        direction: Direction,
        filter: &str,
        file: &Path,
        log: &Path,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        let mut command = namespace.command("tcpdump");
        command.args([
            "-i", interface, "-n", "-U", "-s", SNAPLEN, "-B", BUFFER_KIB, "-Z", "root",
        ]);
        match direction {
            Direction::In => command.args(["-Q", "in"]),
            Direction::Out => command.args(["-Q", "out"]),
            Direction::Both => &mut command,
        };
        command.arg("-w").arg(file).arg(filter).env("LC_ALL", "C");
        let mut process = Background::start(&mut command, None, log)?;
        let runs = interrupt.wait_until(Duration::from_secs(10), || {
            process.must_run()?;
            Ok(process.said().contains("listening on"))
        })?;
        ensure!(runs, "tcpdump does not listen on {interface}");
        Ok(Self {
            process,
            file: file.to_owned(),
        })
    }

    /// Ends the capture.
    pub(super) fn stop(mut self) -> Result<Captured> {
        self.process.stop(Signal::INT, Duration::from_secs(20))?;
        let said = self.process.said();
        let missed = said
            .lines()
            .find_map(|line| line.strip_suffix(" packets dropped by kernel"))
            .and_then(|number| number.trim().parse().ok())
            .with_context(|| format!("tcpdump says not how many frames it missed: {said}"))?;
        Ok(Captured {
            file: self.file,
            missed,
        })
    }
}

impl Captured {
    /// Counts the frames by tag.
    pub(super) fn tally(&self) -> Result<Tally> {
        let mut tally = Tally {
            missed: self.missed,
            ..Tally::default()
        };
        self.each(|frame| *tally.frames.entry(vlan(frame)).or_default() += 1)?;
        Ok(tally)
    }

    /// How often somebody asked who has `v4` or `v6`.
    pub(super) fn questions_about(&self, v4: Ipv4Addr, v6: Ipv6Addr) -> Result<u64> {
        let mut asked = 0;
        self.each(|frame| asked += u64::from(asks_about(frame, v4, v6)))?;
        Ok(asked)
    }

    fn each(&self, mut take: impl FnMut(&[u8])) -> Result<()> {
        let explain = || format!("cannot read the capture {}", self.file.display());
        let file = File::open(&self.file).with_context(explain)?;
        let mut reader = PcapReader::new(BufReader::new(file)).with_context(explain)?;
        // Raw: the checked reader takes a frame that was cut on purpose for a broken one.
        while let Some(packet) = reader.next_raw_packet() {
            take(&packet.with_context(explain)?.data);
        }
        Ok(())
    }
}

impl Tally {
    pub(super) fn of(&self, vlan: Option<u16>) -> u64 {
        self.frames.get(&vlan).copied().unwrap_or(0)
    }
}

/// The VLAN of a frame, by its outermost tag.
fn vlan(frame: &[u8]) -> Option<u16> {
    let packet = LaxSlicedPacket::from_ethernet(frame).ok()?;
    packet
        .link_exts
        .iter()
        .find_map(|extension| match extension {
            etherparse::LaxLinkExtSlice::Vlan(tag) => Some(tag.vlan_identifier().value()),
            _ => None,
        })
}

fn asks_about(frame: &[u8], v4: Ipv4Addr, v6: Ipv6Addr) -> bool {
    const REQUEST: etherparse::ArpOperation = etherparse::ArpOperation::REQUEST;
    let Ok(packet) = SlicedPacket::from_ethernet(frame) else {
        return false;
    };
    match (&packet.net, &packet.transport) {
        (Some(NetSlice::Arp(arp)), _) => {
            arp.proto_addr_type() == EtherType::IPV4
                && arp.operation() == REQUEST
                && arp.target_protocol_addr() == v4.octets()
        }
        (_, Some(TransportSlice::Icmpv6(message))) => solicited(message) == Some(v6.octets()),
        _ => false,
    }
}

/// The target of a neighbour solicitation.
fn solicited(message: &Icmpv6Slice<'_>) -> Option<[u8; 16]> {
    const NEIGHBOUR_SOLICITATION: u8 = 135;
    if message.type_u8() != NEIGHBOUR_SOLICITATION {
        return None;
    }
    message.payload().first_chunk().copied()
}

/// Bytes kept of each frame: headers, with a tag, up to a neighbour solicitation's target.
const SNAPLEN: &str = "96";
/// What the kernel holds for tcpdump while iperf3 runs.
const BUFFER_KIB: &str = "32768";

#[cfg(test)]
mod tests {
    use super::*;

    fn tagged(vid: u16) -> Vec<u8> {
        let mut frame = vec![0; 12];
        frame.extend([0x81, 0x00]);
        frame.extend(vid.to_be_bytes());
        frame.extend([0x08, 0x00]);
        frame.extend([0; 46]);
        frame
    }

    fn arp_request(target: [u8; 4]) -> Vec<u8> {
        let mut frame = vec![0xff; 6];
        frame.extend([2, 0, 0, 0, 0, 1, 0x08, 0x06]);
        frame.extend([0, 1, 8, 0, 6, 4, 0, 1]);
        frame.extend([2, 0, 0, 0, 0, 1, 10, 10, 10, 1]);
        frame.extend([0; 6]);
        frame.extend(target);
        frame
    }

    #[test]
    fn frames_are_told_apart_by_tag() {
        assert_eq!(vlan(&tagged(10)), Some(10));
        assert_eq!(
            vlan(&tagged(0x2014)),
            Some(20),
            "the priority is not part of it"
        );
        assert_eq!(vlan(&tagged(0)), Some(0), "a priority tag is a tag");
        assert_eq!(vlan(&arp_request([10, 10, 10, 3])), None);
        assert_eq!(vlan(&[0; 5]), None);
    }

    #[test]
    fn an_arp_request_asks_about_its_target_only() {
        let (v4, v6) = (Ipv4Addr::new(10, 10, 10, 3), Ipv6Addr::LOCALHOST);
        assert!(asks_about(&arp_request([10, 10, 10, 3]), v4, v6));
        assert!(!asks_about(&arp_request([10, 10, 10, 4]), v4, v6));
        let mut reply = arp_request([10, 10, 10, 3]);
        reply[21] = 2;
        assert!(!asks_about(&reply, v4, v6));
    }
}
