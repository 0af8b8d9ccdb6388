//! The Ethernet frame: addresses, VLAN identifiers and tags, and a view over a frame's first bytes.
//!
//! Types here are meanings, not layouts over memory: each is made from bytes by a function that can
//! refuse, and gives its bytes back. What a driver does with them is in [`crate::tagging`] and
//! [`crate::filter`].

pub mod ethernet;
pub mod mac;
pub mod vlan;
