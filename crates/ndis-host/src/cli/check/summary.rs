//! What came of all runs: told as text, or written as JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::plan::{self, End};
use super::policies;
use super::series::Tried;
use crate::faults::{Point, Simulated};
use crate::lab::script::Outcome;
use crate::nt::pool::Used;

/// The whole summary. Its JSON has these fields.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    lab: PathBuf,
    policies: Counts,
    /// The fallible calls of the runs without a fault, by call stack.
    points: usize,
    faults: Counts,
    low_resources: LowResources,
    /// Runs under seeded schedules: of the script, and of each race.
    schedules: BTreeMap<&'static str, Counts>,
    /// Points of those runs at which another thread could take over.
    switch_points: u64,
    /// Runs that say that something is wrong.
    bad: Vec<Bad>,
    /// Steps of runs without a fault that were skipped, and why.
    skipped: Vec<String>,
    /// How much pool was used by tag and caller, over all runs that came to their end.
    pool: Vec<Used>,
    rules: Rules,
    /// It was asked to stop before all was tried.
    interrupted: bool,
    exit_code: u8,
}

/// How runs of one sort ended.
#[derive(Debug, Default, Serialize)]
struct Counts {
    tried: usize,
    survived: usize,
    refused: usize,
    not_met: usize,
    broken: usize,
    other: usize,
}

#[derive(Debug, Default, Serialize)]
struct Rules {
    evaluated: usize,
    checks: u64,
    by_name: BTreeMap<String, u64>,
}

/// Runs under the low resources simulation.
#[derive(Debug, Default, Serialize)]
struct LowResources {
    #[serde(flatten)]
    runs: Counts,
    #[serde(flatten)]
    simulated: Simulated,
}

/// A run that says that something is wrong.
#[derive(Debug, Serialize)]
struct Bad {
    policy: String,
    race: Option<String>,
    schedule: Option<String>,
    fault: Option<String>,
    /// The seed of its low resources simulation.
    low_resources: Option<u64>,
    /// The call that was made to fail.
    point: Option<Point>,
    #[serde(flatten)]
    end: End,
    /// The command that does it again.
    repeat: String,
}

impl Summary {
    pub(super) fn new(lab: &Path) -> Self {
        Self {
            lab: lab.to_owned(),
            policies: Counts::default(),
            points: 0,
            faults: Counts::default(),
            low_resources: LowResources::default(),
            schedules: BTreeMap::new(),
            switch_points: 0,
            bad: Vec::new(),
            skipped: Vec::new(),
            pool: Vec::new(),
            rules: Rules::default(),
            interrupted: false,
            exit_code: 0,
        }
    }

    /// Runs without a fault.
    pub(super) fn add_plain(&mut self, tried: &[Tried]) {
        for run in tried {
            self.policies.add(&run.result.end);
            self.add(run, None);
            let skipped = run.result.steps.iter();
            let skipped = skipped.filter(|step| step.outcome == Outcome::Skipped);
            if run.plan.policy == policies::STRICT {
                self.skipped
                    .extend(skipped.map(|step| format!("{}: {}", step.step, step.detail)));
            }
        }
    }

    /// Runs with a fault at one of the points.
    pub(super) fn add_faults(&mut self, points: &[Point], tried: &[Tried]) {
        self.points += points.len();
        for run in tried {
            self.faults.add(&run.result.end);
            let wanted = run.plan.fault.map(|fault| fault.point);
            let passed = run.result.points.iter().chain(points);
            let point = passed.into_iter().find(|point| Some(point.id) == wanted);
            self.add(run, point);
        }
    }

    /// Runs with calls that fail at random.
    pub(super) fn add_low_resources(&mut self, tried: &[Tried]) {
        for run in tried {
            self.low_resources.runs.add(&run.result.end);
            let simulated = run.result.low_resources.unwrap_or_default();
            self.low_resources.simulated.calls += simulated.calls;
            self.low_resources.simulated.failed += simulated.failed;
            self.add(run, None);
        }
    }

    /// Runs under a schedule.
    pub(super) fn add_schedules(&mut self, name: &'static str, tried: &[Tried]) {
        for run in tried {
            self.schedules.entry(name).or_default().add(&run.result.end);
            self.switch_points += run.result.schedule.map_or(0, |schedule| schedule.steps);
            self.add(run, None);
        }
    }

    fn add(&mut self, run: &Tried, point: Option<&Point>) {
        for (rule, count) in &run.result.rules {
            *self.rules.by_name.entry(rule.clone()).or_default() += count;
        }
        self.add_pool(&run.result.pool);
        self.rules.evaluated = self.rules.by_name.len();
        self.rules.checks = self.rules.by_name.values().sum();
        if !run.result.end.is_bad() {
            return;
        }
        let fault = run.plan.fault.as_ref().map(plan::name_of);
        self.bad.push(Bad {
            policy: run.plan.policy.clone(),
            race: run.plan.race.clone(),
            schedule: run.plan.schedule.clone(),
            fault,
            low_resources: run.plan.low_resources.map(|low| low.seed),
            point: point.cloned(),
            end: run.result.end.clone(),
            repeat: run.plan.command(),
        });
        self.exit_code = 1;
    }

