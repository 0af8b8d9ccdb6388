//! The commands of `ndishost`.

pub mod bench;
pub mod check;
pub mod coverage;
pub mod inspect;
pub mod registry;
pub mod run;
mod verifier;
