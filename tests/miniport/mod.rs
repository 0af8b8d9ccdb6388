//! The upper edge.

mod halt;
mod initialize;
mod late_send;
mod offload;
mod oid;
mod oid_table;
mod pause;
mod return_nbls;
mod scaling;
mod send;
mod wake;
