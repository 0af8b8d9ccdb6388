//! The driver's build on Linux: the pieces that stand in for Windows, and the environment that makes
//! Cargo use them.

use std::{
    ffi::{OsStr, OsString},
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use super::{
    Build, Target,
    kit::{self, Clang, Kit},
    shadow,
    toolchain::Toolchain,
};
use crate::{
    machine::Need,
    process,
    repository::{create_folder, entries},
};

/// What the build needs from this machine.
pub(super) fn needs(target: Target, clippy: bool) -> Vec<Need> {
    let name = target.name();
    let mut needs = vec![
        Need::new(
            format!("a Rust toolchain for {name} (rustup target add {name})"),
            &["rustc-web", "cargo-web", "rust-web-src"],
            move || Toolchain::find(name).is_some(),
        ),
        Need::new("the linker lld-link", &["lld-19|lld"], || {
            linker().is_some()
        }),
        Need::new(
            "libclang with its headers",
            &[
                "libclang1-19|libclang1-18|libclang1-17",
                "libclang-common-19-dev|libclang-common-18-dev|libclang-common-17-dev",
            ],
            || kit::clang().is_some(),
        ),
        Need::new(
            "kernel headers (or WDKContentRoot, the folder of a WDK)",
            &["mingw-w64-common"],
            || kit::wdk().is_some() || kit::has_headers(),
        ),
    ];
    if clippy {
        needs.push(Need::new(
            "clippy of the toolchain for the driver",
            &["rust-web-clippy"],
            move || {
                Toolchain::find(name)
                    .is_some_and(|toolchain| toolchain.program("cargo-clippy").is_file())
            },
        ));
    }
    needs
}

/// Lays out what the build takes, and says how Cargo is called for `target`.
pub(super) fn prepare(target: Target, _: bool, repository: &Path) -> Result<Build> {
    let toolchain = Toolchain::find(target.name()).context("no toolchain for the driver")?;
    let clang = kit::clang().context("no libclang")?;
    let folder = repository.join("target/driver-build");
    let linker = place_linker(&folder.join("bin"))?;
    let kit = kit::prepare(repository, &folder.join("kit"), target, &linker)?;
    let workspace = folder.join("workspace");

    let mut variables = variables(&toolchain, &clang, &kit, &linker)?;
    variables.push((
        "CARGO_ENCODED_RUSTFLAGS".into(),
        rust_flags(&folder, &workspace, &toolchain).join(OsStr::new("\x1f")),
    ));
    let mut arguments = Vec::new();
    if toolchain.builds_core {
        // Building `core` and `alloc` along is an unstable feature of Cargo.
        variables.push(("RUSTC_BOOTSTRAP".into(), "1".into()));
        arguments.push("-Zbuild-std=core,alloc".into());
    }

    let build = Build {
        target,
        workspace,
        target_folder: folder.join("target"),
        program: toolchain.program("cargo"),
        arguments,
        variables,
    };
    shadow::prepare(repository, &build.workspace, || build.program())?;
    Ok(build)
}

/// Lints what takes the place of `wdk-build`, which runs on this machine, and `muxctl` as it is on Windows.
pub(super) fn clippy(build: &Build) -> Result<()> {
    let mut cargo = build.program();
    cargo
        .args(["clippy", "--package", "wdk-build", "--target-dir"])
        .arg(&build.target_folder)
        .args(["--", "--deny", "warnings"])
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    process::run(&mut cargo, "lint tools/linux/wdk-build")?;

    let mut cargo = build.program();
    cargo.args(["clippy", "--package", "muxctl"]);
    if !build.arguments.is_empty() {
        // What has no `core` has no `std` either.
        cargo.arg("-Zbuild-std=std,panic_abort");
    }
    cargo
        .args(["--target", build.target.name(), "--target-dir"])
        // Its standard library is another one than the driver's.
        .arg(build.target_folder.with_file_name("muxctl"))
        .args(["--", "--deny", "warnings"])
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    process::run(&mut cargo, "lint muxctl for Windows")
}

/// The environment of the build, but for rustc's flags. What depends on the target is set for every
/// target: the builds for them then share what is built for this machine.
fn variables(
    toolchain: &Toolchain,
    clang: &Clang,
    kit: &Kit,
    linker: &Path,
) -> Result<Vec<(OsString, OsString)>> {
    let mut path = vec![toolchain.sysroot.join("bin")];
    path.extend(std::env::split_paths(
        &std::env::var_os("PATH").unwrap_or_default(),
    ));
    let mut variables: Vec<(OsString, OsString)> = vec![
        ("PATH".into(), std::env::join_paths(path)?),
        ("RUSTC".into(), toolchain.program("rustc").into()),
        ("RUSTDOC".into(), toolchain.program("rustdoc").into()),
        ("LIBCLANG_PATH".into(), clang.library.clone().into()),
        ("WDKContentRoot".into(), kit.root.clone().into()),
        // Of a build script that fails, its message says more than its stack.
        ("RUST_BACKTRACE".into(), "0".into()),
        // Unoptimised code has stack frames that a kernel stack has no room for.
        ("CARGO_PROFILE_DEV_OPT_LEVEL".into(), "1".into()),
    ];
    for target in Target::ALL {
        let name = target.name().replace('-', "_");
        variables.push((
            format!("CARGO_TARGET_{}_LINKER", name.to_uppercase()).into(),
            linker.into(),
        ));
        if let Some(arguments) = kit.clang_arguments(clang, target) {
            variables.push((
                format!("BINDGEN_EXTRA_CLANG_ARGS_{name}").into(),
                arguments.into(),
            ));
        }
    }
    Ok(variables)
}

/// What rustc must be told for a driver: the C runtime that `wdk-build` insists on, a correct checksum,
/// and nothing of this machine in the image.
fn rust_flags(folder: &Path, workspace: &Path, toolchain: &Toolchain) -> Vec<OsString> {
    let cargo_home = std::env::var_os("CARGO_HOME").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cargo"),
        PathBuf::from,
    );
    // Where two apply, the later one does.
    let mut replaced = vec![
        (folder.to_path_buf(), "/build"),
        (workspace.to_path_buf(), "/ndismux"),
        (cargo_home.join("registry/src"), "/crates"),
    ];
    for sources in toolchain.core_sources() {
        replaced.push((sources, "/rust"));
    }

    let mut flags: Vec<OsString> = [
        "-Ctarget-feature=+crt-static",
        "-Clink-arg=/RELEASE",
        "-Clink-arg=/Brepro",
    ]
    .map(OsString::from)
    .into();
    for (path, name) in replaced {
        let mut flag = OsString::from("--remap-path-prefix=");
        flag.push(path);
        flag.push("=");
        flag.push(name);
        flags.push(flag);
    }
    flags
}

