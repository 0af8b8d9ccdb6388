//! What commands show: the driver's list with the names that people use, as tables and as JSON.
//!
//! The names of the JSON's fields stay; new ones may come.

use std::fmt::Write as _;

use mux_core::MacAddress;
use mux_core::control::{self, Link, list::SPEED_UNKNOWN};
use mux_core::statistics::{Snapshot, Tally};
use serde::Serialize;

use crate::engine::is_called;

/// A NIC that the driver is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Nic {
    /// What people call it.
    pub name: String,
    /// Its device name.
    pub device: String,
    /// Where the binding is in its life.
    pub state: String,
    /// `up`, `down` or `unknown`.
    pub link: &'static str,
    /// Bits per second; null if not known.
    pub speed: Option<u64>,
    /// Bytes after the Ethernet header.
    pub mtu: u32,
    /// Its own MAC address.
    pub address: String,
    /// The VLAN adapters on it.
    pub vlans: Vec<Vlan>,
}

/// A VLAN adapter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Vlan {
    /// What people call it.
    pub name: String,
    /// Its device name.
    pub device: String,
    /// What the NIC below is called.
    pub nic: String,
    /// Its VLAN; 0 for untagged frames.
    pub vlan: u16,
    /// Where the virtual miniport is in its life.
    pub state: String,
    /// `up`, `down` or `unknown`.
    pub link: &'static str,
    /// Bits per second; null if not known.
    pub speed: Option<u64>,
    /// Bytes after the Ethernet header.
    pub mtu: u32,
    /// Its own MAC address.
    pub address: String,
}

impl Nic {
    pub(crate) fn new(binding: &control::Binding<'_>, name: String) -> Self {
        Self {
            name,
            device: binding.nic.to_string(),
            state: format!("{:?}", binding.state).to_lowercase(),
            link: link(binding.link),
            speed: speed(binding.speed),
            mtu: binding.mtu,
            address: address(binding.address),
            vlans: Vec::new(),
        }
    }

    /// Whether `name` means it: its name, its device name or the GUID in that.
    pub fn is_called(&self, name: &str) -> bool {
        is_called(&self.name, &self.device, name)
    }
}

impl Vlan {
    pub(crate) fn new(it: &control::VirtualMiniport<'_>, name: String, nic: &str) -> Self {
        Self {
            name,
            device: it.device.to_string(),
            nic: nic.to_owned(),
            vlan: it.vlan.get(),
            state: format!("{:?}", it.state).to_lowercase(),
            link: link(it.link),
            speed: speed(it.speed),
            mtu: it.mtu,
            address: address(it.address),
        }
    }

    /// Whether clients may send and receive.
    pub fn is_up(&self) -> bool {
        self.state == "running"
    }
}

/// What a VLAN adapter has counted: frames and bytes by kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Statistics {
    /// What people call it.
    pub name: String,
    /// Its device name.
    pub device: String,
    /// What it received.
    pub received: Direction,
    /// What it sent.
    pub sent: Direction,
}

/// The numbers of one direction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Direction {
    /// Frames to one station.
    pub directed_frames: u64,
    /// Their bytes.
    pub directed_bytes: u64,
    /// Frames to a group.
    pub multicast_frames: u64,
    /// Their bytes.
    pub multicast_bytes: u64,
    /// Frames to everybody.
    pub broadcast_frames: u64,
    /// Their bytes.
    pub broadcast_bytes: u64,
    /// Frames that were damaged, or failed to be sent.
    pub errors: u64,
    /// Good frames that were dropped.
    pub discards: u64,
}

impl Statistics {
    pub(crate) fn new(vlan: &Vlan, snapshot: &Snapshot) -> Self {
        let Snapshot {
            receive,
            receive_errors,
            receive_discards,
            send,
            send_errors,
            send_discards,
        } = snapshot;
        Self {
            name: vlan.name.clone(),
            device: vlan.device.clone(),
            received: Direction::new(receive, *receive_errors, *receive_discards),
            sent: Direction::new(send, *send_errors, *send_discards),
        }
    }
}

impl Direction {
    fn new(tally: &Tally, errors: u64, discards: u64) -> Self {
        Self {
            directed_frames: tally.directed.frames,
            directed_bytes: tally.directed.bytes,
            multicast_frames: tally.multicast.frames,
            multicast_bytes: tally.multicast.bytes,
            broadcast_frames: tally.broadcast.frames,
            broadcast_bytes: tally.broadcast.bytes,
            errors,
            discards,
        }
    }
}

