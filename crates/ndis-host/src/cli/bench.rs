//! `ndishost bench --lab FILE`: what an NBL costs on its way through a lab.
//!
//! The lab comes up with the rules off, and its first client and first NIC are measured
//! ([`crate::bench`]). A child process brings the same lab up with the rules on: only there calls are
//! counted, and with `--rules` it measures too, which shows the price of checking.

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use crate::bench::{Bench, Cost, Direction, Shape, Structure};
use crate::lab::file::{LabFile, Running, WhenKey};
use crate::ndis::trace::{Recording, Trace};
use crate::rules;
use text::print;

mod text;

/// Arguments of `bench`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The lab file: images, NICs, registry values, clients
    #[arg(long, value_name = "FILE")]
    lab: PathBuf,
    /// NBLs in a chain
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1024))]
    chain: u16,
    /// Bytes in a frame, with its Ethernet header
    #[arg(long, default_value_t = 1514, value_parser = clap::value_parser!(u16).range(60..=9014))]
    size: u16,
    /// How long each direction is measured: 2s, 500ms
    #[arg(long, default_value = "2s", value_parser = duration)]
    time: Duration,
    /// Which way
    #[arg(long, value_enum, default_value_t = Way::Both)]
    direction: Way,
    /// The client allocates its NBLs for each chain
    #[arg(long)]
    allocate: bool,
    /// Measure with the rules on too
    #[arg(long)]
    rules: bool,
    /// Write JSON
    #[arg(long)]
    json: bool,
    /// The child process, which has the rules on
    #[arg(long, hide = true)]
    under_rules: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Way {
    Send,
    Receive,
    Both,
}

/// What was measured.
#[derive(Debug, Deserialize, Serialize)]
struct Outcome {
    /// The lab file.
    lab: PathBuf,
    /// NBLs in a chain.
    chain: u16,
    /// Bytes in a frame.
    size: u16,
    /// The client allocates its NBLs for each chain.
    allocate: bool,
    /// Processors of this machine.
    processors: usize,
    results: Vec<Measured>,
}

/// One direction.
#[derive(Debug, Deserialize, Serialize)]
struct Measured {
    direction: Direction,
    /// Nanoseconds for one NBL.
    ns_per_nbl: Option<Cost>,
    /// For one NBL.
    structure: Structure,
    /// The same with the rules on; always with its structure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    under_rules: Option<Box<Measured>>,
}

/// Measures, and prints what came out.
///
/// # Errors
/// The lab does not come up, or frames do not get through it.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    Trace.record(Recording::Nothing);
    if !args.under_rules {
        rules::relax()?;
    }
    let mut outcome = measure(args)?;
    if !args.under_rules {
        let under_rules = child(args).context("with the rules on")?;
        for (measured, other) in outcome.results.iter_mut().zip(under_rules.results) {
            measured.under_rules = Some(Box::new(other));
        }
    }
    if args.json || args.under_rules {
        println!("{}", serde_json::to_string_pretty(&outcome)?);
    } else {
        print(&outcome);
    }
    Ok(ExitCode::SUCCESS)
}

fn measure(args: &Args) -> anyhow::Result<Outcome> {
    let mut file = LabFile::load(&args.lab)?;
    // What NDIS may do on another thread, it does on this one.
    file.policy.client_return = Some(WhenKey::Inline);
    file.policy.send_completion = Some(WhenKey::Inline);
    let mut running = Running::prepare(&file, None)?;
    let up = running.load(&file).and_then(|()| running.plug(&file));
    let results = match up {
        Ok(()) => measure_in(args, &file, &running),
        Err(error) => Err(error.into()),
    };
    let down = running.take_down();
    let results = results?;
    down?;
    Ok(Outcome {
        lab: args.lab.clone(),
        chain: args.chain,
        size: args.size,
        allocate: args.allocate,
        processors: std::thread::available_parallelism().map_or(1, usize::from),
        results,
    })
}

fn measure_in(args: &Args, file: &LabFile, running: &Running) -> anyhow::Result<Vec<Measured>> {
    let (Some(nic), Some(&client)) = (file.nics.first(), running.clients().last()) else {
        bail!("{} needs a NIC and a client", args.lab.display());
    };
    let nic = running.lab().nic(&nic.name)?.nic();
    let shape = Shape {
        chain: args.chain.into(),
        size: args.size.into(),
        allocate: args.allocate,
    };
    let directions: &[Direction] = match args.direction {
        Way::Send => &[Direction::Send],
        Way::Receive => &[Direction::Receive],
        Way::Both => &[Direction::Send, Direction::Receive],
    };
    let mut results = Vec::new();
    for &direction in directions {
        let mut bench = Bench::new(client, nic, direction, &shape)?;
        let timed = !args.under_rules || args.rules;
        let cost = timed.then(|| bench.measure(&shape, args.time)).transpose();
        let structure = bench.count(&shape);
        bench.end();
        results.push(Measured {
            direction,
            ns_per_nbl: cost?,
            structure,
            under_rules: None,
        });
    }
    Ok(results)
}

/// The same in a process with the rules on.
fn child(args: &Args) -> anyhow::Result<Outcome> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let mut command = Command::new(program);
    command.arg("bench").arg("--under-rules");
    command.arg("--lab").arg(&args.lab);
    command.arg("--chain").arg(args.chain.to_string());
    command.arg("--size").arg(args.size.to_string());
    command
        .arg("--time")
        .arg(format!("{}ms", args.time.as_millis()));
    command.arg("--direction").arg(match args.direction {
        Way::Send => "send",
        Way::Receive => "receive",
        Way::Both => "both",
    });
    command.args(args.allocate.then_some("--allocate"));
    command.args(args.rules.then_some("--rules"));
    command.stderr(std::process::Stdio::inherit());
    let output = command
        .output()
        .context("cannot start this program again")?;
    if !output.status.success() {
        bail!("the run ended with {}", output.status);
    }
    serde_json::from_slice(&output.stdout).context("what it wrote is no result")
}

/// `2s` or `500ms`.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no time such as 2s or 500ms");
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, Duration::from_millis(1)),
        None => (
            text.strip_suffix('s').ok_or_else(wrong)?,
            Duration::from_secs(1),
        ),
    };
    let number: u32 = number.parse().map_err(|_| wrong())?;
    match unit * number {
        Duration::ZERO => Err(wrong()),
        time => Ok(time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_seconds_or_milliseconds_and_not_nothing() {
        assert_eq!(duration("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        for wrong in ["2", "s", "0s", "1m", "-1s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
