//! Locks, events, gates, timers and turns.

mod event;
mod gate;
mod rundown;
mod spin;
mod timer;
mod turn;

pub use event::Event;
pub use gate::{Drained, Gate};
pub use rundown::Rundown;
pub use spin::SpinLock;
pub use timer::{Expire, Timer};
pub use turn::{Taken, Turn};
