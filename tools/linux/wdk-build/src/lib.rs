//! The build configuration of WDM drivers on a Linux host.
//!
//! The crate of this name on crates.io runs on Windows only. The crates built on it (`wdk-sys`,
//! `wdk`, `wdk-alloc`, `wdk-panic`) are not so bound: their build scripts ask it where the headers
//! are, how to read them, and which `cfg` to set. This crate answers the same questions, in the same
//! names, for a kit that lies in a Linux folder, and `cargo xtask driver` patches it in there. On
//! Windows it is not used.
//!
//! `WDKContentRoot` names the kit: `Include/10.0.*/{km,km/crt,shared}` and `Lib/10.0.*/km/{x64,arm64}`.
//! That is either a real WDK with lower-case header names, or the one that `cargo xtask driver` lays
//! out from free headers; the clang arguments that those need come by `BINDGEN_EXTRA_CLANG_ARGS`,
//! which bindgen reads itself.
//!
//! What is not here: KMDF and UMDF (NDIS drivers are WDM drivers), and the optional API subsets of
//! `wdk-sys` (its `usb`, `hid`, … features do not compile against this crate).

mod bindings;
mod config;
mod error;
mod kit;

pub use bindings::BuilderExt;
pub use config::{ApiSubset, Config, DriverConfig, KmdfConfig, UmdfConfig};
pub use error::{ConfigError, IoError};

/// Configures the build of a library that depends on the WDK. To be called from its build script.
///
/// # Errors
/// When the kit or the target is unusable.
pub fn configure_wdk_library_build() -> Result<(), ConfigError> {
    let config = Config::from_env()?;
    config.emit_cfg();
    config.emit_link_search()
}

/// Configures the build of a library that depends on the WDK, and hands `then` the configuration.
///
/// # Errors
/// When the kit or the target is unusable, and whatever `then` returns.
pub fn configure_wdk_library_build_and_then<F, E>(mut then: F) -> Result<(), E>
where
    F: FnMut(Config) -> Result<(), E>,
    E: From<ConfigError>,
{
    let config = Config::from_env()?;
    config.emit_cfg();
    then(config)
}

/// Configures the build of a driver image. To be called from the build script of its package, which
/// is a `cdylib` with a `DriverEntry`.
///
/// # Errors
/// When the kit or the target is unusable, or the C runtime is not linked statically.
pub fn configure_wdk_binary_build() -> Result<(), ConfigError> {
    let config = Config::from_env()?;
    config.emit_cfg();
    config.emit_link_arguments()
}
