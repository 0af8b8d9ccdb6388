//! The answer to list: each binding, and after it the virtual miniports on it.
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 8 | how every answer begins; the length is of what is in the buffer |
//! | 8 | 4 | length of the whole answer in bytes: what the buffer must have for all entries |
//! | 12 | 4 | entries in all |
//! | 16 | 4 | entries in this answer, the first ones; fewer with [`status::BUFFER_OVERFLOW`](super::status) |
//! | 20 | 4 | zero |
//! | 24 | | the entries |
//!
//! An entry, of a binding and of a virtual miniport alike:
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 2 | kind: 1 binding, 2 virtual miniport of the binding before it |
//! | 2 | 2 | state (below) |
//! | 4 | 2 | VLAN; 0 of a binding |
//! | 6 | 2 | link: 0 unknown, 1 up, 2 down |
//! | 8 | 8 | link speed in bits per second; all ones if not known |
//! | 16 | 4 | MTU in bytes |
//! | 20 | 6 | own address |
//! | 26 | 2 | length of the device name in bytes |
//! | 28 | | the device name in UTF-16 |
//!
//! | state | of a binding | of a virtual miniport |
//! |---|---|---|
//! | 0 | Opening | Idle |
//! | 1 | Paused | Requested |
//! | 2 | Running | Initializing |
//! | 3 | Pausing | Paused |
//! | 4 | Closing | Running |
//! | 5 | Closed | Pausing |
//!
//! The states are those of [`crate::lifecycle`]. MTU, address, link and speed of a virtual miniport that
//! is not initialized are zero, or not known.

use super::answer::{body, header, wrong_length};
use super::bytes::Filler;
use super::name::Name;
use super::{AnswerError, BufferTooSmall, HEADER_LENGTH};
use crate::lifecycle::{binding, instance};
use crate::wire::mac::MacAddress;
use crate::wire::vlan::VlanId;

/// The speed of a link whose speed is not known (`NDIS_LINK_SPEED_UNKNOWN`).
pub const SPEED_UNKNOWN: u64 = u64::MAX;

/// Whether there is a carrier. The numbers are those of `NET_IF_MEDIA_CONNECT_STATE`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum Link {
    /// Not known.
    #[default]
    Unknown = 0,
    /// Connected.
    Up = 1,
    /// Disconnected.
    Down = 2,
}

/// A NIC that the driver is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding<'a> {
    /// The NIC's device name.
    pub nic: Name<'a>,
    /// Where the binding is in its life.
    pub state: binding::State,
    /// The NIC's link.
    pub link: Link,
    /// Bits per second, or [`SPEED_UNKNOWN`].
    pub speed: u64,
    /// Bytes after the Ethernet header.
    pub mtu: u32,
    /// The NIC's own address.
    pub address: MacAddress,
}

/// A virtual miniport of the binding before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VirtualMiniport<'a> {
    /// Its device name.
    pub device: Name<'a>,
    /// Where it is in its life.
    pub state: instance::State,
    /// Its VLAN.
    pub vlan: VlanId,
    /// Its link.
    pub link: Link,
    /// Bits per second, or [`SPEED_UNKNOWN`].
    pub speed: u64,
    /// Bytes after the Ethernet header.
    pub mtu: u32,
    /// Its own address.
    pub address: MacAddress,
}

/// One entry of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry<'a> {
    /// A NIC that the driver is bound to.
    Binding(Binding<'a>),
    /// A virtual miniport of the binding before it.
    VirtualMiniport(VirtualMiniport<'a>),
}

/// Writes a list into a caller's buffer, entry by entry. What does not fit any more is counted, so that
/// the answer says how long it had to be.
pub struct ListWriter<'a> {
    buffer: &'a mut [u8],
    /// Bytes of the buffer that are filled.
    filled: usize,
    needed: usize,
    entries: u32,
    written: u32,
}

/// What a [`ListWriter`] left in the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Written {
    /// All of it, in this many bytes: [`status::SUCCESS`](super::status::SUCCESS).
    All(usize),
    /// The first entries, in this many bytes: [`status::BUFFER_OVERFLOW`](super::status::BUFFER_OVERFLOW).
    CutShort(usize),
}

impl<'a> ListWriter<'a> {
    /// A list without entries.
    ///
    /// # Errors
    /// [`BufferTooSmall`] if not even that fits.
    pub fn new(buffer: &'a mut [u8]) -> Result<Self, BufferTooSmall> {
        if buffer.len() < FIXED {
            return Err(BufferTooSmall { needed: FIXED });
        }
        Ok(ListWriter {
            buffer,
            filled: FIXED,
            needed: FIXED,
            entries: 0,
            written: 0,
        })
    }

