//! ndis.sys in user mode: what an NDIS 6 driver calls, and who calls the driver.
//!
//! Built-in NICs and clients are NDIS drivers too, written in Rust over the same functions, so that a
//! stack can mix images and built-in parts as it likes, and both sides of every hand-over are checked
//! alike.
//!
//! | file | concern |
//! |---|---|
//! | `driver`, `register` | registered drivers |
//! | `adapter`, `attributes`, `restart` | miniport adapters |
//! | `binding`, `bind_parameters`, `open`, `event` | bindings of protocols to adapters |
//! | `filter` | filter modules between the two |
//! | `im` | virtual miniports of intermediate drivers |
//! | [`device`], `pnp`, `device_event` | what is there, and the order in which it starts and stops |
//! | `power` | sleep, wake and shutdown |
//! | `interrupt`, `dma`, `shared_memory`, `io_space`, `device_property`, `reset` | what miniports of hardware call |
//! | `port`, `interface` | ports of adapters, network interfaces |
//! | `nbl` | NET_BUFFER_LISTs: memory, data, ownership |
//! | `send`, `receive`, `status`, `oid` | what passes between adapters and bindings |
//! | `config`, `memory`, `sync`, `spin_lock`, `rwlock`, `old_rwlock`, `timer`, `work`, `log`, [`error_log`], [`version`] | services |
//! | `device_object` | devices of drivers beside their adapters |
//! | `object`, `header`, `strings`, `view`, `resources` | handles and raw structures |
//! | `watchdog` | time limits |
//! | [`policy`] | the freedoms that NDIS has |
//! | [`names`] | what headers call numbers |
//! | [`trace`], [`counters`], [`caller`] | what happened, how often, and by whom |
//!
//! Locks of this module are never held while a driver's function runs.

pub(crate) mod adapter;
pub(crate) mod attributes;
mod bind_parameters;
pub(crate) mod binding;
pub mod caller;
pub mod config;
pub mod counters;
pub mod device;
pub(crate) mod device_event;
mod device_object;
mod device_property;
mod dma;
pub(crate) mod driver;
pub mod error_log;
pub mod ethernet;
pub(crate) mod event;
pub(crate) mod faults;
pub(crate) mod filter;
mod header;
pub(crate) mod im;
mod interface;
pub(crate) mod interrupt;
mod io_space;
mod log;
pub(crate) mod memory;
pub mod names;
pub(crate) mod nbl;
pub(crate) mod object;
pub(crate) mod oid;
mod old_rwlock;
pub(crate) mod open;
pub(crate) mod pnp;
pub mod policy;
mod port;
pub(crate) mod power;
pub(crate) mod receive;
pub(crate) mod register;
pub(crate) mod reset;
mod resources;
mod restart;
mod rwlock;
pub(crate) mod send;
mod shared_memory;
mod spin_lock;
pub(crate) mod status;
pub(crate) mod strings;
mod sync;
#[cfg(test)]
mod testing;
mod timer;
pub mod trace;
pub mod version;
pub(crate) mod view;
pub(crate) mod watchdog;
pub(crate) mod work;

pub use adapter::AdapterState;
pub use binding::BindingState;
pub use filter::FilterState;
pub use im::ImState;

use crate::call::Export;

/// The pool tag of the names that drivers are given (`NdisQueryBindInstanceName`).
pub(crate) const NAME_TAG: u32 = log::TAG;

/// The export tables of all files here.
pub(crate) fn exports() -> impl Iterator<Item = &'static [Export]> {
    let own: &[&[Export]] = &[
        adapter::EXPORTS,
        attributes::EXPORTS,
        binding::EXPORTS,
        config::EXPORTS,
        device_property::EXPORTS,
        dma::EXPORTS,
        error_log::EXPORTS,
        device_object::EXPORTS,
        event::EXPORTS,
        im::EXPORTS,
        interface::EXPORTS,
        interrupt::EXPORTS,
        io_space::EXPORTS,
        log::EXPORTS,
        memory::EXPORTS,
        old_rwlock::EXPORTS,
        open::EXPORTS,
        pnp::EXPORTS,
        port::EXPORTS,
        receive::EXPORTS,
        register::EXPORTS,
        reset::EXPORTS,
        rwlock::EXPORTS,
        send::EXPORTS,
        shared_memory::EXPORTS,
        spin_lock::EXPORTS,
        status::EXPORTS,
        sync::EXPORTS,
        timer::EXPORTS,
        version::EXPORTS,
        work::EXPORTS,
    ];
    own.iter()
        .chain(oid::TABLES)
        .chain(filter::TABLES)
        .chain(nbl::EXPORTS)
        .copied()
}
