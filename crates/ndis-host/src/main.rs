//! The command `ndishost`: inspects and runs NDIS 6 driver images on Linux.

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn main() -> std::process::ExitCode {
    linux::main()
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
fn main() -> std::process::ExitCode {
    eprintln!("ndishost runs on Linux on x86-64 only");
    std::process::ExitCode::from(2)
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod linux {
    use std::path::PathBuf;
    use std::process::ExitCode;

    use clap::{Parser, Subcommand};
    use ndis_host::cli;

    /// Inspects and runs Windows NDIS 6 driver images on Linux.
    #[derive(Parser)]
    #[command(name = "ndishost", version)]
    struct Arguments {
        /// Log more: -v what happens, -vv each step
        #[arg(short, long, global = true, action = clap::ArgAction::Count)]
        verbose: u8,
        /// If a driver breaks a rule, write the report as JSON to this file too
        #[arg(long, global = true, value_name = "FILE")]
        report: Option<PathBuf>,
        #[command(subcommand)]
        command: Command,
    }

    #[derive(Subcommand)]
    enum Command {
        /// Show what a driver image is: sections, checksum, imports, large stack frames
        Inspect(cli::inspect::Args),
        /// Show which source lines of a driver image ran
        Coverage(cli::coverage::Args),
        /// Run a lab's script under the rules, with each fault in turn if asked to
        Check(cli::check::Args),
        /// Measure what an NBL costs on its way through a lab, with the rules off
        Bench(cli::bench::Args),
        /// One run of `check`
        #[command(hide = true)]
        CheckOne,
        /// Show the rules that drivers are held to
        Rules(cli::registry::Args),
        /// Show the functions that driver images may import
        Functions(cli::registry::Args),
        /// Run the lab that a lab file describes, until Ctrl-C
        Run(cli::run::Args),
    }

    pub(super) fn main() -> ExitCode {
        let arguments = Arguments::parse();
        start_log(arguments.verbose);
        ndis_host::rules::show_calls_on_panic();
        ndis_host::rules::repeat_by(command_line());
        if let Some(file) = arguments.report {
            ndis_host::rules::report_to(file);
        }
        let result = match arguments.command {
            Command::Inspect(args) => cli::inspect::run(&args),
            Command::Coverage(args) => cli::coverage::run(&args),
            Command::Check(args) => cli::check::run(&args),
            Command::Bench(args) => cli::bench::run(&args),
            Command::CheckOne => Ok(cli::check::one::run()),
            Command::Rules(args) => cli::registry::rules(args),
            Command::Functions(args) => cli::registry::functions(args),
            Command::Run(args) => cli::run::run(&args),
        };
        result.unwrap_or_else(|error| {
            eprintln!("ndishost: {error:#}");
            ExitCode::from(2)
        })
    }

    /// This command, as one types it.
    fn command_line() -> String {
        let arguments: Vec<String> = std::env::args().map(|argument| quoted(&argument)).collect();
        arguments.join(" ")
    }

    fn quoted(argument: &str) -> String {
        let plain =
            |character: char| character.is_ascii_alphanumeric() || "-_./=:,+@".contains(character);
        if !argument.is_empty() && argument.chars().all(plain) {
            return argument.to_owned();
        }
        format!("'{}'", argument.replace('\'', r"'\''"))
    }

    /// Logs go to standard error; `RUST_LOG` overrides the level.
    fn start_log(verbose: u8) {
        let level = match verbose {
            0 => "warn",
            1 => "info",
            2 => "debug",
            _ => "trace",
        };
        let filter = tracing_subscriber::EnvFilter::try_from_default_env()
            .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .init();
    }
}
