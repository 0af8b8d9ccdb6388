//! A protocol driver that makes traffic and counts it.
//!
//! It binds to each adapter that it is installed on. A binding reads from its registry what to do, and
//! writes there what it has done:
//!
//! | value | |
//! |---|---|
//! | `SendFrames` | read: how many frames to broadcast, in all; none if absent |
//! | `SendChain` | read: how many of them in one send, every 20 milliseconds; 2 if absent |
//! | `Echo` | read: whether what is received goes back to its sender; 0 if absent |
//! | `Sent`, `SendErrors` | written: frames whose send succeeded, and failed |
//! | `Received`, `Damaged` | written: frames of this driver's kind, and those of them that are not as they were made |
//!
//! The counters are written when the driver is told that its configuration changed
//! (`NetEventReconfigure`), and at each pause.
//!
//! | module | role |
//! |---|---|
//! | [`entry`] | `DriverEntry` and unload |
//! | [`binding`] | a binding: open, events, close |
//! | [`requests`] | what it asks of the adapter below |
//! | [`frame`] | the frames: made, checked, freed |
//! | [`traffic`] | sending by a timer, receiving, echoing |
//! | [`report`] | the counters and their way into the registry |

#![no_std]

extern crate alloc;
// Brings the panic handler.
extern crate wdk_panic;

mod binding;
mod entry;
mod frame;
mod report;
mod requests;
mod traffic;

use wdk_alloc::WdkAllocator;

/// Nonpaged pool.
#[global_allocator]
static ALLOCATOR: WdkAllocator = WdkAllocator;

/// Marks the driver's allocations.
const TAG: u32 = u32::from_le_bytes(*b"TstP");
