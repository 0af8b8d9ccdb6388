//! The driver image: built, and looked at by `ndishost inspect`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::Parser as _;
use serde_json::Value;

use crate::driver;

use super::report::Report;
use super::tool::{self, Interrupt};

/// The options of `cargo xtask driver`, to have its defaults.
#[derive(clap::Parser)]
struct Driver {
    #[command(flatten)]
    args: driver::Args,
}

/// Builds the image and returns where it is.
pub(super) fn build(root: &Path) -> Result<PathBuf> {
    let driver =
        Driver::try_parse_from(["driver"]).context("cannot take the driver build's defaults")?;
    driver::run(&driver.args)?;
    Ok(root.join("target/driver/ndismux.sys"))
}

/// Looks at the image and notes what a kernel driver has to be like.
pub(super) fn check(report: &mut Report, ndishost: &Path, image: &Path, interrupt: &Interrupt) {
    match inspect(ndishost, image, interrupt) {
        Ok(found) => {
            report.item("ndismux.sys", kind(&found));
            report.item("imports", imports(&found));
            report.item("what an image must not have", problems(&found));
        }
        Err(error) => {
            report.item("ndismux.sys", Err(error));
        }
    }
}

/// What kind of file it is.
fn kind(found: &Value) -> Result<String> {
    let (machine, subsystem) = (text(found, "machine")?, text(found, "subsystem")?);
    ensure!(
        subsystem == "native",
        "its subsystem is {subsystem}, not native"
    );
    let checksum = &found["checksum"];
    let stored = checksum["stored"]
        .as_u64()
        .context("ndishost inspect says no checksum")?;
    ensure!(
        checksum["computed"] == checksum["stored"],
        "its checksum is {stored:#010x}, and should be {}",
        checksum["computed"]
    );
    let size = found["size"].as_u64().unwrap_or_default() / 1024;
    Ok(format!(
        "PE32+ {machine}, {subsystem}, {size} KiB in memory, checksum {stored:#010x} is right"
    ))
}

/// What it imports: known to the host, and nothing that NDIS 6 drivers must not use.
fn imports(found: &Value) -> Result<String> {
    let modules = found["imports"]
        .as_array()
        .context("ndishost inspect lists no imports")?;
    let mut facts = Vec::new();
    for module in modules {
        let name = text(module, "name")?;
        ensure!(
            ["ntoskrnl.exe", "ndis.sys"]
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name)),
            "it imports from {name}"
        );
        let functions = module["functions"]
            .as_array()
            .context("an import without functions")?;
        for function in functions {
            let status = text(function, "status")?;
            ensure!(
                status == "known",
                "{} of {name} is {status}",
                text(function, "name")?
            );
        }
        facts.push(format!("{} from {name}", functions.len()));
    }
    ensure!(!facts.is_empty(), "it imports nothing");
    Ok(format!(
        "{}; none unknown, none of NDIS 5",
        facts.join(", ")
    ))
}

/// What `ndishost inspect` finds wrong.
fn problems(found: &Value) -> Result<String> {
    let problems = found["problems"]
        .as_array()
        .context("ndishost inspect lists no problems")?;
    let list: Vec<&str> = problems.iter().filter_map(Value::as_str).collect();
    ensure!(problems.is_empty(), "{}", list.join("; "));
    Ok("nothing: no NDIS 5 import, no frame of a page, no __chkstk".to_owned())
}

fn inspect(ndishost: &Path, image: &Path, interrupt: &Interrupt) -> Result<Value> {
    let mut command = Command::new(ndishost);
    command.args(["inspect", "--json"]).arg(image);
    let finished = tool::run(&mut command, Duration::from_secs(60), interrupt)?;
    serde_json::from_str(&finished.stdout).with_context(|| {
        format!(
            "ndishost inspect says: {}",
            tool::one_line(&finished.stderr)
        )
    })
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value[key]
        .as_str()
        .with_context(|| format!("ndishost inspect says no `{key}`"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_unknown_or_forbidden_import_is_named() {
        let with = |status: &str| {
            json!({ "imports": [{ "name": "ndis.sys", "functions": [
                { "name": "NdisGetVersion", "status": "known" },
                { "name": "NdisTerminateWrapper", "status": status },
            ]}]})
        };
        assert_eq!(
            imports(&with("known")).unwrap(),
            "2 from ndis.sys; none unknown, none of NDIS 5"
        );
        let error = imports(&with("forbidden")).unwrap_err().to_string();
        assert_eq!(error, "NdisTerminateWrapper of ndis.sys is forbidden");
        assert!(imports(&json!({ "imports": [] })).is_err());
        let elsewhere = json!({ "imports": [{ "name": "hal.dll", "functions": [] }] });
        assert_eq!(
            imports(&elsewhere).unwrap_err().to_string(),
            "it imports from hal.dll"
        );
    }

    #[test]
    fn a_wrong_checksum_and_any_problem_are_named() {
        let image = |stored: u32| json!({ "machine": "x64", "subsystem": "native", "size": 8192, "checksum": { "stored": stored, "computed": 7 } });
        assert_eq!(
            kind(&image(7)).unwrap(),
            "PE32+ x64, native, 8 KiB in memory, checksum 0x00000007 is right"
        );
        assert!(kind(&image(8)).is_err());
        assert!(problems(&json!({ "problems": [] })).is_ok());
        let error = problems(&json!({ "problems": ["a", "b"] }))
            .unwrap_err()
            .to_string();
        assert_eq!(error, "a; b");
    }
}
