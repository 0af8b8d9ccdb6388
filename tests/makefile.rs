//! `Makefile.toml` against the stock makefile of the wdk-build that `Cargo.lock` names.
//!
//! What is wrong there shows only on a Windows machine with a WDK: as a tool that is given an empty
//! argument, or a check that is not made. cargo-make is not run here. How it merges tasks is its
//! `src/lib/descriptor/mod.rs` (`add_file_location_info`, `merge_tasks`) and `src/lib/execution_plan.rs`
//! (`get_normalized_task`).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use toml::{Table, Value};

#[test]
fn every_task_has_the_variables_that_the_stock_task_sets_for_its_arguments() {
    let (ours, stock) = (tasks(&root().join("Makefile.toml")), tasks(&stock()));
    let mut compared = 0;
    for name in ours.keys() {
        let Some(chain) = stock_task(name, &ours, &stock) else {
            continue;
        };
        let of_stock = variables(&stock[&chain.stock]);
        let there = resolved(&chain.names, &ours, &stock, "env");
        let there: BTreeSet<String> = there.map_or_else(BTreeSet::new, keys);
        let arguments = resolved(&chain.names, &ours, &stock, "args");
        let arguments = arguments.map_or_else(String::new, ToString::to_string);
        for variable in of_stock {
            if arguments.contains(&variable) {
                compared += 1;
                assert!(
                    there.contains(&variable),
                    "[tasks.{name}]: its arguments use {variable}, which only the stock [tasks.{}] sets",
                    chain.stock
                );
            }
        }
    }
    assert!(compared > 0, "no task uses a variable of a stock task");
}

#[test]
fn both_inf_files_are_held_to_the_rules_for_windows_drivers() {
    let ours = tasks(&root().join("Makefile.toml"));
    for name in ["infverif", "infverif-miniport"] {
        let arguments = ours[name]["args"].as_array().expect("a list of arguments");
        let modes = ["/w", "/h", "/u", "/k"].map(|mode| Value::from(mode).to_string());
        let given = arguments.iter().map(ToString::to_string);
        let given: Vec<String> = given.filter(|it| modes.contains(it)).collect();
        assert_eq!(given, modes[..1], "[tasks.{name}]: one mode, /w");
    }
}

#[test]
fn tasks_name_tasks_that_there_are() {
    let (ours, stock) = (tasks(&root().join("Makefile.toml")), tasks(&stock()));
    for (name, task) in &ours {
        let list = |key| {
            task.get(key)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
        };
        let named = list("dependencies").chain(task.get("extend"));
        for other in named.filter_map(Value::as_str) {
            assert!(
                ours.contains_key(other) || stock.contains_key(other),
                "[tasks.{name}]: there is no task {other}"
            );
        }
    }
}

/// A task of ours that is a stock one, changed, or extends one.
struct Chain {
    /// The stock task.
    stock: String,
    /// The tasks of ours that lead to it, first the one that is asked about.
    names: Vec<String>,
}

fn stock_task(name: &str, ours: &Table, stock: &Table) -> Option<Chain> {
    let mut names = Vec::new();
    let mut next = name.to_owned();
    loop {
        let task = ours.get(&next);
        names.extend(task.map(|_| next.clone()));
        if task.and_then(|task| task.get("clear")) == Some(&Value::Boolean(true)) {
            return None;
        }
        match task.and_then(|task| task.get("extend")) {
            Some(other) => next = other.as_str()?.to_owned(),
            None => {
                let stock = stock.contains_key(&next).then_some(next)?;
                return Some(Chain { stock, names });
            }
        }
    }
}

/// What cargo-make takes for `key` of a task: the first of its chain that says it. But nothing of a stock
/// task's `env` is left as soon as a task of ours has its name.
fn resolved<'a>(
    names: &[String],
    ours: &'a Table,
    stock: &'a Table,
    key: &str,
) -> Option<&'a Value> {
    let last = names.last()?;
    let own = names.iter().find_map(|name| ours[name].get(key));
    let extended = ours[last].get("extend").and_then(Value::as_str);
    let of_stock = match key {
        "env" => extended,
        _ => extended.or(Some(last)),
    };
    own.or_else(|| stock.get(of_stock?)?.get(key))
}

fn variables(task: &Value) -> BTreeSet<String> {
    task.get("env").map_or_else(BTreeSet::new, keys)
}

fn keys(table: &Value) -> BTreeSet<String> {
    let table = table.as_table().expect("env is a table");
    table.keys().cloned().collect()
}

fn tasks(file: &Path) -> Table {
    let text = fs::read_to_string(file);
    let text = text.unwrap_or_else(|error| panic!("reading {}: {error}", file.display()));
    let whole: Table = toml::from_str(&text).expect("a makefile is TOML");
    whole["tasks"]
        .as_table()
        .expect("[tasks] is a table")
        .clone()
}

/// The makefile of the wdk-build that the driver is built with.
fn stock() -> PathBuf {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root())
        .output()
        .expect("cargo starts");
    let said = String::from_utf8_lossy(&metadata.stderr);
    assert!(metadata.status.success(), "cargo metadata: {said}");
    let metadata: serde_json::Value =
        serde_json::from_slice(&metadata.stdout).expect("the metadata is JSON");
    let packages = metadata["packages"].as_array().expect("a list of packages");
    let manifest = packages
        .iter()
        .find(|package| package["name"] == "wdk-build")
        .and_then(|package| package["manifest_path"].as_str())
        .expect("the driver is built with wdk-build");
    Path::new(manifest).with_file_name("rust-driver-makefile.toml")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
