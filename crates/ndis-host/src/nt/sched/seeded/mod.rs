//! One thread at a time: every thread of the host runs under one token, and a seed says who gets it.
//!
//! [`start`] makes the calling thread the first one and lasts until the process ends. From then on a
//! thread gives the token up where it waits, sleeps, spins or ends, and may lose it at each crossing
//! between driver and host (`step`). Time stands still while a thread can run; when none can, the
//! clock jumps to the next deadline. So a watchdog's 30 s take no time, and when there is no deadline
//! either, the run is stuck, which is reported with who waits for what.
//!
//! The same seed, image and lab give the same run, as long as nothing that decides depends on an
//! address, a hash map's order, a real clock, or a thread from elsewhere. [`prepare_child`] keeps
//! addresses the same from process to process where the system allows it.
//!
//! Not in here: the threads' states and the clock (`state`), the choice (`strategy`).

mod state;
mod strategy;

use std::cell::Cell;
use std::fmt::Write as _;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

pub use strategy::{NoSeed, Seed, Strategy};

use super::{current_id, current_name};
use crate::call;
use crate::rules;
use state::{State, Stuck, Wait};

/// What a seeded run did so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// What it was started with.
    pub seed: Seed,
    /// Points at which another thread could take over.
    pub steps: u64,
    /// How often one did.
    pub switches: u64,
    /// Threads that were started.
    pub threads: u64,
    /// Crossings between driver and host.
    pub crossings: u64,
    /// A hash of all crossings in their order, with the threads that made them. Two runs with the
    /// same number did the same.
    pub trace: u64,
    /// How far the clock went.
    pub time: Duration,
}

/// Puts the process under a seeded scheduler, for good. The calling thread is its first thread. To be
/// called before there is a lab.
///
/// # Panics
/// If it was called before, threads of the host run already, or the rules are off.
pub fn start(seed: Seed) {
    assert!(
        rules::enforced(),
        "a seeded run looks for broken rules, which are off in this process"
    );
    let running = super::threads();
    assert!(
        running.is_empty(),
        "a seeded run starts before any thread of the host; these run already: {running:?}"
    );
    let mut state = State::new(seed);
    let me = current_id();
    state.add(me, current_name(), false);
    state.running = me;
    let run = Run {
        seed,
        state: Mutex::new(state),
        trace: Mutex::new(Trace::default()),
    };
    assert!(RUN.set(run).is_ok(), "a process has one seeded run");
    MEMBER.set(true);
    SEEDED.store(true, Ordering::SeqCst);
    rules::on_report("Schedule", lines);
}

/// Whether the process is under a seeded scheduler.
#[must_use]
pub fn is_seeded() -> bool {
    SEEDED.load(Ordering::Relaxed)
}

/// What the seeded run did so far; none if there is none.
#[must_use]
pub fn report() -> Option<Report> {
    let run = RUN.get()?;
    let state = run.state();
    let trace = run.trace.lock().unwrap_or_else(PoisonError::into_inner);
    Some(Report {
        seed: run.seed,
        steps: state.steps,
        switches: state.switches,
        threads: state.started,
        crossings: trace.crossings,
        trace: trace.hash,
        time: state.now,
    })
}

/// Lets a child process have its memory at the same addresses each time. Where the system does not
/// allow that, the child runs all the same.
pub fn prepare_child(command: &mut std::process::Command) -> &mut std::process::Command {
    use std::os::unix::process::CommandExt as _;
    let fix_addresses = || {
        // SAFETY: `personality` is a bare system call, which is all that may run in a forked child.
        unsafe { libc::personality(libc::ADDR_NO_RANDOMIZE as libc::c_ulong) };
        Ok(())
    };
    // SAFETY: the closure makes one system call and allocates nothing.
    unsafe { command.pre_exec(fix_addresses) }
}

/// Draws a number below `end` from the seed; 0 if there is no seeded run.
#[must_use]
pub fn choose(end: u32) -> u32 {
    match run_of_this_thread() {
        Some(run) if end > 1 => run.state().chooser.below(end.into()) as u32,
        _ => 0,
    }
}

/// The virtual time, which a report has too.
pub(super) fn now() -> Option<Duration> {
    Some(RUN.get().filter(|_| is_seeded())?.state().now)
}

/// Another thread may take over here.
pub(super) fn step() {
    let Some(run) = run_of_this_thread() else {
        return;
    };
    assert_eq!(
        super::locks_held(),
        0,
        "the host crosses to or from a driver while it holds a lock"
    );
    let mut state = run.state();
    let next = state.step();
    hand_over(state, next);
}

/// Waits for a notification of what is at `on`, or until that time.
pub(super) fn wait(on: usize, until: Option<Duration>, at: &'static Location<'static>) {
    let Some(run) = run_of_this_thread() else {
        return;
    };
    let mut inside = String::new();
    for frame in call::frames() {
        // Writing to a String does not fail.
        let _ = write!(inside, "{} > ", frame.name);
    }
    let mut state = run.state();
    let next = state.wait(Wait {
        on,
        until,
        at,
        inside,
    });
    hand_over(state, next);
}

/// Lets others run until a spin lock may be free; answers with the time.
pub(super) fn spin() -> Option<Duration> {
    let run = run_of_this_thread()?;
    let mut state = run.state();
    let next = state.spin();
    hand_over(state, next);
    now()
}