    /// Adds an entry. Once one did not fit, no later one is written, so that the list has no holes: what
    /// it needs only grows.
    pub fn push(&mut self, entry: &Entry<'_>) {
        let fields = EntryFields::of(entry);
        let length = ENTRY_FIXED.saturating_add(fields.name.byte_length());
        self.needed = self.needed.saturating_add(length);
        self.entries = self.entries.saturating_add(1);
        if let Some(room) = self.buffer.get_mut(self.filled..self.needed)
            && fields.fill(&mut Filler::new(room)).is_some()
        {
            self.filled = self.needed;
            self.written = self.written.saturating_add(1);
        }
    }

    /// Writes how the answer begins.
    pub fn finish(self) -> Written {
        let needed = u32::try_from(self.needed).unwrap_or(u32::MAX);
        let mut filler = Filler::new(self.buffer);
        // `new` saw to it that there is room.
        let _fits = filler
            .put(&header(self.filled))
            .and_then(|()| filler.put(&needed.to_le_bytes()))
            .and_then(|()| filler.put(&self.entries.to_le_bytes()))
            .and_then(|()| filler.put(&self.written.to_le_bytes()))
            .and_then(|()| filler.put(&[0; 4]));
        if self.filled == self.needed {
            Written::All(self.filled)
        } else {
            Written::CutShort(self.filled)
        }
    }
}

/// A list as it was read. Every entry was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct List<'a> {
    /// How many entries there are in all.
    pub entries_in_all: u32,
    /// How many bytes of output all of them need.
    pub needed: usize,
    entries: &'a [u8],
}

impl<'a> List<'a> {
    /// Reads it.
    ///
    /// # Errors
    /// [`AnswerError`].
    pub fn decode(output: &'a [u8]) -> Result<Self, AnswerError> {
        let (fixed, entries) = body(output)?
            .split_first_chunk::<{ FIXED - HEADER_LENGTH }>()
            .ok_or_else(|| wrong_length(output))?;
        #[rustfmt::skip]
        let [n0, n1, n2, n3, a0, a1, a2, a3, w0, w1, w2, w3, _, _, _, _] = *fixed;
        let list = List {
            entries_in_all: u32::from_le_bytes([a0, a1, a2, a3]),
            needed: usize::try_from(u32::from_le_bytes([n0, n1, n2, n3]))
                .map_err(|_| wrong_length(output))?,
            entries,
        };
        let mut written: u32 = 0;
        let mut rest = entries;
        while !rest.is_empty() {
            (_, rest) = EntryFields::read(rest)?;
            written = written.saturating_add(1);
        }
        let complete = written == list.entries_in_all && list.needed == output.len();
        let cut = written < list.entries_in_all && list.needed > output.len();
        if written != u32::from_le_bytes([w0, w1, w2, w3]) || !(complete || cut) {
            return Err(wrong_length(output));
        }
        Ok(list)
    }

    /// Whether entries are missing: ask again with [`needed`](Self::needed) bytes, or more.
    pub fn is_cut_short(&self) -> bool {
        self.needed > FIXED.saturating_add(self.entries.len())
    }

    /// The entries that are there: each binding, and after it the virtual miniports on it.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'a>> + use<'a> {
        let mut rest = self.entries;
        core::iter::from_fn(move || {
            let (entry, after) = EntryFields::read(rest).ok()?;
            rest = after;
            Some(entry)
        })
    }
}

/// The layout of an entry.
struct EntryFields<'a> {
    kind: u16,
    state: u16,
    vlan: VlanId,
    link: Link,
    speed: u64,
    mtu: u32,
    address: MacAddress,
    name: Name<'a>,
}

impl<'a> EntryFields<'a> {
    fn of(entry: &Entry<'a>) -> Self {
        match *entry {
            Entry::Binding(it) => EntryFields {
                kind: KIND_BINDING,
                state: binding_state_code(it.state),
                vlan: VlanId::NONE,
                link: it.link,
                speed: it.speed,
                mtu: it.mtu,
                address: it.address,
                name: it.nic,
            },
            Entry::VirtualMiniport(it) => EntryFields {
                kind: KIND_VIRTUAL_MINIPORT,
                state: instance_state_code(it.state),
                vlan: it.vlan,
                link: it.link,
                speed: it.speed,
                mtu: it.mtu,
                address: it.address,
                name: it.device,
            },
        }
    }

