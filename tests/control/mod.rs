//! The device that programs control the driver by.
//!
//! Requests and answers are put together here by the table in the documentation of
//! `mux_core::control`, not by its code.

mod access;
mod answers;
mod change;
mod refusal;

use ndis_host::{
    lab::{DeviceFile, Token},
    ndis::config::binding_key,
    nt::registry::{self, Value},
};
use ndismux_tests::{MuxLab, SERVICE, device};

const DEVICE: &str = r"\\.\ndismux";

const LIST: u32 = 0x12_6004;
pub(crate) const ADD: u32 = 0x12_A008;
const REMOVE: u32 = 0x12_A00C;
const SET: u32 = 0x12_A010;
const STATISTICS: u32 = 0x12_6014;

fn open(lab: &MuxLab) -> DeviceFile {
    lab.open_device(DEVICE, &Token::administrator())
        .expect("it is there")
}

/// A request.
#[derive(Clone, Debug)]
struct Ask {
    flags: u16,
    vlan: u16,
    address: [u8; 6],
    nic: String,
    device: String,
}

impl Ask {
    fn new() -> Self {
        Self {
            flags: 0,
            vlan: 0,
            address: [0; 6],
            nic: String::new(),
            device: String::new(),
        }
    }

    fn nic(self, label: &str) -> Self {
        let nic = format!(r"\Device\{label}");
        Self { nic, ..self }
    }

    fn device(self, label: &str) -> Self {
        let device = device(label);
        Self { device, ..self }
    }

    fn vlan(self, vlan: u16) -> Self {
        let flags = self.flags | 1;
        Self {
            flags,
            vlan,
            ..self
        }
    }

    fn address(self, address: [u8; 6]) -> Self {
        let flags = self.flags | 2;
        Self {
            flags,
            address,
            ..self
        }
    }

    fn derived_address(self) -> Self {
        let flags = self.flags | 4;
        Self { flags, ..self }
    }

    fn bytes(&self) -> Vec<u8> {
        let units = |text: &str| {
            text.encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect::<Vec<_>>()
        };
        let (nic, device) = (units(&self.nic), units(&self.device));
        let length = 24 + nic.len() + device.len();
        let mut bytes = Vec::new();
        bytes.extend(1_u16.to_le_bytes());
        bytes.extend(self.flags.to_le_bytes());
        bytes.extend((length as u32).to_le_bytes());
        bytes.extend(self.vlan.to_le_bytes());
        bytes.extend((nic.len() as u16).to_le_bytes());
        bytes.extend((device.len() as u16).to_le_bytes());
        bytes.extend([0; 2]);
        bytes.extend(self.address);
        bytes.extend([0; 2]);
        bytes.extend(nic);
        bytes.extend(device);
        bytes
    }
}

/// What asks to add a virtual miniport.
pub(crate) fn add(nic: &str, name: &str, vlan: u16) -> Vec<u8> {
    Ask::new().nic(nic).device(name).vlan(vlan).bytes()
}

/// An entry of a list.
#[derive(Debug)]
struct Entry {
    kind: u16,
    state: u16,
    vlan: u16,
    link: u16,
    mtu: u32,
    address: [u8; 6],
    name: String,
}

/// All entries of the list, which has its own length right.
fn list(file: &DeviceFile) -> Vec<Entry> {
    let answer = file
        .ioctl(LIST, &Ask::new().bytes(), 1 << 16)
        .expect("a list");
    assert_eq!((half(&answer, 0), half(&answer, 2)), (1, 0));
    assert_eq!(word(&answer, 4) as usize, answer.len());
    assert_eq!(word(&answer, 8) as usize, answer.len());
    let mut entries = Vec::new();
    let mut rest = &answer[24..];
    while !rest.is_empty() {
        let (entry, after) = rest.split_at(28 + usize::from(half(rest, 26)));
        let units: Vec<u16> = entry[28..]
            .chunks(2)
            .map(|it| u16::from_le_bytes([it[0], it[1]]))
            .collect();
        entries.push(Entry {
            kind: half(entry, 0),
            state: half(entry, 2),
            vlan: half(entry, 4),
            link: half(entry, 6),
            mtu: word(entry, 16),
            address: entry[20..26].try_into().expect("six bytes"),
            name: String::from_utf16(&units).expect("a name"),
        });
        rest = after;
    }
    assert_eq!(word(&answer, 12) as usize, entries.len());
    assert_eq!(word(&answer, 16) as usize, entries.len());
    entries
}

fn half(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes[at..at + 2].try_into().expect("two bytes"))
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

/// The names that the registry has for a NIC.
fn names(nic: &str) -> Vec<String> {
    let key = binding_key(SERVICE, &format!(r"\Device\{nic}"));
    match registry::get(&key, "UpperBindings") {
        Some(Value::MultiSz(names)) => names,
        other => panic!("{other:?}"),
    }
}
