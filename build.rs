//! Configures the driver image's build: its `cfg` settings and its linker arguments come from
//! `wdk-build`.

fn main() -> Result<(), wdk_build::ConfigError> {
    // Windows does not load a driver whose PE checksum is wrong; signing sets it, but an image that
    // was not signed yet should be right as well.
    println!("cargo::rustc-cdylib-link-arg=/RELEASE");
    wdk_build::configure_wdk_binary_build()
}
