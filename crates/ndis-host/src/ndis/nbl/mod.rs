//! NET_BUFFER_LISTs: how they are made, what they carry, and who holds them.
//!
//! | file | concern |
//! |---|---|
//! | `pool` | NBL pools, plain NBLs |
//! | `buffer` | NET_BUFFER pools, NET_BUFFERs |
//! | `derive` | clones and fragments |
//! | `context` | context space |
//! | `data` | where the bytes are |
//! | `window` | retreat and advance |
//! | `read` | `NdisGetDataBuffer` and its like |
//! | `info` | copies of information and data |
//! | `owner`, `hand` | who holds each NBL |
//! | `account` | which are out |
//! | `snapshot` | what it looked like when it changed hands |
//! | `block` | their memory |
//!
//! Not in here: sends and receives.

mod account;
pub(crate) mod block;
pub(crate) mod buffer;
pub(crate) mod context;
pub(crate) mod data;
pub(crate) mod derive;
mod hand;
pub(crate) mod info;
mod life;
pub(crate) mod owner;
pub(crate) mod pool;
pub(crate) mod read;
mod reassemble;
pub(crate) mod snapshot;
pub(crate) mod window;

#[cfg(test)]
mod tests;

use crate::call::Export;

pub(crate) const EXPORTS: &[&[Export]] = &[
    buffer::EXPORTS,
    context::EXPORTS,
    derive::EXPORTS,
    info::EXPORTS,
    pool::EXPORTS,
    read::EXPORTS,
    reassemble::EXPORTS,
    window::EXPORTS,
];
