//! Safe Rust for NDIS 6 miniport, protocol and intermediate drivers.
//!
//! A driver writes two implementations of traits, [`Miniport`](miniport::Miniport) and
//! [`Protocol`](protocol::Protocol), and registers each edge from `DriverEntry`. What NDIS calls
//! are trampolines that stand here once: they turn raw pointers into owned or borrowed Rust values
//! and call the trait. What the driver calls are methods on handles.
//!
//! Three ideas carry the crate:
//!
//! * **Owned things must be consumed.** A [`Chain`](nbl::Chain) of NBLs, an
//!   [`OidRequest`](oid::OidRequest) that was pended, an open binding: each has an owner, and the
//!   only ways to let go of it are the ways that NDIS knows. Losing one stops the machine at once.
//! * **Decide under the lock, act after it.** [`SpinLock`](sync::SpinLock) lends its value to a
//!   closure, so that no call into NDIS is made while a lock is held.
//! * **The IRQL is in the signature** where it is narrower than `<= DISPATCH_LEVEL`: a function
//!   that must run at PASSIVE_LEVEL takes a [`Passive`], which only the trampolines
//!   of such callbacks can make. A function that takes none runs at any IRQL up to DISPATCH_LEVEL.
//!
//! Nothing here panics for what other drivers, the registry or the network do. Every allocation is
//! fallible.
//!
//! # What the types do not show
//!
//! Two promises are the driver's, though the functions that rest on them are safe to call:
//!
//! * a [`BindingHandle`](protocol::BindingHandle) and a [`MiniportHandle`](miniport::MiniportHandle) are used
//!   only while NDIS holds the binding or adapter. NDIS gives them out as numbers that everybody may copy; a
//!   driver counts who uses one ([`Rundown`](sync::Rundown)) and waits for them before the close or the halt;
//! * nobody waits, and nobody uses a [`Passive`], within a [`SpinLock`](sync::SpinLock)'s closure, which runs at
//!   DISPATCH_LEVEL.
//!
//! The crate may use [`ndis_sys`] and nothing else. It holds no policy: what a frame, an OID or an
//! event means is the driver's.

#![no_std]

extern crate alloc;

pub mod configuration;
pub mod contract;
pub mod device;
pub mod driver;
pub mod event_log;
pub mod im;
pub mod irql;
pub mod link;
pub mod mem;
pub mod miniport;
pub mod nbl;
pub mod offload;
pub mod oid;
pub mod pnp;
pub mod protocol;
pub mod receive_filter;
pub mod receive_scaling;
pub mod statistics;
pub mod status;
pub mod string;
pub mod sync;
pub mod wake_up;

pub use irql::Passive;
pub use mem::{Bulk, Shared};
pub use status::{Result, Status};
