//! What ndismux decides, without NDIS.
//!
//! This crate holds every decision of the driver that is not a call into Windows: how a tag goes on
//! and comes off a frame ([`tagging`]), whether a virtual miniport wants it ([`filter`]), what a virtual miniport and a binding may do next ([`lifecycle`]), how one setting of
//! the adapter below follows many wishes from above ([`reconcile`]), what the registry says
//! ([`config`]), which VLANs are taken ([`vlans`]) and what an administrator is told ([`event_log`]), how
//! long a frame may be ([`mtu`]), what an adapter can do for its clients ([`offload`], [`rss`], [`wake`]), what
//! is counted ([`statistics`]), who answers an OID ([`oid`]), who is told of a status ([`status`]) and what a PnP
//! event means ([`pnp`]). [`control`] is what an administrator's program and the driver say to each other,
//! and [`wire`] has the types of the frame itself.
//!
//! # What is not here
//!
//! No clock, no lock, no input or output, no pointer: frames, registry values, OID buffers and the
//! results of calls are arguments, and what to do about them is the answer. The caller owns the lock
//! around a state machine, and acts after it let go of it.
//!
//! # Outside data never panics
//!
//! Frames come from the network, registry values and control requests from an administrator, OID
//! buffers from other drivers. None of them can make this crate panic, and that does not rest on care alone:
//!
//! - slices are taken apart by patterns, `split_first_chunk`, `chunks_exact` and `get`, whose failure
//!   is an `Option`; indexing does not pass the lints below;
//! - arithmetic is saturating, wrapping or checked by name; a bare `+` does not pass either;
//! - `unwrap`, `expect`, `panic!` and `unreachable!` do not pass outside tests;
//! - collections reserve fallibly, and none grows beyond a maximum or the number of virtual miniports;
//! - property tests feed arbitrary bytes to everything that takes bytes.
//!
//! # IRQL
//!
//! Nothing here calls out, so everything may run at any IRQL at which its arguments may be read.
//! What allocates, and so needs IRQL <= DISPATCH_LEVEL with the pool that the driver uses, says so.

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod config;
pub mod control;
pub mod event_log;
pub mod filter;
pub mod lifecycle;
pub mod mtu;
pub mod offload;
pub mod oid;
pub mod pnp;
pub mod reconcile;
pub mod rss;
pub mod statistics;
pub mod status;
pub mod tagging;
pub mod vlans;
pub mod wake;
pub mod wire;

pub use wire::mac::MacAddress;
pub use wire::vlan::VlanId;
