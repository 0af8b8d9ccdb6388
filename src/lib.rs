//! ndismux: an NDIS 6 intermediate (MUX) driver.
//!
//! It binds to network adapters as a protocol and shows Windows virtual miniports above them: one for
//! each 802.1Q VLAN that is configured. The crate is glue between NDIS (crate `ndis`) and the decisions
//! of `mux-core`: no arithmetic on frames and no policy stand here.
//!
//! ```text
//!        upper protocols (TCP/IP …)
//!   ════════════════════════════════════ miniport/   one VirtualMiniport for each VLAN
//!      send │                  ▲ indicate
//!           ▼                  │
//!        miniport/send     protocol/receive
//!           │                  ▲
//!   ════════▼══════════════════│════════ protocol/   one Binding for each network adapter
//!        network adapter (any NDIS miniport)
//! ```
//!
//! **Down.** NDIS calls `MiniportSendNetBufferLists`; [`miniport`]'s `send` gets the chain as its own. It
//! enters the virtual miniport's gate and the binding's, once for the chain, or completes the chain with
//! an error. `mux_core::tagging` plans each frame's tag, `ndis` puts it into the frame or beside it, and one
//! `NdisSendNetBufferLists` carries the chain. Completions come back to [`protocol`]'s `send_complete`,
//! which takes the tags away again and completes to each virtual miniport what is its.
//!
//! **Up.** [`protocol`]'s `receive` gets a chain. Each frame is in a VLAN, and there is at most one virtual
//! miniport in that; if it wants the frame, as `mux_core` decides, it gets an NBL of its own that
//! describes the received frame, without the tag. Nothing is written to a received frame. Frames for one
//! virtual miniport travel as one chain in one indication, outside any lock; what nobody wants goes back
//! at once. [`miniport`]'s `return_nbls` frees what was derived and returns the received frames below.
//!
//! **Bind and unbind.** [`protocol`]'s `bind` and `pnp` turn callbacks into events for the state machines
//! of `mux_core::lifecycle`, under a lock that is dropped before anything is done about the answer.
//!
//! **Configuration.** The registry is the only truth about which virtual miniports there are.
//! [`reconfigure`] brings those of a binding into line with it: at the bind, and when NDIS says that it
//! has changed. A program that has the driver's device open ([`control`]) may ask for such a change, too.

#![no_std]
#![deny(unsafe_code)]

extern crate alloc;
// Brings the panic handler: a bug check of its own.
extern crate wdk_panic;

mod batch;
mod binding;
mod config;
mod control;
mod driver;
mod entry;
mod in_band;
mod instance;
mod miniport;
mod out_of_band;
mod protocol;
mod reconfigure;
mod roster;
mod trace;
mod virtual_miniport;

use wdk_alloc::WdkAllocator;

/// Nonpaged pool. Its blocks are aligned to 16 bytes and no more.
#[global_allocator]
static ALLOCATOR: WdkAllocator = WdkAllocator;
