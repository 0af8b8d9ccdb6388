//! `ndishost coverage IMAGE`: which source lines of a driver image ran, in all runs that recorded it.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::coverage::report::{Report, SourceFile};

/// Arguments of `coverage`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The driver image that ran; its PDB is taken from beside it
    image: PathBuf,
    /// The folder that NDISHOST_COVERAGE named in those runs
    #[arg(long, value_name = "DIR")]
    records: PathBuf,
    /// Only source files whose names begin so (may be given several times)
    #[arg(long, value_name = "PREFIX")]
    source: Vec<String>,
    /// Fail unless that many percent of the lines ran
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0)]
    at_least: f64,
    /// List the lines that did not run
    #[arg(long)]
    missed: bool,
    /// Print JSON
    #[arg(long, conflicts_with = "missed")]
    json: bool,
}

/// Prints the report. Exit code 1 if less ran than is asked for.
///
/// # Errors
/// If the image or its record cannot be read, or standard output cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let report = Report::read(&args.image, &args.records, &args.source)
        .with_context(|| format!("cannot report on {}", args.image.display()))?;
    let mut out = io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &report)?;
        writeln!(out)?;
    } else {
        print(&mut out, &report, args.missed)?;
    }
    let (ran, lines) = report.total();
    Ok(if percent(ran, lines) < args.at_least {
        eprintln!("less than {} % of the lines ran", args.at_least);
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn print(out: &mut impl Write, report: &Report, missed: bool) -> io::Result<()> {
    let width = report.files.iter().map(|file| file.name.len()).max();
    let width = width.unwrap_or(0).max("all".len());
    let line = |name: &str, ran: usize, lines: usize| {
        let percent = percent(ran, lines);
        format!("{name:<width$}  {ran:>5} of {lines:>5} lines  {percent:>5.1} %")
    };
    for file in &report.files {
        writeln!(out, "{}", line(&file.name, file.ran.len(), file.lines()))?;
        if missed && !file.missed.is_empty() {
            writeln!(out, "  did not run: {}", ranges(file))?;
        }
    }
    let (ran, lines) = report.total();
    writeln!(out, "{}", line("all", ran, lines))
}

fn percent(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

/// The missed lines of a file, neighbours as ranges. Lines without code join nothing and part nothing.
fn ranges(file: &SourceFile) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for line in &file.missed {
        let last = runs.last_mut();
        match last {
            Some((_, end)) if !file.ran.range(*end..*line).any(|_| true) => *end = *line,
            _ => runs.push((*line, *line)),
        }
    }
    let mut text = String::new();
    for (start, end) in runs {
        let separator = if text.is_empty() { "" } else { ", " };
        let _ = if start == end {
            write!(text, "{separator}{start}")
        } else {
            write!(text, "{separator}{start}-{end}")
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missed_lines_join_where_nothing_between_them_ran() {
        let file = SourceFile {
            name: "src/send.rs".to_owned(),
            ran: [7].into(),
            missed: [2, 4, 5, 9].into(),
        };
        assert_eq!(ranges(&file), "2-5, 9");
    }

    #[test]
    fn each_file_and_all_of_them_have_a_line_of_the_report() {
        let report = Report {
            files: vec![SourceFile {
                name: "src/send.rs".to_owned(),
                ran: [7, 8, 9].into(),
                missed: [2].into(),
            }],
        };
        let mut out = Vec::new();
        print(&mut out, &report, true).expect("memory can be written");
        let text = String::from_utf8(out).expect("it is text");
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].starts_with("src/send.rs") && lines[0].ends_with("75.0 %"));
        assert_eq!(lines[1], "  did not run: 2");
        assert!(lines[2].starts_with("all") && lines[2].ends_with("75.0 %"));
    }
}
