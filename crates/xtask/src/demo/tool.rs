//! Programs the demo runs: short ones to their end, long ones until they are dropped.
//!
//! Every wait has a limit and ends early when the user interrupts the demo. A long-running program
//! gets a signal when the demo itself is killed, so that it does not outlive it; for that it has to
//! be started by the thread that lives as long as the demo does, the main one.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// Whether the user asked the demo to end (Ctrl-C, `SIGTERM`, `SIGHUP`).
#[derive(Clone)]
pub(super) struct Interrupt(Arc<AtomicBool>);

/// What a program that ended had to say.
pub(super) struct Finished {
    pub(super) status: ExitStatus,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// A program that runs until it is stopped or dropped.
pub(super) struct Background {
    child: Child,
    what: String,
    log: PathBuf,
}

impl Interrupt {
    /// Takes the signals over for the rest of the process.
    pub(super) fn install() -> Result<Self> {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [
            signal_hook::consts::SIGINT,
            signal_hook::consts::SIGTERM,
            signal_hook::consts::SIGHUP,
        ] {
            signal_hook::flag::register(signal, Arc::clone(&flag))
                .with_context(|| format!("cannot handle signal {signal}"))?;
        }
        Ok(Self(flag))
    }

    /// Whether a signal came.
    pub(super) fn came(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// An error if a signal came.
    pub(super) fn check(&self) -> Result<()> {
        if self.came() {
            bail!("interrupted")
        } else {
            Ok(())
        }
    }

    /// Sleeps until `done` holds; says whether it did before `limit`.
    pub(super) fn wait_until(
        &self,
        limit: Duration,
        mut done: impl FnMut() -> Result<bool>,
    ) -> Result<bool> {
        let end = Instant::now() + limit;
        loop {
            if done()? {
                return Ok(true);
            }
            self.check()?;
            if Instant::now() >= end {
                return Ok(false);
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Runs `command` to its end, whatever its exit code.
pub(super) fn run(
    command: &mut Command,
    limit: Duration,
    interrupt: &Interrupt,
) -> Result<Finished> {
    let what = describe(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Its own group: Ctrl-C reaches the demo, which then ends things in order.
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot start `{what}`"))?;
    let stdout = reader(child.stdout.take());
    let stderr = reader(child.stderr.take());
    let mut status = None;
    let waited = interrupt.wait_until(limit, || {
        status = child
            .try_wait()
            .with_context(|| format!("cannot wait for `{what}`"))?;
        Ok(status.is_some())
    });
    let Some(status) = status else {
        let _ = child.kill();
        let _ = child.wait();
        waited?;
        bail!("`{what}` did not end within {} s", limit.as_secs());
    };
    let text = |reader: JoinHandle<String>| reader.join().unwrap_or_default();
    Ok(Finished {
        status,
        stdout: text(stdout),
        stderr: text(stderr),
    })
}

/// Runs `command`, which has to succeed, and returns what it printed.
pub(super) fn must(
    command: &mut Command,
    limit: Duration,
    interrupt: &Interrupt,
) -> Result<String> {
    let what = describe(command);
    let finished = run(command, limit, interrupt)?;
    if !finished.status.success() {
        bail!(
            "`{what}` failed ({}): {}",
            finished.status,
            one_line(&finished.stderr)
        );
    }
    Ok(finished.stdout)
}

/// The last lines of what a program wrote, on one line.
pub(super) fn one_line(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines[lines.len().saturating_sub(4)..].join(" | ")
}

impl Background {
    /// Starts `command`. Its standard error goes to `log`, its standard output to where the command
    /// says, else to `log` as well.
    pub(super) fn start(command: &mut Command, stdout: Option<Stdio>, log: &Path) -> Result<Self> {
        let what = describe(command);
        let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let errors = file
            .try_clone()
            .with_context(|| format!("cannot write {}", log.display()))?;
        let child = ends_with_us(command)
            .stdin(Stdio::null())
            .stdout(stdout.unwrap_or_else(|| Stdio::from(file)))
            .stderr(errors)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start `{what}`"))?;
        Ok(Self {
            child,
            what,
            log: log.to_owned(),
        })
    }

    pub(super) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its exit status, if it has ended.
    pub(super) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child
            .try_wait()
            .with_context(|| format!("cannot wait for `{}`", self.what))
    }

    /// An error, with the end of its log, if it has ended.
    pub(super) fn must_run(&mut self) -> Result<()> {
        if let Some(status) = self.ended()? {
            bail!(
                "`{}` ended ({status}): {}",
                self.what,
                one_line(&self.said())
            );
        }
        Ok(())
    }

    /// What it wrote to its log so far.
    pub(super) fn said(&self) -> String {
        fs::read(&self.log)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// Asks it to end by `SIGTERM` or `SIGINT` and waits up to `limit`; then kills it, which is an
    /// error. Not cut short by an interrupt: this is how an interrupted demo cleans up.
    pub(super) fn stop(&mut self, signal: Signal, limit: Duration) -> Result<ExitStatus> {
        if let Some(status) = self.ended()? {
            return Ok(status);
        }
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            kill_process(pid, signal).with_context(|| format!("cannot signal `{}`", self.what))?;
        }
        let end = Instant::now() + limit;
        while Instant::now() < end {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            thread::sleep(Duration::from_millis(10));
        }
        self.child
            .kill()
            .with_context(|| format!("cannot kill `{}`", self.what))?;
        self.child
            .wait()
            .with_context(|| format!("cannot wait for `{}`", self.what))?;
        bail!(
            "`{}` did not end within {} s of {signal:?} and was killed",
            self.what,
            limit.as_secs()
        )
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.stop(Signal::TERM, Duration::from_secs(5));
    }
}

/// The same command, which the kernel ends when the thread that starts it does.
fn ends_with_us(command: &Command) -> Command {
    let mut wrapped = Command::new("setpriv");
    wrapped
        .args(["--pdeathsig", "KILL", "--"])
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => wrapped.env(name, value),
            None => wrapped.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        wrapped.current_dir(folder);
    }
    wrapped
}

/// Reads a pipe to its end on a thread of its own, so that the program never waits for us.
fn reader(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read before an error is what there is to show.
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn describe(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        let _ = write!(text, " {}", argument.to_string_lossy());
    }
    text
}