/// LLVM's linker for Windows images: the one that comes with this toolchain, or the distribution's.
fn linker() -> Option<PathBuf> {
    let mut rustc = Command::new("rustc");
    rustc.args(["--print", "target-libdir"]);
    let bundled = process::text(&mut rustc).map(|libraries| {
        PathBuf::from(libraries)
            .with_file_name("bin")
            .join("rust-lld")
    });
    let llvm = entries(Path::new("/usr/lib")).unwrap_or_default();
    let installed = llvm.iter().rev().map(|path| path.join("bin/lld-link"));
    bundled
        .into_iter()
        .chain(installed)
        .chain(process::find_program("lld-link"))
        .find(|path| path.is_file())
}

/// Links the linker into `folder` under the name by which both it and rustc know what it is to be.
fn place_linker(folder: &Path) -> Result<PathBuf> {
    let found = linker().context("no lld-link")?;
    let placed = folder.join("lld-link");
    if fs::read_link(&placed).ok().as_ref() != Some(&found) {
        create_folder(folder)?;
        if placed.is_symlink() {
            fs::remove_file(&placed)
                .with_context(|| format!("cannot remove {}", placed.display()))?;
        }
        symlink(&found, &placed).with_context(|| format!("cannot link {}", placed.display()))?;
    }
    Ok(placed)
}
