//! Receive side scaling (RSS) of one adapter for several virtual miniports.
//!
//! Each virtual miniport's clients set parameters as if the adapter were theirs: hash function and types,
//! key, indirection table. The adapter has one set of them. [`Sharing`] decides which:
//!
//! - the newest parameters of those who want scaling are set below;
//! - when nobody wants it any more, the adapter gets back what others who use it had set before, or scaling
//!   is switched off;
//! - parameters go down whole: what a set leaves unchanged is what *that* virtual miniport set before, which
//!   need not be what the adapter has;
//! - one request is in flight at a time, so that none overtakes another; no lock is held while it is made.
//!
//! A frame's hash is shown to those whose parameters say the same of hashes as the adapter's
//! ([`Sharing::hashed`]): to another it would be the hash of some other frame.
//!
//! [`Parameters`] checks what is set before anything of it is used. [`shown`] says which capabilities a
//! virtual miniport shows. RSSv2 is not offered: its requests move single entries of a table, which has
//! no meaning while the table below is another virtual miniport's.
//!
//! Not here: the requests, and those who wait for them.
//!
//! Sources: "Supporting RSS in Intermediate Drivers or Filter Drivers", `OID_GEN_RECEIVE_SCALE_PARAMETERS`,
//! `NDIS_RECEIVE_SCALE_PARAMETERS`, `NDIS_RECEIVE_SCALE_CAPABILITIES`.

mod parameters;
mod sharing;

pub use parameters::{Invalid, LONGEST, Parameters, Set, disabled};
pub use sharing::{Next, Sharing, Ticket};

/// The capability flags (`NDIS_RSS_CAPS_*`) that a virtual miniport shows of its adapter's.
pub const fn shown(flags: u32) -> u32 {
    flags & !(SUPPORTS_INDEPENDENT_ENTRY_MOVE | RSS_AVAILABLE_ON_PORTS)
}

/// RSSv2.
const SUPPORTS_INDEPENDENT_ENTRY_MOVE: u32 = 0x4000_0000;
/// A virtual miniport has its default port only.
const RSS_AVAILABLE_ON_PORTS: u32 = 0x1000_0000;

#[cfg(test)]
mod tests;
