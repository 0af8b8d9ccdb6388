//! Many runs, several at a time, with a progress bar on a terminal.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};

use super::child;
use super::plan::{Plan, RunResult};

/// A run that came to its end.
#[derive(Debug)]
pub(super) struct Tried {
    pub(super) plan: Plan,
    pub(super) result: RunResult,
}

/// How runs are made: so many at a time, until asked to stop.
pub(super) struct Series {
    jobs: usize,
    shown: bool,
    stop: Arc<AtomicBool>,
}

impl Series {
    pub(super) fn new(jobs: usize, shown: bool, stop: Arc<AtomicBool>) -> Self {
        Self {
            jobs: jobs.max(1),
            shown,
            stop,
        }
    }

    /// Runs the plans. What came to its end comes back, in the order of the plans.
    pub(super) fn run(&self, name: &'static str, plans: Vec<Plan>) -> anyhow::Result<Vec<Tried>> {
        let bar = self.bar(name, plans.len());
        let next = AtomicUsize::new(0);
        let results: Mutex<Vec<Option<io::Result<RunResult>>>> =
            Mutex::new(plans.iter().map(|_| None).collect());
        let bad = AtomicUsize::new(0);
        let work = || {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(plan) = plans.get(index) else {
                    return;
                };
                if self.stop.load(Ordering::SeqCst) {
                    return;
                }
                let result = child::run(plan, &self.stop).transpose();
                if let Some(Ok(result)) = &result
                    && result.end.is_bad()
                {
                    let count = bad.fetch_add(1, Ordering::Relaxed) + 1;
                    bar.set_message(format!("{count} bad"));
                }
                results.lock().unwrap_or_else(PoisonError::into_inner)[index] = result;
                bar.inc(1);
            }
        };
        thread::scope(|scope| {
            for _ in 0..self.jobs.min(plans.len()) {
                scope.spawn(work);
            }
        });
        bar.finish_and_clear();
        let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        plans
            .into_iter()
            .zip(results)
            .filter_map(|(plan, result)| Some((plan, result?)))
            .map(|(plan, result)| {
                let result = result.context("cannot start or watch a run")?;
                Ok(Tried { plan, result })
            })
            .collect()
    }

    fn bar(&self, name: &'static str, count: usize) -> ProgressBar {
        if !self.shown {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("{prefix:9} [{bar:40}] {pos}/{len} {eta} {msg}")
            .expect("the template is right")
            .progress_chars("=> ");
        ProgressBar::new(count as u64)
            .with_style(style)
            .with_prefix(name)
    }
}
