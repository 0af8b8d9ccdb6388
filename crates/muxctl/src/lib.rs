//! VLAN adapters of ndismux: what `muxctl` does, apart from its command line.
//!
//! An [`Engine`] adds, changes, removes and shows VLAN adapters, and takes back what it did when a later
//! step fails. What it does it with is a [`Machine`]: a Windows machine, or a running `ndishost`.
//!
//! | module | role |
//! |---|---|
//! | [`engine`] | the steps of each command, and their undoing |
//! | [`machine`] | what they are made of: device control requests, devices |
//! | [`ndishost`] | a machine that a running `ndishost` plays |
//! | `windows` | the Windows machine that this runs on |
//! | [`view`] | what commands show, as tables and as JSON |
//! | [`error`] | what can go wrong, and what to do then |
//!
//! A VLAN adapter is two things: a device, which Plug and Play knows, and a virtual miniport, which the driver
//! is asked for through its control device (`mux_core::control`). What makes it come back after a restart, the
//! driver writes into the registry.

pub mod engine;
pub mod error;
pub mod machine;
#[cfg(unix)]
pub mod ndishost;
pub mod view;
#[cfg(windows)]
pub mod windows;

pub use engine::Engine;
pub use error::Error;
pub use machine::Machine;
