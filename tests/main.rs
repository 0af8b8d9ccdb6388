//! The driver image end to end. The files are named as the driver's are, and test what those do; the
//! requirements S1 to S7 are in the tests' names.

mod control;
mod entry;
mod miniport;
mod protocol;
mod races;
mod reconfigure;
mod trace;
