//! The state machines of a virtual miniport ([`instance`]) and of an open lower adapter
//! ([`binding`]).
//!
//! Each machine is a table of transitions and a few methods that look it up. The caller holds its own
//! lock around a method and acts on the answer after it let go of the lock; what the action returns is
//! the next event. An event that has no row is refused and changes nothing.
//!
//! Every row has a name, and a unit test of that name.

pub mod binding;
pub mod instance;

#[cfg(test)]
mod documentation;
