//! The parts of ntoskrnl that network drivers import, in user mode.
//!
//! Each file is one concern with the functions that drivers import for it ([`ddi!`](crate::ddi)) and
//! the Rust functions by which the rest of the host uses the same thing. What can block or start a
//! thread goes through [`sched`]; what is left at the end of a run is in [`outstanding`].

mod ansi_string;
pub mod debug;
pub mod dispatcher;
pub mod dpc;
pub mod driver;
pub mod etw;
mod fast_mutex;
pub mod fault;
pub mod format;
mod handle;
pub mod io;
pub mod irql;
mod key;
pub mod list;
pub mod lock_order;
pub mod lookaside;
pub mod mdl;
pub mod memory;
pub mod pool;
mod queued_spin_lock;
pub mod registry;
mod rundown;
pub mod sched;
mod shared_spin_lock;
pub mod spin_lock;
pub mod string;
mod system;
mod system_thread;
pub mod thread;
pub mod time;
pub mod timer;
mod work_item;

mod outstanding;

pub use outstanding::{Outstanding, outstanding};

use crate::call::Export;

/// The export tables of all files here, apart from those of [`io`].
pub(crate) const EXPORTS: &[&[Export]] = &[
    ansi_string::EXPORTS,
    etw::EXPORTS,
    fast_mutex::EXPORTS,
    handle::EXPORTS,
    key::EXPORTS,
    queued_spin_lock::EXPORTS,
    rundown::EXPORTS,
    shared_spin_lock::EXPORTS,
    system::EXPORTS,
    system_thread::EXPORTS,
    work_item::EXPORTS,
    debug::EXPORTS,
    debug::VARIADIC,
    dispatcher::EXPORTS,
    dpc::EXPORTS,
    irql::EXPORTS,
    list::EXPORTS,
    lookaside::EXPORTS,
    mdl::EXPORTS,
    memory::EXPORTS,
    pool::exports::EXPORTS,
    spin_lock::EXPORTS,
    string::EXPORTS,
    thread::EXPORTS,
    time::EXPORTS,
    timer::EXPORTS,
];
