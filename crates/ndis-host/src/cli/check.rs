//! `ndishost check --lab FILE`: runs a lab's script under the rules, again and again under other
//! circumstances, and says what came of it.
//!
//! Plain, the script runs once under each of the [`policies`]. With `--faults` it runs once to see which
//! calls can fail, then once for each of them with that one failing. With `--low-resources` it runs
//! so many times with calls that fail at random. With `--schedules` it runs, and
//! each race of `lab::race` does, once for each seed. A broken rule ends a process, so each run is a process
//! of its own (`one`), which is told by a [`plan`] and answers with a result.
//!
//! Exit code 0 says that every run kept all rules, came to its end, and left nothing behind; 1 that one did
//! not; 2 that the lab or the arguments cannot be used; 130 that Ctrl-C ended it before all was tried.

mod child;
pub mod one;
pub mod plan;
pub mod policies;
pub mod schedules;
mod series;
mod summary;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::cli::verifier;
use crate::faults::LowResources;
use crate::lab::file::{LabFile, Replace, WireSection};
use plan::{End, Plan, Selector};
use series::{Series, Tried};
use summary::Summary;

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The lab file; its wires are "memory"
    #[arg(long, value_name = "FILE")]
    lab: PathBuf,
    /// Take this file for the image of that service
    #[arg(long = "image", value_name = "SERVICE=FILE")]
    images: Vec<Replace>,
    /// Let each call that can fail, fail in turn
    #[arg(long)]
    faults: bool,
    /// Let each call that can fail, fail together with the one that follows it, too
    #[arg(long, requires = "faults")]
    pairs: bool,
    /// Let each call that can fail, fail whenever it comes by, too
    #[arg(long, requires = "faults")]
    always: bool,
    /// Only this fault: a point, or what a report of a run names
    #[arg(long, value_name = "POINT", requires = "faults")]
    only: Option<Selector>,
    /// Not more than this many faults, spread over all of them
    #[arg(long, value_name = "N", requires = "faults")]
    limit: Option<usize>,
    #[command(flatten)]
    verifier: verifier::Args,
    /// So many runs under --low-resources, each with the seed after the one before
    #[arg(
        long,
        value_name = "N",
        requires = "low_resources",
        default_value_t = 10
    )]
    low_resources_runs: u64,
    #[command(flatten)]
    schedules: schedules::Args,
    /// Only under this policy [default: `strict` with --faults, --low-resources or --schedules, else all]
    #[arg(long, value_name = "NAME", value_parser = policies::names())]
    policy: Option<String>,
    /// Runs at the same time [default: one for each processor]
    #[arg(long, short, value_name = "N")]
    jobs: Option<usize>,
    /// End a run after this many seconds: it hangs
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,
    /// Write the summary as JSON
    #[arg(long)]
    json: bool,
}

/// Runs all that was asked for, and says what came of it.
///
/// # Errors
/// The lab file cannot be used, an image of it cannot be loaded, or runs cannot be started.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let file = args.plan(policies::STRICT).lab_file()?;
    require_memory(&file)?;
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [libc::SIGINT, libc::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop)).context("cannot handle signals")?;
    }
    let jobs = args
        .jobs
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get));
    let series = Series::new(jobs, !args.json, Arc::clone(&stop));
    let mut summary = Summary::new(&args.lab);

    let policies = match &args.policy {
        Some(name) => vec![name.clone()],
        None if args.tries_more() => vec![policies::STRICT.to_owned()],
        None => policies::names().map(str::to_owned).to_vec(),
    };
    let low_resources = args.verifier.low_resources();
    if args.faults || low_resources.is_some() || !args.schedules.are_wanted() {
        let plans = policies.iter().map(|policy| args.plan(policy)).collect();
        let first = series.run("policies", plans)?;
        refuse_unloadable(&first)?;
        summary.add_plain(&first);
        if args.faults {
            for tried in &first {
                run_faults(args, &series, tried, &mut summary)?;
            }
        }
        if let Some(low_resources) = low_resources {
            for tried in &first {
                let plans = args.low_resources(&tried.plan, low_resources);
                summary.add_low_resources(&series.run("resources", plans)?);
            }
        }
    }

    if args.schedules.are_wanted() {
        for policy in &policies {
            let plan = args.plan(policy);
            args.schedules.run(&plan, &file, &series, &mut summary)?;
        }
    }

    if stop.load(Ordering::SeqCst) {
        summary.interrupted();
    }
    summary.print(args.json)?;
    Ok(ExitCode::from(summary.exit_code()))
}

/// One run for each fault of a run that went through without any.
fn run_faults(
    args: &Args,
    series: &Series,
    whole: &Tried,
    summary: &mut Summary,
) -> anyhow::Result<()> {
    let points = &whole.result.points;
    let mut faults = plan::faults(points, args.pairs, args.always);
    if let Some(only) = &args.only {
        faults.retain(|fault| only.selects(fault));
        if faults.is_empty() {
            // It may be one that no run without faults passes.
            faults.extend(only.fault());
        }
    }
    if let Some(limit) = args.limit {
        faults = plan::spread(&faults, limit);
    }
    let plans = faults.into_iter().map(|fault| Plan {
        fault: Some(fault),
        ..whole.plan.clone()
    });
    let tried = series.run("faults", plans.collect())?;
    summary.add_faults(points, &tried);
    Ok(())
}

impl Args {
    /// Whether runs are wanted that make something fail or are scheduled.
    fn tries_more(&self) -> bool {
        self.faults || self.verifier.low_resources().is_some() || self.schedules.are_wanted()
    }

    /// The plan again and again, each time with other calls that fail.
    fn low_resources(&self, plan: &Plan, first: LowResources) -> Vec<Plan> {
        let seeds = (0..self.low_resources_runs).map(|run| first.seed.wrapping_add(run));
        let plans = seeds.map(|seed| Plan {
            low_resources: Some(LowResources { seed, ..first }),
            ..plan.clone()
        });
        plans.collect()
    }

    fn plan(&self, policy: &str) -> Plan {
        Plan {
            lab: self.lab.clone(),
            images: self.images.clone(),
            policy: policy.to_owned(),
            fault: None,
            low_resources: None,
            special_pool: self.verifier.special_pool,
            schedule: None,
            race: None,
            limit: Duration::from_secs(self.timeout),
        }
    }
}

/// A run must not depend on the machine's network, nor leave anything on it.
fn require_memory(file: &LabFile) -> anyhow::Result<()> {
    let nics = file.nics.iter().map(|nic| ("nic", &nic.name, &nic.wire));
    let clients = file
        .clients
        .iter()
        .map(|client| ("client", &client.name, &client.wire));
    for (section, name, wire) in nics.chain(clients) {
        if *wire != WireSection::Memory {
            bail!(
                "the {section} {name} is on a wire of this machine: `check` runs labs on `wire = \"memory\"` only, \
                 because it runs them many times at once"
            );
        }
    }
    Ok(())
}

fn refuse_unloadable(tried: &[Tried]) -> anyhow::Result<()> {
    for tried in tried {
        if let End::Unusable(why) = &tried.result.end {
            bail!("{why}");
        }
    }
    Ok(())
}
