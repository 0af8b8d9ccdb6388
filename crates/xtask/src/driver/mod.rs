//! `cargo xtask driver`: the driver image, from the stock WDK crates.
//!
//! On Windows this is a plain Cargo build for the MSVC target, with the WDK that is installed
//! (`windows.rs`). On Linux the same sources are built in a shadow workspace (`shadow.rs`) against a
//! kit (`kit.rs`), by a toolchain that can build for the target (`toolchain.rs`) and LLVM's linker
//! (`linux.rs`). All that this build makes on the way lies in `target/driver-build`.

#[cfg_attr(windows, path = "windows.rs")]
#[cfg_attr(not(windows), path = "linux.rs")]
mod host;
#[cfg(not(windows))]
mod kit;
#[cfg(not(windows))]
mod shadow;
pub(crate) mod test_images;
#[cfg(not(windows))]
mod toolchain;

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::{
    machine::{self, Need},
    process,
    repository::{self, create_folder},
};

/// What `cargo xtask driver` is asked to do.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Processor that the image is for.
    #[arg(long, value_enum, default_value_t = Target::X64)]
    target: Target,
    /// With debug assertions and overflow checks.
    #[arg(long)]
    debug: bool,
    /// Folder for the image, its symbols and its map
    /// [default: target/driver, with a folder per target, profile and feature set below].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Only tells what this machine has and lacks for the build; fails if it lacks something.
    #[arg(long)]
    check: bool,
    /// Package whose image is built.
    #[arg(long, value_name = "NAME", default_value = "ndismux")]
    package: String,
    /// Features of the package, separated by commas.
    #[arg(long, value_name = "FEATURES", value_delimiter = ',')]
    features: Vec<String>,
}

/// What the commands that only read the driver's sources are asked to do.
#[derive(clap::Args)]
pub(crate) struct LintArgs {
    /// Processor that the driver is compiled for.
    #[arg(long, value_enum, default_value_t = Target::X64)]
    target: Target,
}

/// A target that Windows drivers are built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Target {
    /// 64-bit x86.
    #[value(name = "x86_64-pc-windows-msvc")]
    X64,
    /// 64-bit ARM.
    #[value(name = "aarch64-pc-windows-msvc")]
    Arm64,
}

/// Builds the image and puts it where it was asked for.
pub(crate) fn run(args: &Args) -> Result<()> {
    if args.check {
        return check(args.target);
    }
    let build = Build::prepare(args.target, false)?;
    let mut cargo = build.cargo("build");
    cargo.args(["--package", &args.package]);
    if !args.debug {
        cargo.arg("--release");
    }
    if !args.features.is_empty() {
        cargo.args(["--features", &args.features.join(",")]);
    }
    process::run(&mut cargo, "build the driver")?;

    let profile = if args.debug { "debug" } else { "release" };
    let built = build.target_folder.join(args.target.name()).join(profile);
    let out = args
        .out
        .clone()
        .unwrap_or_else(|| repository::root().join(default_folder(args)));
    collect(&built, &args.package, &out)
}

/// Lints the driver and the crates below it as they are compiled into the image, and the drivers that
/// only tests load.
pub(crate) fn clippy(args: &LintArgs) -> Result<()> {
    let build = Build::prepare(args.target, true)?;
    let mut cargo = build.cargo("clippy");
    cargo.arg("--release");
    for package in DRIVER_PACKAGES {
        cargo.args(["--package", package]);
    }
    cargo.args(["--", "--deny", "warnings"]);
    process::run(&mut cargo, "lint the driver")?;
    test_images::clippy(&build)?;
    host::clippy(&build)
}

/// Documents the driver, private items as well.
pub(crate) fn doc(args: &LintArgs) -> Result<()> {
    let build = Build::prepare(args.target, false)?;
    let mut cargo = build.cargo("doc");
    cargo
        .args(["--release", "--no-deps", "--document-private-items"])
        .args(["--package", "ndismux"])
        // What it links to is there, because private items are.
        .env(
            "RUSTDOCFLAGS",
            "--deny warnings --allow rustdoc::private_intra_doc_links",
        );
    process::run(&mut cargo, "document the driver")
}

/// What the image's build needs from this machine.
pub(crate) fn needs(target: Target, clippy: bool) -> Vec<Need> {
    host::needs(target, clippy)
}

