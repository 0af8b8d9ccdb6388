//! `cargo xtask`: what is done with this repository beyond plain `cargo build` and `cargo test`.
//!
//! | command | what it does |
//! |---|---|
//! | `driver` | builds the driver image, on Windows with the WDK, on Linux without it |
//! | `test-drivers` | builds the images that only tests load |
//! | `clippy-driver`, `doc-driver` | lint and document the driver for its Windows target |
//! | `demo` | real traffic through the image (Linux) |
//! | `test` | every check there is, in order, as CI runs them |
//!
//! What a command needs from the machine is looked up first and installed where that is possible
//! (module `machine`). Nothing here is part of the product, and no other crate depends on it.

#[cfg(target_os = "linux")]
mod demo;
mod driver;
mod machine;
mod process;
mod repository;
mod test;

use std::process::ExitCode;

use clap::Parser;

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about, long_about = None)]
enum Command {
    /// Builds the driver image: target/driver/ndismux.sys, its symbols (.pdb) and its map.
    Driver(driver::Args),
    /// Builds the driver images that only tests load: target/driver/test and target/driver/alarms.
    TestDrivers,
    /// Runs clippy on the driver for its Windows target; a warning is an error.
    ClippyDriver(driver::LintArgs),
    /// Builds the driver's documentation for its Windows target; a warning is an error.
    DocDriver(driver::LintArgs),
    /// Runs the demo: the driver image passes real traffic between network namespaces.
    #[cfg(target_os = "linux")]
    Demo(demo::Args),
    /// Runs every check: formatting, lints, unit tests, the driver image and the tests through it.
    Test(test::Args),
}

fn main() -> ExitCode {
    let result = match Command::parse() {
        Command::Driver(args) => driver::run(&args),
        Command::TestDrivers => driver::test_images::run(),
        Command::ClippyDriver(args) => driver::clippy(&args),
        Command::DocDriver(args) => driver::doc(&args),
        #[cfg(target_os = "linux")]
        Command::Demo(args) => demo::run(&args),
        Command::Test(args) => test::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
