//! `ndishost` under the demo: started in the host's namespace, followed by its events, ended in order.
//!
//! Its events are lines of JSON on its standard output (`ndishost run --json`). They are collected on
//! a thread for as long as it runs.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::Signal;
use serde_json::Value;

use super::network::Namespace;
use super::tool::{self, Background, Interrupt};

/// Builds the program of a package and returns where it is.
pub(super) fn build(root: &Path, package: &str, program: &str) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--release", "--package", package, "--bin", program])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(root)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot build {program}: cargo does not start"))?;
    ensure!(
        output.status.success(),
        "{program} does not build: cargo ended with {}",
        output.status
    );
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .with_context(|| format!("cargo built {program}, but does not say where it is"))
}

/// A running `ndishost`.
pub(super) struct Host {
    process: Background,
    events: Arc<Mutex<Vec<Value>>>,
    reader: Option<JoinHandle<()>>,
}

impl Host {
    /// Starts it on the lab file `lab`, controlled by the socket `control`.
    pub(super) fn start(
        namespace: &Namespace,
        ndishost: &Path,
        lab: &Path,
        control: &Path,
        captures: Option<&Path>,
        log: &Path,
    ) -> Result<Self> {
        let mut command = namespace.command(ndishost);
        command.args(["run", "--json", "--lab"]).arg(lab);
        command.args(["--clients", "tap", "--control"]).arg(control);
        if let Some(captures) = captures {
            command.arg("--capture").arg(captures);
        }
        let mut process = Background::start(&mut command, Some(Stdio::piped()), log)?;
        let events = Arc::new(Mutex::new(Vec::new()));
        let stdout = process
            .child()
            .stdout
            .take()
            .context("ndishost has no standard output")?;
        let sink = Arc::clone(&events);
        let reader = thread::spawn(move || {
            for line in BufReader::new(stdout).lines() {
                let Ok(line) = line else { break };
                let event = serde_json::from_str(&line)
                    .unwrap_or_else(|_| serde_json::json!({ "event": "text", "text": line }));
                sink.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(event);
            }
        });
        Ok(Self {
            process,
            events,
            reader: Some(reader),
        })
    }

    /// Waits until it says that everything is up.
    pub(super) fn wait_ready(&mut self, limit: Duration, interrupt: &Interrupt) -> Result<()> {
        let events = Arc::clone(&self.events);
        let process = &mut self.process;
        let ready = interrupt.wait_until(limit, || {
            process.must_run()?;
            let events = events.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(events.iter().any(|event| event["event"] == "ready"))
        })?;
        if !ready {
            bail!(
                "not ready within {} s: {}",
                limit.as_secs(),
                tool::one_line(&self.process.said())
            );
        }
        Ok(())
    }

    /// An error if it has ended.
    pub(super) fn must_run(&mut self) -> Result<()> {
        self.process.must_run()
    }

    /// All events so far.
    pub(super) fn events(&self) -> Vec<Value> {
        self.lock().clone()
    }

    /// Ends it as Ctrl-C does, and waits for all that it has to say.
    pub(super) fn stop(&mut self, limit: Duration) -> Result<ExitStatus> {
        let status = self.process.stop(Signal::INT, limit);
        if let Some(reader) = self.reader.take() {
            // The reader ends with the pipe, which ended with the process.
            let _ = reader.join();
        }
        status
    }

    /// What it wrote to standard error.
    pub(super) fn log(&self) -> String {
        self.process.said()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Value>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
