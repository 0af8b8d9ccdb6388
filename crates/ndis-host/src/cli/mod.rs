//! The commands of `ndishost`.

pub mod coverage;
pub mod inspect;
pub mod run;
