//! A filter driver that passes everything on and counts it.
//!
//! A module writes what it has counted to its registry at each pause: `Sent` and `Received` are NBLs on
//! their way down and up, `Requests` are OID requests.
//!
//! A pause has nothing to wait for: what a module does not originate, NDIS counts for whom it came
//! from, and a pass-through keeps nothing back.
//!
//! | module | role |
//! |---|---|
//! | [`entry`] | `DriverEntry` and unload |
//! | [`module`] | a filter module: attach, pause, restart, detach |
//! | [`data`] | frames, both ways |
//! | [`oid`] | requests, as clones |

#![no_std]

extern crate alloc;
// Brings the panic handler.
extern crate wdk_panic;

mod data;
mod entry;
mod module;
mod oid;

use wdk_alloc::WdkAllocator;

/// Nonpaged pool.
#[global_allocator]
static ALLOCATOR: WdkAllocator = WdkAllocator;

/// Marks the driver's allocations.
const TAG: u32 = u32::from_le_bytes(*b"TstF");
