//! Lightweight filter drivers: between an adapter and the protocols that are bound to it.
//!
//! A filter driver registers once and gets a module for each adapter that it stands on. The modules of
//! an adapter are its [`Stack`], from the bottom up. Whatever passes between adapter and bindings
//! passes each module that has a handler for it; a module without one is left out, so that an adapter
//! without filters has the same short way as ever. States are those of
//! filter-module-states-and-operations.md.
//!
//! | file | concern |
//! |---|---|
//! | `driver` | registered filter drivers |
//! | `module`, `lifecycle` | a module: its state, and the functions that change it |
//! | `options` | `NdisSetOptionalHandlers` for a module |
//! | `parameters` | what a module is told when it attaches |
//! | `stack` | the modules of an adapter, who is next above and below |
//! | `attach` | which modules an adapter gets, and when |
//! | `send`, `receive` | frames |
//! | `oid`, `direct_oid`, `status`, `event` | requests, status indications, PnP events |
//!
//! Not in here: which filters stand on a device (`device`), and the order in which a stack starts and
//! stops (`pnp`).

pub(crate) mod attach;
pub(crate) mod direct_oid;
pub(crate) mod driver;
pub(crate) mod event;
mod lifecycle;
pub(crate) mod module;
pub(crate) mod oid;
pub(crate) mod options;
mod parameters;
pub(crate) mod receive;
pub(crate) mod send;
pub(crate) mod stack;
pub(crate) mod status;

pub use module::FilterState;
pub(crate) use module::Module;
pub(crate) use stack::{Layer, Stack};

use crate::call::Export;

/// The export tables of all files here.
pub(crate) const TABLES: &[&[Export]] = &[
    direct_oid::EXPORTS,
    driver::EXPORTS,
    event::EXPORTS,
    module::EXPORTS,
    oid::EXPORTS,
    receive::EXPORTS,
    send::EXPORTS,
    status::EXPORTS,
];
