//! The driver images that only tests load, from `tests/drivers`.
//!
//! They are brought up to date before the first test that needs one, by `cargo xtask test-drivers`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Once,
};

use crate::is_own_process;

/// The image of a package that is one driver.
#[must_use]
pub fn test_image(package: &str) -> PathBuf {
    built("test", package)
}

/// The image of a wrong driver, or of its correct twin.
#[must_use]
pub fn alarm_image(name: &str, twin: bool) -> PathBuf {
    built(if twin { "alarms/twin" } else { "alarms" }, name)
}

/// The names of all wrong drivers that there are sources of.
///
/// # Panics
/// If their folder cannot be read.
#[must_use]
pub fn alarm_sources() -> Vec<String> {
    let folder = repository().join("tests/drivers/alarms/examples");
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("the sources of the wrong drivers are there")
        .map(|entry| {
            let file = entry.expect("their folder can be read").path();
            let name = file.file_stem().expect("each has a name");
            name.to_string_lossy().into_owned()
        })
        .collect();
    names.sort();
    names
}

fn built(folder: &str, name: &str) -> PathBuf {
    build_test_drivers();
    let image = repository().join("target/driver").join(folder).join(name);
    let image = image.with_extension("sys");
    assert!(image.exists(), "there is no {}", image.display());
    image
}

/// Brings the images up to date, once. A test's own process takes what is there.
///
/// # Panics
/// If they do not build.
pub fn build_test_drivers() {
    static UP_TO_DATE: Once = Once::new();
    if !is_own_process() {
        UP_TO_DATE.call_once(build);
    }
}

fn build() {
    let build = Command::new("cargo")
        .args(["xtask", "test-drivers"])
        .current_dir(repository())
        .stdin(Stdio::null())
        .output()
        .expect("cargo starts");
    assert!(
        build.status.success(),
        "cargo xtask test-drivers failed:\n{}",
        String::from_utf8_lossy(&build.stderr)
    );
}

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