/// The table of VLAN adapters.
pub fn vlans<'a>(vlans: impl IntoIterator<Item = &'a Vlan>) -> String {
    let head = [
        "NAME", "NIC", "VLAN", "STATE", "LINK", "SPEED", "MTU", "ADDRESS", "DEVICE",
    ];
    let rows = vlans.into_iter().map(|it| {
        [
            it.name.clone(),
            it.nic.clone(),
            it.vlan.to_string(),
            it.state.clone(),
            it.link.to_owned(),
            bits(it.speed),
            it.mtu.to_string(),
            it.address.clone(),
            it.device.clone(),
        ]
    });
    table(head, rows.collect())
}

/// The table of NICs, with the number of VLAN adapters on each.
pub fn nics(nics: &[Nic]) -> String {
    let head = [
        "NIC", "STATE", "LINK", "SPEED", "MTU", "ADDRESS", "VLANS", "DEVICE",
    ];
    let rows = nics.iter().map(|it| {
        [
            it.name.clone(),
            it.state.clone(),
            it.link.to_owned(),
            bits(it.speed),
            it.mtu.to_string(),
            it.address.clone(),
            it.vlans.len().to_string(),
            it.device.clone(),
        ]
    });
    table(head, rows.collect())
}

/// The table of statistics, two rows for each adapter.
pub fn statistics(all: &[Statistics]) -> String {
    let head = [
        "NAME",
        "WAY",
        "DIRECTED",
        "BYTES",
        "MULTICAST",
        "BYTES",
        "BROADCAST",
        "BYTES",
        "ERRORS",
        "DISCARDS",
    ];
    let row = |name: &str, way: &str, it: &Direction| {
        [
            name.to_owned(),
            way.to_owned(),
            it.directed_frames.to_string(),
            it.directed_bytes.to_string(),
            it.multicast_frames.to_string(),
            it.multicast_bytes.to_string(),
            it.broadcast_frames.to_string(),
            it.broadcast_bytes.to_string(),
            it.errors.to_string(),
            it.discards.to_string(),
        ]
    };
    let rows = all.iter().flat_map(|it| {
        [
            row(&it.name, "received", &it.received),
            row(&it.name, "sent", &it.sent),
        ]
    });
    table(head, rows.collect())
}

fn table<const N: usize>(head: [&str; N], rows: Vec<[String; N]>) -> String {
    let widths: [usize; N] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([head[column].len()]).max().unwrap_or(0)
    });
    let mut text = String::new();
    let rows = rows.iter().map(|row| row.each_ref().map(String::as_str));
    for row in std::iter::once(head).chain(rows) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            // Writing to a string cannot fail.
            let _ = write!(line, "{cell:<width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn link(link: Link) -> &'static str {
    match link {
        Link::Up => "up",
        Link::Down => "down",
        Link::Unknown => "unknown",
    }
}

fn speed(speed: u64) -> Option<u64> {
    Some(speed).filter(|speed| *speed != SPEED_UNKNOWN)
}

fn bits(speed: Option<u64>) -> String {
    match speed {
        None => "-".to_owned(),
        Some(speed) if speed >= 1_000_000_000 => format!("{} Gbit/s", speed as f64 / 1e9),
        Some(speed) => format!("{} Mbit/s", speed as f64 / 1e6),
    }
}

/// An adapter that is not up has none yet.
fn address(address: MacAddress) -> String {
    if address == MacAddress::ZERO {
        "-".to_owned()
    } else {
        address.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let text = table(
            ["A", "LONG"],
            vec![["x".into(), "y".into()], ["wide".into(), String::new()]],
        );
        assert_eq!(text, "A     LONG\nx     y\nwide\n");
    }

    #[test]
    fn speeds_are_shown_in_words_and_unknown_ones_as_nothing() {
        assert_eq!(bits(speed(10_000_000_000)), "10 Gbit/s");
        assert_eq!(bits(speed(2_500_000_000)), "2.5 Gbit/s");
        assert_eq!(bits(speed(100_000_000)), "100 Mbit/s");
        assert_eq!(bits(speed(SPEED_UNKNOWN)), "-");
        assert_eq!(address(MacAddress::ZERO), "-");
    }
}
