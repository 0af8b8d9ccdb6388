//! The functions that NDIS drivers import, each declared once.
//!
//! On Windows each is an import of `ndis.sys` or `ntoskrnl.exe`; elsewhere it is declared and
//! nothing need provide it. Everywhere, `signature` has a function pointer type of the same name,
//! for whoever implements the function: `const _: signature::NdisXxx = NdisXxx;`. [`FUNCTIONS`]
//! lists names, modules and the IRQL that each may be called at. What the C headers define as
//! macros is in `inline`, not here.

use crate::declare::Function;

mod binding;
mod configuration;
mod device;
mod driver;
mod filter;
mod hardware;
mod io;
mod kernel;
mod log;
mod memory;
mod miniport;
mod nbl;
mod sync;

pub use {
    binding::*, configuration::*, device::*, driver::*, filter::*, hardware::*, io::*, kernel::*,
    log::*, memory::*, miniport::*, nbl::*, sync::*,
};

/// Function pointer types, by the functions' names.
pub mod signature {
    pub use super::binding::signature::*;
    pub use super::configuration::signature::*;
    pub use super::device::signature::*;
    pub use super::driver::signature::*;
    pub use super::filter::signature::*;
    pub use super::hardware::signature::*;
    pub use super::io::signature::*;
    pub use super::kernel::signature::*;
    pub use super::memory::signature::*;
    pub use super::miniport::signature::*;
    pub use super::nbl::signature::*;
    pub use super::sync::signature::*;
}

/// Every function declared here, by concern.
pub const FUNCTIONS: &[&[Function]] = &[
    binding::FUNCTIONS,
    configuration::FUNCTIONS,
    device::FUNCTIONS,
    driver::FUNCTIONS,
    filter::FUNCTIONS,
    hardware::FUNCTIONS,
    io::FUNCTIONS,
    kernel::FUNCTIONS,
    log::FUNCTIONS,
    memory::FUNCTIONS,
    miniport::FUNCTIONS,
    nbl::FUNCTIONS,
    sync::FUNCTIONS,
];
