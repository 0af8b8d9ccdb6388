//! The report of a broken rule, and the end of the process after it.
//!
//! It reads like the analysis of a crash dump: the rule, where it was broken, what was promised and
//! what happened; then the driver's stack, the last calls, and the objects concerned. Other modules
//! add parts ([`on_report`]).
//!
//! | file | concern |
//! |---|---|
//! | `analysis` | what there is to say, gathered without waiting for any lock |
//! | `objects` | the objects concerned |
//! | `page` | where a document is published |
//! | `text` | the analysis for people |
//!
//! It goes to standard error, and as JSON to the file that [`report_to`] or `NDISHOST_REPORT` names.

mod analysis;
mod objects;
mod page;
mod text;

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::Rule;
use crate::call::CodeAddress;
use analysis::Analysis;

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

/// Says which command repeats this run, seed and faults included: the report ends with it.
pub fn repeat_by(command: String) {
    *REPEAT.lock().unwrap_or_else(PoisonError::into_inner) = Some(command);
}

/// Writes the report as JSON to this file too. `NDISHOST_REPORT` in the environment does the same.
pub fn report_to(file: PathBuf) {
    *FILE.lock().unwrap_or_else(PoisonError::into_inner) = Some(file);
}

/// Lets a panic of the host show what the driver was doing: the thread's calls, and the last ones.
pub fn show_calls_on_panic() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        default(panic);
        let mut out = String::from("\nThis is a fault of the host, not of the driver.\n");
        // Writing to a String does not fail.
        let _ = text::write_thread(&mut out, &Analysis::of_thread(), text::Style::PLAIN);
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
        let analysis = Analysis::of(rule, what, address);
        let style = if std::io::stderr().is_terminal() {
            text::Style::COLOURED
        } else {
            text::Style::PLAIN
        };
        // A report that cannot be written must not keep the process from ending.
        let _ = std::io::stderr().write_all(text::report(&analysis, style).as_bytes());
        if let Some(file) = file()
            && let Err(error) = std::fs::write(&file, analysis.to_json())
        {
            eprintln!("cannot write the report {}: {error}", file.display());
        }
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

/// Where the report goes as JSON, if anywhere.
fn file() -> Option<PathBuf> {
    let told = FILE.try_lock().ok().and_then(|file| file.clone());
    told.or_else(|| std::env::var_os("NDISHOST_REPORT").map(PathBuf::from))
}

fn exit() -> ! {
    // SAFETY: `_exit` takes any status and runs nothing of this process: other threads may stand
    // anywhere, so neither destructors nor handlers of the C library could run soundly.
    unsafe { libc::_exit(1) }
}

type Cleanup = Box<dyn FnOnce() + Send>;
type Section = (&'static str, fn() -> Vec<String>);

static ENDING: AtomicBool = AtomicBool::new(false);
static CLEANUPS: Mutex<Vec<Cleanup>> = Mutex::new(Vec::new());
static SECTIONS: Mutex<Vec<Section>> = Mutex::new(Vec::new());
static REPEAT: Mutex<Option<String>> = Mutex::new(None);
static FILE: Mutex<Option<PathBuf>> = Mutex::new(None);

#[cfg(test)]
mod tests;