impl Target {
    /// Every target.
    #[cfg(not(windows))]
    const ALL: [Self; 2] = [Self::X64, Self::Arm64];

    /// Its name in Rust.
    fn name(self) -> &'static str {
        match self {
            Self::X64 => "x86_64-pc-windows-msvc",
            Self::Arm64 => "aarch64-pc-windows-msvc",
        }
    }

    /// Its name in a kit's folders and for the linker.
    #[cfg(not(windows))]
    fn kit_name(self) -> &'static str {
        match self {
            Self::X64 => "x64",
            Self::Arm64 => "arm64",
        }
    }
}

/// How Cargo is called to build for a driver target on this machine.
struct Build {
    target: Target,
    /// Where Cargo runs.
    workspace: PathBuf,
    /// Where it puts what it builds.
    target_folder: PathBuf,
    program: PathBuf,
    arguments: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
}

impl Build {
    /// Readies this machine and the folders for builds for `target`.
    fn prepare(target: Target, clippy: bool) -> Result<Self> {
        machine::ensure(&needs(target, clippy))?;
        host::prepare(target, clippy, &repository::root())
    }

    /// Cargo's `command` for the target.
    fn cargo(&self, command: &str) -> Command {
        let mut cargo = self.program();
        cargo
            .arg(command)
            .args(&self.arguments)
            .args(["--target", self.target.name(), "--target-dir"])
            .arg(&self.target_folder);
        cargo
    }

    /// Cargo, run where the driver is built and with the environment of its build.
    fn program(&self) -> Command {
        let mut cargo = Command::new(&self.program);
        cargo
            .current_dir(&self.workspace)
            .env_remove("CARGO_TARGET_DIR")
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        cargo
    }
}

fn check(target: Target) -> Result<()> {
    let (report, complete) = machine::report(&needs(target, false));
    print!("driver image for {}:\n{report}", target.name());
    if complete {
        Ok(())
    } else {
        bail!(
            "this machine lacks what the image's build needs; `cargo xtask driver` installs it as root"
        )
    }
}

/// Where an image goes that no folder was given for.
fn default_folder(args: &Args) -> PathBuf {
    let mut folder = PathBuf::from("target/driver");
    if args.target == Target::Arm64 {
        folder.push("aarch64");
    }
    if args.debug {
        folder.push("debug");
    }
    if !args.features.is_empty() {
        folder.push(args.features.join("+").replace('/', "-"));
    }
    folder
}

/// Copies what Cargo built in `built` to `out`, under a driver's names.
fn collect(built: &Path, package: &str, out: &Path) -> Result<()> {
    create_folder(out)?;
    let stem = package.replace('-', "_");
    let image = built.join(&stem).with_extension("dll");
    let symbols = built.join(&stem).with_extension("pdb");
    let map = built.join("deps").join(&stem).with_extension("map");
    for (from, extension) in [(&image, "sys"), (&symbols, "pdb"), (&map, "map")] {
        if *from == map && !map.exists() {
            continue;
        }
        let contents =
            fs::read(from).with_context(|| format!("the build made no {}", from.display()))?;
        let to = out.join(package).with_extension(extension);
        repository::write(&to, &contents)?;
        if *from == image {
            eprintln!("{}: {} bytes", to.display(), contents.len());
        }
    }
    Ok(())
}

/// The packages whose code is in the image.
const DRIVER_PACKAGES: &[&str] = &["ndismux", "ndis", "ndis-sys", "mux-core"];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser;

    use super::{Args, default_folder};

    #[derive(Parser)]
    struct Driver {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn no_two_kinds_of_image_share_a_folder() {
        let cases: [(&[&str], &str); 5] = [
            (&[], "target/driver"),
            (&["--debug"], "target/driver/debug"),
            (
                &["--target", "aarch64-pc-windows-msvc"],
                "target/driver/aarch64",
            ),
            (&["--features", "a,b"], "target/driver/a+b"),
            (
                &[
                    "--debug",
                    "--features=ndis/a",
                    "--target=aarch64-pc-windows-msvc",
                ],
                "target/driver/aarch64/debug/ndis-a",
            ),
        ];
        for (options, folder) in cases {
            let driver = Driver::parse_from([&["driver"], options].concat());
            assert_eq!(default_folder(&driver.args), Path::new(folder));
        }
    }
}
