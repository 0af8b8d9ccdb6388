//! The report of a broken rule, and the end of the process after it.
//!
//! It reads like the analysis of a crash dump: the rule and its promise, what happened, the driver's
//! code, the state of the thread, its last calls, and what other modules add ([`on_report`]).

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::Rule;
use crate::call::{self, CodeAddress, Kind};
use crate::nt::{irql, sched, spin_lock};

/// Runs `cleanup` before the process ends over a broken rule: to take away what the run left on the
/// machine. It must not wait for driver threads, which may be stuck.
pub fn at_end(cleanup: impl FnOnce() + Send + 'static) {
    CLEANUPS
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(Box::new(cleanup));
}

/// Adds a part to every report: `lines` answers with its lines, under `title`, or with none.
///
/// It runs while driver threads stand anywhere, so it takes no lock that it would have to wait for.
pub fn on_report(title: &'static str, lines: fn() -> Vec<String>) {
    SECTIONS
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push((title, lines));
}

/// Lets a panic of the host show what the driver was doing: the thread's calls, and the last ones.
pub fn show_calls_on_panic() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        default(panic);
        let mut out = String::from("\nThis is a fault of the host, not of the driver.\n");
        // Writing to a String does not fail.
        let _ = write_thread(&mut out);
        let _ = write_history(&mut out);
        // Nor must a report that cannot be written keep the process from ending.
        let _ = std::io::stderr().write_all(out.as_bytes());
    }));
}

pub(super) fn end(rule: &'static Rule, what: &str, address: Option<CodeAddress>) -> ! {
    Reporter::begin().end(rule, what, address)
}

/// Whether a report is being written: the process ends with it.
pub(crate) fn is_reporting() -> bool {
    ENDING.load(Ordering::Relaxed)
}

/// The one thread that writes the report. Others that come here stay here.
pub(crate) struct Reporter(());

impl Reporter {
    pub(crate) fn begin() -> Self {
        thread_local! {
            static REPORTING: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
        }
        if ENDING.swap(true, Ordering::SeqCst) {
            // A fault while this very thread writes its report must not hang the process.
            if REPORTING
                .try_with(|reporting| reporting.get())
                .unwrap_or(true)
            {
                exit();
            }
            loop {
                std::thread::park();
            }
        }
        REPORTING.with(|reporting| reporting.set(true));
        Self(())
    }

    /// Writes the report, cleans up, and ends the process.
    pub(crate) fn end(self, rule: &'static Rule, what: &str, address: Option<CodeAddress>) -> ! {
        let report = write_report(rule, what, address);
        // A report that cannot be written must not keep the process from ending.
        let _ = std::io::stderr().write_all(report.as_bytes());
        let cleanups = CLEANUPS
            .try_lock()
            .map(|mut cleanups| std::mem::take(&mut *cleanups))
            .unwrap_or_default();
        for cleanup in cleanups {
            cleanup();
        }
        exit()
    }
}

fn exit() -> ! {
    // SAFETY: `_exit` takes any status and runs nothing of this process: other threads may stand
    // anywhere, so neither destructors nor handlers of the C library could run soundly.
    unsafe { libc::_exit(1) }
}

fn write_report(rule: &'static Rule, what: &str, address: Option<CodeAddress>) -> String {
    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = write_head(&mut out, rule, what, address);
    let _ = write_thread(&mut out);
    let _ = write_history(&mut out);
    if let Ok(sections) = SECTIONS.try_lock() {
        for (title, lines) in sections.iter() {
            let lines = lines();
            if !lines.is_empty() {
                let _ = writeln!(out, "\n{title}");
                for line in lines {
                    let _ = writeln!(out, "  {line}");
                }
            }
        }
    }
    out
}

fn write_head(
    out: &mut String,
    rule: &Rule,
    what: &str,
    address: Option<CodeAddress>,
) -> std::fmt::Result {
    writeln!(out, "\nRULE BROKEN: {}", rule.name)?;
    writeln!(out, "  promised  {}", rule.promise)?;
    writeln!(out, "  happened  {}", what.replace('\n', "\n            "))?;
    let code = address.unwrap_or_else(call::caller);
    writeln!(out, "  code      {code}")?;
    writeln!(out, "  document  {}", rule.source)
}

fn write_thread(out: &mut String) -> std::fmt::Result {
    writeln!(
        out,
        "\nThread \"{}\" at {}",
        sched::current_name(),
        irql::current()
    )?;
    for held in spin_lock::held_list() {
        writeln!(out, "  holds spin lock {held}")?;
    }
    let frames = call::frames();
    if frames.is_empty() {
        return writeln!(out, "  in no call between driver and host");
    }
    for frame in frames.iter().rev() {
        match frame.kind {
            Kind::Call => writeln!(
                out,
                "  in {}!{}, called by {}",
                frame.module,
                frame.name,
                CodeAddress::of(frame.caller)
            )?,
            _ => writeln!(out, "  in the driver's {}", frame.name)?,
        }
    }
    Ok(())
}

fn write_history(out: &mut String) -> std::fmt::Result {
    let events = call::last_events();
    if events.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nLast calls of this thread, the newest last")?;
    for event in events {
        let indent = "  ".repeat(event.depth.saturating_sub(1).min(8));
        let (arrow, from) = match event.kind {
            Kind::Call if event.caller != 0 => {
                ("", format!("  from {}", CodeAddress::of(event.caller)))
            }
            Kind::Call => ("", String::new()),
            Kind::Callback => ("-> ", String::new()),
            Kind::Return => ("<- ", String::new()),
        };
        writeln!(
            out,
            "  {:<14} {indent}{arrow}{}{from}",
            event.irql.to_string(),
            event.name
        )?;
    }
    Ok(())
}

type Cleanup = Box<dyn FnOnce() + Send>;
type Section = (&'static str, fn() -> Vec<String>);

static ENDING: AtomicBool = AtomicBool::new(false);
static CLEANUPS: Mutex<Vec<Cleanup>> = Mutex::new(Vec::new());
static SECTIONS: Mutex<Vec<Section>> = Mutex::new(Vec::new());