    fn add_pool(&mut self, used: &[Used]) {
        for more in used {
            let known = |known: &&mut Used| known.tag == more.tag && known.caller == more.caller;
            let Some(Used { usage, .. }) = self.pool.iter_mut().find(known) else {
                self.pool.push(more.clone());
                continue;
            };
            usage.allocations += more.usage.allocations;
            usage.frees += more.usage.frees;
            usage.bytes += more.usage.bytes;
            usage.peak = usage.peak.max(more.usage.peak);
        }
    }

    /// Says that not all was tried that was asked for.
    pub(super) fn interrupted(&mut self) {
        self.interrupted = true;
        // What was not tried is not known to be good.
        if self.exit_code == 0 {
            self.exit_code = INTERRUPTED;
        }
    }

    pub(super) fn exit_code(&self) -> u8 {
        self.exit_code
    }

    /// Writes it to standard output.
    pub(super) fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            println!("{}", serde_json::to_string_pretty(self)?);
        } else {
            print!("{}", self.text());
        }
        Ok(())
    }

    fn text(&self) -> String {
        let mut out = String::new();
        for bad in &self.bad {
            out.push_str(&bad.text());
        }
        for skipped in &self.skipped {
            // Writing to a String does not fail.
            let _ = writeln!(out, "skipped  {skipped}");
        }
        let _ = self.write_block(&mut out);
        out
    }

    fn write_block(&self, out: &mut String) -> std::fmt::Result {
        let Rules {
            evaluated, checks, ..
        } = self.rules;
        writeln!(out, "\nCheck of {}", self.lab.display())?;
        if self.policies.tried == 0 {
            writeln!(out, "  policies   none tried")?;
        } else {
            writeln!(out, "  policies   {}", self.policies.text())?;
        }
        if self.points == 0 && self.faults.tried == 0 {
            writeln!(out, "  faults     none tried")?;
        } else {
            let points = self.points;
            writeln!(out, "  faults     {points} points; {}", self.faults.text())?;
        }
        let LowResources { runs, simulated } = &self.low_resources;
        if runs.tried != 0 {
            let Simulated { calls, failed } = simulated;
            let runs = runs.text();
            writeln!(out, "  resources  {failed} of {calls} calls failed; {runs}")?;
        }
        if self.schedules.is_empty() {
            writeln!(out, "  schedules  none tried")?;
        } else {
            let tried: usize = self.schedules.values().map(|counts| counts.tried).sum();
            let points = self.switch_points;
            writeln!(
                out,
                "  schedules  {tried} tried, {points} points to switch at"
            )?;
        }
        for (name, counts) in &self.schedules {
            writeln!(out, "    {name:<21}  {}", counts.text())?;
        }
        writeln!(out, "  rules      {evaluated} evaluated, {checks} times")?;
        if self.interrupted {
            writeln!(out, "  interrupted before all was tried")?;
        }
        writeln!(out, "  exit code  {}", self.exit_code)
    }
}

/// What a shell answers for a command that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

impl Counts {
    fn add(&mut self, end: &End) {
        self.tried += 1;
        let count = match end {
            End::Survived => &mut self.survived,
            End::Refused => &mut self.refused,
            End::NotMet => &mut self.not_met,
            End::Broken { .. } | End::Left(_) => &mut self.broken,
            _ => &mut self.other,
        };
        *count += 1;
    }

    fn text(&self) -> String {
        let mut parts = vec![format!("{} survived", self.survived)];
        for (count, what) in [
            (self.refused, "refused by DriverEntry"),
            (self.not_met, "not met again"),
            (self.broken, "broke a rule"),
            (self.other, "went wrong otherwise"),
        ] {
            if count != 0 {
                parts.push(format!("{count} {what}"));
            }
        }
        format!("{} tried: {}", self.tried, parts.join(", "))
    }
}

impl Bad {
    fn text(&self) -> String {
        let mut out = String::new();
        // Writing to a String does not fail.
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let (head, body): (String, Vec<String>) = match &self.end {
            End::Broken { rule, report } => (
                format!("broke {rule}"),
                report.lines().map(str::to_owned).collect(),
            ),
            End::Left(left) => ("left something behind".to_owned(), left.clone()),
            End::Hung(calls) => (
                "hangs; its last calls, the newest last".to_owned(),
                calls.clone(),
            ),
            End::Unexpected(what) => (what.clone(), Vec::new()),
            End::Died(what) => (
                "died, which is a fault of the host".to_owned(),
                what.lines().map(str::to_owned).collect(),
            ),
            other => (format!("{other:?}"), Vec::new()),
        };
        writeln!(out, "\nBAD  under policy {}: {head}", self.policy)?;
        if let Some(fault) = &self.fault {
            let function = self.point.as_ref().map_or("?", |point| &point.function);
            writeln!(out, "  fault   {fault}, {function}")?;
        }
        for caller in self.point.iter().flat_map(|point| &point.stack) {
            writeln!(out, "          {caller}")?;
        }
        if let Some(schedule) = &self.schedule {
            writeln!(out, "  seed    {schedule}")?;
        }
        writeln!(out, "  repeat  {}", self.repeat)?;
        for line in body {
            writeln!(out, "    {line}")?;
        }
        Ok(())
    }
}