/// Lets those who wait for what is at `on` look again.
pub(super) fn notify(on: usize) {
    if let Some(run) = active() {
        run.state().notify(on);
    }
}

/// Notes a crossing in the trace.
pub(crate) fn crossing(kind: u8, name: &str) {
    let Some(run) = active() else {
        return;
    };
    let mut trace = run.trace.lock().unwrap_or_else(PoisonError::into_inner);
    trace.crossings += 1;
    trace.add(&current_id().to_le_bytes());
    trace.add(&[kind]);
    trace.add(name.as_bytes());
}

/// Whether this thread may run code of drivers and the host: any may, unless a seeded run goes on.
pub(super) fn check_member() {
    assert!(
        !is_seeded() || MEMBER.get() || reporting(),
        "the thread {} is not under the seeded scheduler: start it by sched::spawn",
        current_name()
    );
}

/// A thread that is being started under the scheduler.
pub(super) struct Starting {
    id: u64,
    arrived: Arc<std::sync::Barrier>,
}

impl Starting {
    /// Takes the thread of that number in, if a seeded run goes on.
    pub(super) fn new(id: u64, name: &str, service: bool) -> Option<Arc<Self>> {
        let run = run_of_this_thread()?;
        run.state().add(id, name.to_owned(), service);
        Some(Arc::new(Self {
            id,
            arrived: Arc::new(std::sync::Barrier::new(2)),
        }))
    }

    /// The starter's side: returns when the system has done all that starting a thread takes, so that
    /// nothing of it runs beside this thread.
    pub(super) fn started(&self, handle: JoinHandle<()>) {
        if let Some(run) = active() {
            let mut state = run.state();
            if let Some(task) = state.threads.get_mut(&self.id) {
                task.handle = Some(handle);
            }
        }
        self.arrived.wait();
    }

    /// The new thread's side: returns when it gets the token for the first time.
    pub(super) fn enter(&self) -> Entered {
        MEMBER.set(true);
        self.arrived.wait();
        if let Some(run) = active() {
            wait_for_token(run.state(), self.id);
        }
        Entered(())
    }
}

/// A thread of a seeded run; it has ended when this is dropped.
pub(super) struct Entered(());

impl Drop for Entered {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Nobody would get the token any more. The panic was printed.
            std::process::abort();
        }
        let Some(run) = active() else {
            return;
        };
        MEMBER.set(false);
        let mut state = run.state();
        let next = state.end();
        if give(&mut state, next).is_err() {
            drop(state);
            stuck();
        }
    }
}

struct Run {
    seed: Seed,
    state: Mutex<State>,
    trace: Mutex<Trace>,
}

impl Run {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// FNV-1a over all crossings.
struct Trace {
    crossings: u64,
    hash: u64,
}

impl Trace {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

impl Default for Trace {
    fn default() -> Self {
        Self {
            crossings: 0,
            hash: 0xcbf2_9ce4_8422_2325,
        }
    }
}

/// The run, unless there is none or it ends with a report, when the reporting thread goes on alone.
fn active() -> Option<&'static Run> {
    if !is_seeded() || reporting() {
        return None;
    }
    RUN.get()
}

/// The same for a thread that is about to give up the token, which it must have.
fn run_of_this_thread() -> Option<&'static Run> {
    let run = active()?;
    check_member();
    Some(run)
}

fn reporting() -> bool {
    rules::is_reporting()
}

/// Gives the token to the next thread and returns when this one has it again.
fn hand_over(mut state: MutexGuard<'_, State>, next: Result<u64, Stuck>) {
    let me = state.running;
    if next == Ok(me) {
        return;
    }
    state = match give(&mut state, next) {
        Ok(()) => state,
        Err(Stuck) => {
            drop(state);
            stuck();
        }
    };
    wait_for_token(state, me);
}

fn give(state: &mut State, next: Result<u64, Stuck>) -> Result<(), Stuck> {
    let next = next?;
    state.running = next;
    state.switches += 1;
    if let Some(task) = state.threads.get(&next) {
        task.wake.notify_one();
    }
    Ok(())
}

fn wait_for_token(mut state: MutexGuard<'_, State>, me: u64) {
    let wake = state.threads.get(&me).map(|task| task.wake.clone());
    let wake = wake.expect("a thread that waits for the token is in the table");
    while state.running != me {
        state = wake.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
    let ended = std::mem::take(&mut state.ended);
    drop(state);
    for handle in ended {
        // A thread that panics ends the process.
        let _ = handle.join();
    }
}

fn stuck() -> ! {
    rules::broken(
        &rules::SYNTHETIC_WATCHDOG_TIMEOUT,
        "no thread can go on: each waits for what another one has to do (see Schedule)",
    )
}

/// The part of a report about the schedule.
fn lines() -> Vec<String> {
    let Some(run) = RUN.get() else {
        return Vec::new();
    };
    let Ok(state) = run.state.try_lock() else {
        return vec![run.seed.to_string()];
    };
    let mut lines = vec![format!(
        "{}: step {}, {} switches, {:.3} s on the clock",
        run.seed,
        state.steps,
        state.switches,
        state.now.as_secs_f64()
    )];
    lines.extend(state.describe());
    lines
}

static SEEDED: AtomicBool = AtomicBool::new(false);
static RUN: OnceLock<Run> = OnceLock::new();

thread_local! {
    /// Whether this thread is one of the seeded run's.
    static MEMBER: Cell<bool> = const { Cell::new(false) };
}
