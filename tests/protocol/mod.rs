//! The lower edge.

mod bind;
mod filter;
mod oid;
mod pnp;
mod power;
mod receive;
mod send_complete;
mod status;