    fn fill(&self, filler: &mut Filler<'_>) -> Option<()> {
        filler.put(&self.kind.to_le_bytes())?;
        filler.put(&self.state.to_le_bytes())?;
        filler.put(&self.vlan.get().to_le_bytes())?;
        filler.put(&(self.link as u16).to_le_bytes())?;
        filler.put(&self.speed.to_le_bytes())?;
        filler.put(&self.mtu.to_le_bytes())?;
        filler.put(&self.address.octets())?;
        // A name has at most 520 bytes: nothing is cut.
        filler.put(&(self.name.byte_length() as u16).to_le_bytes())?;
        filler.put_units(self.name.units())
    }

    /// The entry at the start of `bytes`, and what follows it.
    fn read(bytes: &'a [u8]) -> Result<(Entry<'a>, &'a [u8]), AnswerError> {
        let short = || wrong_length(bytes);
        let (fixed, rest) = bytes.split_first_chunk::<ENTRY_FIXED>().ok_or_else(short)?;
        #[rustfmt::skip]
        let [k0, k1, s0, s1, v0, v1, l0, l1, p0, p1, p2, p3, p4, p5, p6, p7,
             m0, m1, m2, m3, a0, a1, a2, a3, a4, a5, n0, n1] = *fixed;
        let name_length = usize::from(u16::from_le_bytes([n0, n1]));
        let (name, rest) = rest.split_at_checked(name_length).ok_or_else(short)?;
        let name = Name::of_bytes(name).ok_or(AnswerError::WrongName)?;
        let state = u16::from_le_bytes([s0, s1]);
        let link = match u16::from_le_bytes([l0, l1]) {
            0 => Link::Unknown,
            1 => Link::Up,
            2 => Link::Down,
            _ => return Err(AnswerError::UnknownEntry),
        };
        let vlan =
            VlanId::new(u32::from(u16::from_le_bytes([v0, v1]))).map_err(AnswerError::VlanId)?;
        let speed = u64::from_le_bytes([p0, p1, p2, p3, p4, p5, p6, p7]);
        let mtu = u32::from_le_bytes([m0, m1, m2, m3]);
        let address = MacAddress([a0, a1, a2, a3, a4, a5]);
        let entry = match u16::from_le_bytes([k0, k1]) {
            KIND_BINDING if vlan.is_none() => Entry::Binding(Binding {
                nic: name,
                state: binding_state(state).ok_or(AnswerError::UnknownEntry)?,
                link,
                speed,
                mtu,
                address,
            }),
            KIND_VIRTUAL_MINIPORT => Entry::VirtualMiniport(VirtualMiniport {
                device: name,
                state: instance_state(state).ok_or(AnswerError::UnknownEntry)?,
                vlan,
                link,
                speed,
                mtu,
                address,
            }),
            _ => return Err(AnswerError::UnknownEntry),
        };
        Ok((entry, rest))
    }
}

const fn binding_state_code(state: binding::State) -> u16 {
    match state {
        binding::State::Opening => 0,
        binding::State::Paused => 1,
        binding::State::Running => 2,
        binding::State::Pausing => 3,
        binding::State::Closing => 4,
        binding::State::Closed => 5,
    }
}

fn binding_state(code: u16) -> Option<binding::State> {
    use binding::State;
    [
        State::Opening,
        State::Paused,
        State::Running,
        State::Pausing,
        State::Closing,
        State::Closed,
    ]
    .into_iter()
    .find(|state| binding_state_code(*state) == code)
}

const fn instance_state_code(state: instance::State) -> u16 {
    match state {
        instance::State::Idle => 0,
        instance::State::Requested => 1,
        instance::State::Initializing => 2,
        instance::State::Paused => 3,
        instance::State::Running => 4,
        instance::State::Pausing => 5,
    }
}

fn instance_state(code: u16) -> Option<instance::State> {
    use instance::State;
    [
        State::Idle,
        State::Requested,
        State::Initializing,
        State::Paused,
        State::Running,
        State::Pausing,
    ]
    .into_iter()
    .find(|state| instance_state_code(*state) == code)
}

/// The bytes before the entries.
pub(super) const FIXED: usize = 24;
/// The bytes of an entry before its name.
const ENTRY_FIXED: usize = 28;
const KIND_BINDING: u16 = 1;
const KIND_VIRTUAL_MINIPORT: u16 = 2;
