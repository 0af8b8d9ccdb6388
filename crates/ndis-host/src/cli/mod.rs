//! The commands of `ndishost`.

pub mod inspect;
pub mod run;
