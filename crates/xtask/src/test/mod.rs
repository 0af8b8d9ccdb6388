//! `cargo xtask test`: every check, in the order in which a failure is cheapest to learn of.
//!
//! Each step (`steps.rs`) is a few commands, whose output goes to a file in `target/test-logs` and is
//! shown when the step fails (`log.rs`). A step that fails does not keep the others from running,
//! but those that need the driver image are skipped without it.

mod log;
mod steps;

use std::{
    fmt,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

use crate::{
    driver::{self, Target},
    machine, repository,
};
use steps::{STEPS, Step};

/// What `cargo xtask test` is asked to do.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Runs these steps only (separated by commas).
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    only: Vec<String>,
    /// Lists the steps.
    #[arg(long)]
    list: bool,
    /// Shows all output as it comes.
    #[arg(long, short)]
    verbose: bool,
}

/// How a step ended.
enum Outcome {
    /// With what there is to say about it.
    Passed(String),
    Failed,
    /// With the reason.
    Skipped(String),
}

/// Runs the steps and fails if one did.
pub(crate) fn run(args: &Args) -> Result<()> {
    if args.list {
        for step in STEPS {
            println!("{:<14} {}", step.name, step.what);
        }
        return Ok(());
    }
    let chosen = choose(&args.only)?;
    if chosen.iter().any(|step| step.builds_driver) {
        machine::ensure(&driver::needs(Target::X64, true))?;
    }

    let folder = repository::root().join("target/test-logs");
    repository::create_folder(&folder)?;
    let mut results = Vec::new();
    let mut image_failed = false;
    for step in chosen {
        println!("== {}: {}", step.name, step.what);
        let begun = Instant::now();
        let outcome = if step.needs_image && image_failed {
            Outcome::Skipped("there is no driver image".to_owned())
        } else if step.linux_only && !cfg!(target_os = "linux") {
            Outcome::Skipped("runs on Linux only".to_owned())
        } else {
            let path = folder.join(step.name).with_extension("log");
            match log::run_all((step.commands)(), &path, args.verbose)? {
                Some(output) => Outcome::Passed(log::summary(&output)),
                None => Outcome::Failed,
            }
        };
        let took = begun.elapsed();
        println!("== {}: {outcome} ({})\n", step.name, Seconds(took));
        image_failed |= step.makes_image && !matches!(outcome, Outcome::Passed(_));
        results.push((step, outcome, took));
    }
    conclude(&results)
}

/// The steps that `only` names; all of them if it names none.
fn choose(only: &[String]) -> Result<Vec<&'static Step>> {
    for name in only {
        if !STEPS.iter().any(|step| step.name == name) {
            let names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
            bail!("there is no step {name}; there are {}", names.join(", "));
        }
    }
    Ok(STEPS
        .iter()
        .filter(|step| only.is_empty() || only.iter().any(|name| name == step.name))
        .collect())
}

/// Prints the table of the results, and fails if there is a failed or a skipped one among them.
fn conclude(results: &[(&Step, Outcome, Duration)]) -> Result<()> {
    let mut failed = Vec::new();
    for (step, outcome, took) in results {
        let took = Seconds(*took).to_string();
        println!("{:<14} {took:>8}  {outcome}", step.name);
        let platform = step.linux_only && !cfg!(target_os = "linux");
        if !matches!(outcome, Outcome::Passed(_)) && !platform {
            failed.push(step.name);
        }
    }
    let total: Duration = results.iter().map(|(_, _, took)| *took).sum();
    if failed.is_empty() {
        println!("all {} steps passed in {}", results.len(), Seconds(total));
        Ok(())
    } else {
        bail!(
            "{} of {} steps did not pass: {}",
            failed.len(),
            results.len(),
            failed.join(", ")
        )
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed(summary) if summary.is_empty() => f.write_str("ok"),
            Self::Passed(summary) => write!(f, "ok, {summary}"),
            Self::Failed => f.write_str("FAILED"),
            Self::Skipped(reason) => write!(f, "skipped: {reason}"),
        }
    }
}

struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} s", self.0.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::choose;

    #[test]
    fn no_choice_is_every_step_and_an_unknown_one_is_refused() {
        assert_eq!(choose(&[]).unwrap().len(), super::STEPS.len());
        let one = choose(&["format".to_owned()]).unwrap();
        assert_eq!(one.len(), 1);
        assert!(choose(&["formatting".to_owned()]).is_err());
    }
}
