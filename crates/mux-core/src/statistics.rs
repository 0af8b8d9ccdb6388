//! What a virtual miniport counts, in the kinds that `OID_GEN_STATISTICS` reports.
//!
//! Frames are counted per chain: a [`Tally`] on the stack collects what one chain holds, and is added
//! to the shared counters once. The counters are independent of each other: a snapshot taken while
//! traffic flows may have a frame whose bytes are not in it yet.
//!
//! Bytes are counted from the destination address to the end of the payload, without a tag and
//! without the frame check sequence: what the virtual miniport's clients see.
//!
//! Source: the page of `OID_GEN_STATISTICS`, and "NDIS General Statistics OIDs", which asks for each
//! VLAN's own numbers.

use core::sync::atomic::{AtomicU64, Ordering};

use crate::wire::mac::MacAddress;

/// The kinds of destination that are counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// To one station.
    Directed,
    /// To a group.
    Multicast,
    /// To everybody.
    Broadcast,
}

impl Kind {
    /// The kind of a frame to `destination`.
    pub fn of(destination: MacAddress) -> Kind {
        if destination.is_broadcast() {
            Kind::Broadcast
        } else if destination.is_multicast() {
            Kind::Multicast
        } else {
            Kind::Directed
        }
    }
}

/// Frames and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How many frames.
    pub frames: u64,
    /// How many bytes they have together.
    pub bytes: u64,
}

/// What one chain holds, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Frames to one station.
    pub directed: Count,
    /// Frames to a group.
    pub multicast: Count,
    /// Frames to everybody.
    pub broadcast: Count,
}

impl Tally {
    /// Nothing yet.
    pub const fn new() -> Self {
        const NOTHING: Count = Count {
            frames: 0,
            bytes: 0,
        };
        Tally {
            directed: NOTHING,
            multicast: NOTHING,
            broadcast: NOTHING,
        }
    }

    /// Adds a frame of `bytes` bytes.
    pub fn frame(&mut self, destination: MacAddress, bytes: u32) {
        self.count(Kind::of(destination), bytes);
    }

    /// Adds a frame of this kind.
    pub fn count(&mut self, kind: Kind, bytes: u32) {
        let count = match kind {
            Kind::Directed => &mut self.directed,
            Kind::Multicast => &mut self.multicast,
            Kind::Broadcast => &mut self.broadcast,
        };
        count.frames = count.frames.wrapping_add(1);
        count.bytes = count.bytes.wrapping_add(u64::from(bytes));
    }

    /// Frames of all kinds.
    pub const fn frames(&self) -> u64 {
        self.directed
            .frames
            .wrapping_add(self.multicast.frames)
            .wrapping_add(self.broadcast.frames)
    }

    /// Bytes of all kinds.
    pub const fn bytes(&self) -> u64 {
        self.directed
            .bytes
            .wrapping_add(self.multicast.bytes)
            .wrapping_add(self.broadcast.bytes)
    }
}

/// A virtual miniport's counters. All methods take `&self` and no lock; the counters wrap at 2^64.
#[derive(Debug, Default)]
pub struct Statistics {
    receive: Direction,
    send: Direction,
}

impl Statistics {
    /// All zero.
    pub const fn new() -> Self {
        Statistics {
            receive: Direction::new(),
            send: Direction::new(),
        }
    }

    /// A chain was indicated.
    pub fn add_receive(&self, tally: &Tally) {
        self.receive.add(tally);
    }

    /// A chain was sent.
    pub fn add_send(&self, tally: &Tally) {
        self.send.add(tally);
    }

    /// Frames that came damaged and were not indicated (`ifInErrors`).
    pub fn add_receive_errors(&self, frames: u64) {
        add(&self.receive.errors, frames);
    }

    /// Frames that were good, wanted, and not indicated: no memory, say (`ifInDiscards`).
    pub fn add_receive_discards(&self, frames: u64) {
        add(&self.receive.discards, frames);
    }

    /// Frames that the adapter below failed to send (`ifOutErrors`).
    pub fn add_send_errors(&self, frames: u64) {
        add(&self.send.errors, frames);
    }

    /// Frames that were not sent though nothing was wrong with them: paused, say (`ifOutDiscards`).
    pub fn add_send_discards(&self, frames: u64) {
        add(&self.send.discards, frames);
    }

    /// The numbers now.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            receive: self.receive.tally(),
            receive_errors: self.receive.errors.load(Ordering::Relaxed),
            receive_discards: self.receive.discards.load(Ordering::Relaxed),
            send: self.send.tally(),
            send_errors: self.send.errors.load(Ordering::Relaxed),
            send_discards: self.send.discards.load(Ordering::Relaxed),
        }
    }
}

/// A virtual miniport's numbers at one moment: the members of `NDIS_STATISTICS_INFO`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// `ifHCIn*`.
    pub receive: Tally,
    /// `ifInErrors`.
    pub receive_errors: u64,
    /// `ifInDiscards`.
    pub receive_discards: u64,
    /// `ifHCOut*`.
    pub send: Tally,
    /// `ifOutErrors`.
    pub send_errors: u64,
    /// `ifOutDiscards`.
    pub send_discards: u64,
}

/// The counters of one direction.
#[derive(Debug, Default)]
struct Direction {
    directed: Counter,
    multicast: Counter,
    broadcast: Counter,
    errors: AtomicU64,
    discards: AtomicU64,
}

impl Direction {
    const fn new() -> Self {
        Direction {
            directed: Counter::new(),
            multicast: Counter::new(),
            broadcast: Counter::new(),
            errors: AtomicU64::new(0),
            discards: AtomicU64::new(0),
        }
    }

    fn add(&self, tally: &Tally) {
        self.directed.add(tally.directed);
        self.multicast.add(tally.multicast);
        self.broadcast.add(tally.broadcast);
    }

    fn tally(&self) -> Tally {
        Tally {
            directed: self.directed.count(),
            multicast: self.multicast.count(),
            broadcast: self.broadcast.count(),
        }
    }
}

#[derive(Debug, Default)]
struct Counter {
    frames: AtomicU64,
    bytes: AtomicU64,
}

impl Counter {
    const fn new() -> Self {
        Counter {
            frames: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    fn add(&self, count: Count) {
        add(&self.frames, count.frames);
        add(&self.bytes, count.bytes);
    }

    fn count(&self) -> Count {
        Count {
            frames: self.frames.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }
}

/// A kind that a chain does not have costs no interlocked operation.
fn add(counter: &AtomicU64, amount: u64) {
    if amount != 0 {
        counter.fetch_add(amount, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
