//! Locks, events and gates.

mod event;
mod gate;
mod rundown;
mod spin;

pub use event::Event;
pub use gate::{Drained, Gate};
pub use rundown::Rundown;
pub use spin::SpinLock;
