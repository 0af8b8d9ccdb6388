//! Where frames enter and leave the host: one [`Wire`] per edge.
//!
//! A lower NIC sends on its wire what the driver sends on the NIC, and indicates what the wire
//! receives. An upper client does the same at the other end of the stack. A wire carries whole
//! Ethernet frames, from the destination address to the last byte before the frame check sequence,
//! with any 802.1Q tag in its place.
//!
//! | wire | other end | made by |
//! |---|---|---|
//! | [`MemoryWire`] | another memory wire of this process | [`MemoryWire::pair`] |
//! | [`TapWire`] | the Linux network stack, through a TAP device | [`TapWire::create`] |
//! | [`PacketWire`] | whatever the network interface is plugged into | [`PacketWire::open`] |
//! | [`CaptureWire`] | the wire it wraps; records what passes in a [`Capture`], a pcapng file | [`CaptureWire::wrap`] |
//!
//! Not in here: threads (the owner of a wire polls it), NDIS, and any knowledge of which edge it is.

use std::io;
use std::time::Duration;

mod capture;
mod edges;
mod memory;
mod packet;
mod poll;
mod tap;
#[cfg(test)]
mod tests;

pub use capture::CaptureWire;
pub use edges::{Capture, Direction};
pub(crate) use edges::{at_adapter, at_binding, completed};
pub use memory::MemoryWire;
pub use packet::PacketWire;
pub use tap::{TapOptions, TapWire};

/// The longest frame a wire hands over, in bytes: a jumbo frame with two tags, and room.
pub const MAX_FRAME: usize = 16 * 1024;

/// Refuses a wire to the world in a seeded run, which the world would make another one each time.
///
/// # Errors
/// A seeded run goes on.
fn require_free_run() -> io::Result<()> {
    if crate::nt::sched::is_seeded() {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "a seeded run has wires inside the process only",
        ));
    }
    Ok(())
}

/// A place where whole Ethernet frames are sent and received.
///
/// All methods may be called from any thread at any time; one thread at a time receives.
pub trait Wire: Send + Sync {
    /// Sends one frame, from the destination address on, without frame check sequence.
    ///
    /// Blocks only as long as the transport has no room. A frame that is lost on the way (a full
    /// queue, an interface that is down) is lost silently, as on a cable that is cut.
    ///
    /// # Errors
    /// The transport refuses the frame (longer than the interface's MTU allows, for one) or is gone.
    fn send(&self, frame: &[u8]) -> io::Result<()>;

    /// Receives one frame into `buf` and returns its length, or `None` when `timeout` passes first
    /// ([`Duration::ZERO`] only looks).
    ///
    /// A frame longer than `buf` is dropped and counted in [`Wire::dropped`], never cut.
    ///
    /// # Errors
    /// The transport is gone. [`io::ErrorKind::BrokenPipe`] says that it is gone for good.
    fn recv(&self, buf: &mut [u8], timeout: Duration) -> io::Result<Option<usize>>;

    /// Asks for every frame that passes, or only for those the transport would deliver anyway (its
    /// own unicast address, multicast and broadcast). A transport with one other end has no choice
    /// to make and returns `Ok`.
    ///
    /// # Errors
    /// The transport refused.
    fn set_promiscuous(&self, on: bool) -> io::Result<()>;

    /// The hardware address of the transport, where it has one.
    fn mac(&self) -> Option<[u8; 6]> {
        None
    }

    /// Frames that arrived and could not be handed over whole.
    fn dropped(&self) -> u64 {
        0
    }

    /// What this is, for events and errors: `TAP vlan10`, `packet socket on eth1`, `memory`.
    fn describe(&self) -> String;
}
