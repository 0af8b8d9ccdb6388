//! An Ethernet miniport driver without hardware.
//!
//! Adapters whose registry has the same number `Cable` are plugged into one cable: what one of them
//! sends, the others receive. A send waits in its adapter until a DPC puts it on the cable, as a real
//! adapter's waits for its interrupt; the frames are copied into memory of those who receive them.
//!
//! | module | role |
//! |---|---|
//! | [`entry`] | `DriverEntry` and unload |
//! | [`adapter`] | an adapter: initialize, pause, restart, halt |
//! | [`attributes`] | what it says of itself |
//! | [`cable`] | who is plugged in where |
//! | [`send`] | sends, from the handler to the DPC |
//! | [`receive`] | frames of our own, from the cable up and back |
//! | [`filter`] | which frames an adapter receives |
//! | [`oid`] | requests |
//!
//! Not in here: power management, offloads, receive scaling.

#![no_std]

extern crate alloc;
// Brings the panic handler.
extern crate wdk_panic;

mod adapter;
mod attributes;
mod cable;
mod entry;
mod filter;
mod oid;
mod receive;
mod send;

use wdk_alloc::WdkAllocator;

/// Nonpaged pool.
#[global_allocator]
static ALLOCATOR: WdkAllocator = WdkAllocator;

/// Marks the driver's allocations.
const TAG: u32 = u32::from_le_bytes(*b"SofM");
