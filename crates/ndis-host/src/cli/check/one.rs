//! One run, in a process of its own: `ndishost check-one`, which `check` starts.
//!
//! It reads its plan, does the lab's script, and answers once, on whichever thread comes first: at the end of
//! the script, when a rule is broken, when the host panics, or when the time is over. A process that ends
//! without an answer has died.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::plan::{End, Plan, RunResult, Scheduled};
use super::policies;
use crate::faults;
use crate::lab::file::{LabFile, Running};
use crate::lab::race::{Race, Stage};
use crate::lab::script::{self, Ended, Outcome, Runner, Step};
use crate::ndis::trace::{Direction, Record, Trace};
use crate::nt::{pool, sched};
use crate::rules;

/// Does what the plan on standard input says. The exit code is 0 if it could answer.
#[must_use]
pub fn run() -> ExitCode {
    die_with_parent();
    let plan: Plan = match serde_json::from_reader(std::io::stdin().lock()) {
        Ok(plan) => plan,
        Err(error) => {
            eprintln!("ndishost: check-one is run by `ndishost check`, and reads a plan: {error}");
            return ExitCode::from(2);
        }
    };
    rules::repeat_by(plan.command());
    answer_on_panic();
    end_after(plan.limit);
    if let Some(schedule) = &plan.schedule {
        match schedule.parse() {
            Ok(seed) => sched::start_seeded(seed),
            Err(error) => {
                answer(End::Unusable(format!("{schedule}: {error}")), Vec::new());
                return ExitCode::from(2);
            }
        }
    }
    rules::at_end(|| answer(End::Died("a rule was broken".to_owned()), Vec::new()));
    let (end, steps) = match plan.lab_file() {
        Ok(file) => live(&plan, &file),
        Err(error) => (End::Unusable(error.to_string()), Vec::new()),
    };
    answer(end, steps);
    // Threads of the lab may still stand anywhere; nothing of theirs is needed any more.
    exit(0)
}

fn live(plan: &Plan, file: &LabFile) -> (End, Vec<Ended>) {
    let running = match Running::prepare(file, None) {
        Ok(running) => running,
        Err(error) => return (End::Unusable(error.to_string()), Vec::new()),
    };
    let lab = running.lab();
    let mut known = false;
    lab.policy(|policy| known = policies::apply(&plan.policy, policy));
    if !known {
        let what = format!("there is no policy {}", plan.policy);
        return (End::Unusable(what), Vec::new());
    }
    if let Some(name) = &plan.race {
        return (meet(name, file, running), Vec::new());
    }
    match plan.fault {
        Some(fault) => faults::fail(fault),
        None => faults::watch(),
    }
    let mut runner = Runner::new(lab, file);
    let fails = plan.fault.is_some() || plan.low_resources.is_some();
    let all_comes_up = !fails && policies::comes_up(&plan.policy, file);
    if !all_comes_up {
        runner = runner.impatient();
    }
    let steps = script::steps(file);
    if let Some(low_resources) = plan.low_resources {
        let is_load = |step: &Step| matches!(step, Step::Load(_));
        let loads = steps.iter().take_while(|step| is_load(step)).count();
        runner.begin(&steps[..loads]);
        faults::simulate(low_resources);
        runner.run(&steps[loads..]);
    } else {
        runner.run(&steps);
    }

    let left = lab.outstanding();
    let failed = |ended: &&Ended| ended.outcome == Outcome::Failed;
    let unexpected = runner.ended().iter().find(failed).filter(|_| all_comes_up);
    let met = || faults::points().iter().any(|point| point.failed != 0);
    let end = if let Some(error) = runner.unloadable() {
        End::Unusable(error.to_string())
    } else if !left.is_nothing() && !runner.was_shut_down() {
        End::Left(left.to_string().lines().map(str::to_owned).collect())
    } else if let Some(ended) = unexpected {
        End::Unexpected(format!("{}: {}", ended.step, ended.detail))
    } else if plan.fault.is_some() && !met() {
        End::NotMet
    } else if runner.was_refused() {
        End::Refused
    } else {
        End::Survived
    };
    (end, runner.ended().to_vec())
}

/// Runs a race. A lab that does not come up or down is a panic, and so no end of this function's.
fn meet(name: &str, file: &LabFile, running: Running) -> End {
    let Some(race) = Race::find(name) else {
        return End::Unusable(format!("there is no race {name}"));
    };
    let running: &'static Running = Box::leak(Box::new(running));
    match race.run(&Stage::new(running.lab(), file)) {
        Ok(()) => End::Survived,
        Err(what) => End::Unexpected(what),
    }
}

/// Writes the result, unless another thread did.
fn answer(end: End, steps: Vec<Ended>) {
    static ANSWERED: AtomicBool = AtomicBool::new(false);
    if ANSWERED.swap(true, Ordering::SeqCst) {
        return;
    }
    let rules = rules::evaluations().into_iter();
    // Who stands in the middle of a script may stand in the pool.
    let pool = if steps.is_empty() {
        Vec::new()
    } else {
        pool::by_caller()
    };
    let result = RunResult {
        end,
        steps,
        points: faults::points(),
        low_resources: faults::simulated(),
        pool,
        schedule: sched::report().map(|report| Scheduled {
            steps: report.steps,
            switches: report.switches,
            threads: report.threads,
            trace: report.trace,
        }),
        rules: rules
            .map(|(rule, count)| (rule.name.to_owned(), count))
            .collect(),
    };
    let mut text = serde_json::to_vec(&result).expect("a result has a form in JSON");
    text.push(b'\n');
    let mut out = std::io::stdout().lock();
    // Without the reader there is nobody to tell.
    let _ = out.write_all(&text).and_then(|()| out.flush());
}

/// Answers that the run hangs, and ends the process, when its time is over. The clock is the machine's,
/// whatever time the lab has.
fn end_after(limit: Duration) {
    std::thread::spawn(move || {
        std::thread::sleep(limit);
        answer(End::Hung(last_calls()), Vec::new());
        exit(3);
    });
}

/// A panic is the host's fault; the other threads of the run would wait for the one that is gone.
fn answer_on_panic() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        before(panic);
        answer(End::Died(format!("the host panicked: {panic}")), Vec::new());
        exit(101);
    }));
}

/// The calls that have not returned, and the last ones that have.
fn last_calls() -> Vec<String> {
    const LAST: usize = 30;
    let records = Trace.records();
    let first = records.len().saturating_sub(LAST);
    let shown = records
        .iter()
        .enumerate()
        .filter(|(index, record)| *index >= first || record.ended == 0);
    shown.map(|(_, record)| line_of(record)).collect()
}

fn line_of(record: &Record) -> String {
    let way = match record.direction {
        Direction::Call => "calls",
        Direction::Callback => "runs",
    };
    let end = match (record.ended, record.status) {
        (0, _) => " and has not returned".to_owned(),
        (_, Some(status)) => format!(": {status:#010x}"),
        (_, None) => String::new(),
    };
    let Record {
        sequence,
        driver,
        name,
        object,
        ..
    } = record;
    format!("#{sequence} {driver} {way} {name} {object}{end}")
}

fn die_with_parent() {
    // SAFETY: the option takes a signal number; the call changes nothing else of this process.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
}

fn exit(code: i32) -> ! {
    // SAFETY: `_exit` takes any status and runs nothing of this process, whose threads may stand anywhere.
    unsafe { libc::_exit(code) }
}
