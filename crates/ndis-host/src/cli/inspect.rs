//! `ndishost inspect IMAGE`: what a driver image is, and whether anything in it must not be.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::image::inspect::{self, Module, Report, Status};

/// Arguments of `inspect`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The driver image, a .sys file; its PDB is taken from beside it
    image: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Inspects the image. Exit code 1 if it has what a driver image must not have.
///
/// # Errors
/// If the file is no PE image, or standard output cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let report = inspect::file(&args.image)
        .with_context(|| format!("cannot inspect {}", args.image.display()))?;
    let mut out = io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &report)?;
        writeln!(out)?;
    } else {
        print(&mut out, &args.image.display().to_string(), &report)?;
    }
    Ok(if report.problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn print(out: &mut impl Write, name: &str, report: &Report) -> io::Result<()> {
    writeln!(out, "{name}")?;
    writeln!(
        out,
        "  {} {} image, {} KiB in memory",
        report.machine,
        report.subsystem,
        report.size / 1024
    )?;
    let entry = report.entry_symbol.as_deref().unwrap_or("unnamed");
    writeln!(out, "  entry      {:#x} ({entry})", report.entry)?;
    let checksum = &report.checksum;
    let verdict = if checksum.stored == checksum.computed {
        "correct".to_owned()
    } else {
        format!("WRONG, should be {:#010x}", checksum.computed)
    };
    writeln!(out, "  checksum   {:#010x} ({verdict})", checksum.stored)?;
    let symbols = report
        .symbols
        .as_deref()
        .unwrap_or("no PDB beside the image");
    writeln!(out, "  symbols    {symbols}")?;

    writeln!(out, "\nSections")?;
    for section in &report.sections {
        writeln!(
            out,
            "  {:<8} {} {:>#8x} {:>8} bytes{}",
            section.name,
            section.protection,
            section.offset,
            section.size,
            if section.discardable {
                ", discardable"
            } else {
                ""
            }
        )?;
    }
    for module in &report.imports {
        print_module(out, module)?;
    }
    writeln!(out, "\nProblems")?;
    if report.problems.is_empty() {
        writeln!(
            out,
            "  none: no NDIS 5 import, no stack frame of a page or more, no __chkstk"
        )?;
    }
    for problem in &report.problems {
        writeln!(out, "  {problem}")?;
    }
    Ok(())
}

fn print_module(out: &mut impl Write, module: &Module) -> io::Result<()> {
    let unknown = module
        .functions
        .iter()
        .filter(|function| function.status == Status::Unknown)
        .count();
    write!(
        out,
        "\nImports from {}: {}",
        module.name,
        module.functions.len()
    )?;
    if unknown != 0 {
        write!(out, ", {unknown} of them unknown to this host")?;
    }
    writeln!(out)?;
    for function in &module.functions {
        let mark = match function.status {
            Status::Known => "",
            Status::Unknown => "  UNKNOWN",
            Status::Forbidden => "  FORBIDDEN (NDIS 5)",
        };
        writeln!(out, "  {}{mark}", function.name)?;
    }
    Ok(())
}
