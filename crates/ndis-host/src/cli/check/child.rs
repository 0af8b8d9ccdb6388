//! Starting one run as a child process, and what it came to.

use std::io::{self, Read, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::plan::{End, Plan, RunResult};
use crate::nt::sched;

/// Runs a plan in a child process. `None` if `stop` was set before it came to its end.
///
/// # Errors
/// The child cannot be started or watched.
pub(super) fn run(plan: &Plan, stop: &AtomicBool) -> io::Result<Option<RunResult>> {
    let mut command = Command::new(std::env::current_exe()?);
    if plan.schedule.is_some() {
        // What depends on addresses is to be the same when the run is repeated.
        sched::prepare_child(&mut command);
    }
    let mut child = command
        .arg("check-one")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let output = drain(child.stdout.take());
    let report = drain(child.stderr.take());
    if let Some(mut stdin) = child.stdin.take() {
        let text = serde_json::to_vec(plan).expect("a plan has a form in JSON");
        // A child that ended already says why elsewhere.
        let _ = stdin.write_all(&text);
    }
    let status = wait(&mut child, plan.limit + GRACE, stop)?;
    let output = output.join().unwrap_or_default();
    let report = report.join().unwrap_or_default();
    if stop.load(Ordering::SeqCst) {
        return Ok(None);
    }
    Ok(Some(judge(&output, &report, status)))
}

/// What a child that ended has said. `status` is none for one that had to be ended.
fn judge(output: &str, report: &str, status: Option<ExitStatus>) -> RunResult {
    let answer = output
        .lines()
        .rev()
        .find_map(|line| serde_json::from_str(line).ok());
    let mut result: RunResult = answer.unwrap_or_else(|| RunResult {
        end: End::Died(match status {
            Some(status) => format!(
                "it ended without an answer, with {status}:\n{}",
                tail(report)
            ),
            None => "it had to be ended".to_owned(),
        }),
        steps: Vec::new(),
        points: Vec::new(),
        low_resources: None,
        pool: Vec::new(),
        schedule: None,
        rules: std::collections::BTreeMap::new(),
    });
    if status.is_none() && !matches!(result.end, End::Hung(_)) {
        result.end = End::Hung(tail(report).lines().map(str::to_owned).collect());
    }
    if let Some(rule) = report.lines().find_map(|line| line.strip_prefix(HEADLINE)) {
        result.end = End::Broken {
            rule: rule.to_owned(),
            report: report.trim().to_owned(),
        };
    } else if let End::Died(what) = &mut result.end
        && status.is_some()
        && !what.contains(tail(report).trim())
    {
        what.push('\n');
        what.push_str(tail(report).trim());
    }
    result
}

/// Reads to the end on a thread of its own, so that the child never waits for a full pipe.
fn drain(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What could be read is what there is.
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Waits for the child; ends it, by its own process id, when `limit` is over or `stop` is set.
fn wait(child: &mut Child, limit: Duration, stop: &AtomicBool) -> io::Result<Option<ExitStatus>> {
    const LOOK: Duration = Duration::from_millis(5);
    let end = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if stop.load(Ordering::SeqCst) || Instant::now() > end {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(LOOK);
    }
}

/// The last lines.
fn tail(text: &str) -> &str {
    const LINES: usize = 40;
    let mut ends = text.trim_end().rmatch_indices('\n');
    let start = ends.nth(LINES - 1).map_or(0, |(at, _)| at + 1);
    &text[start..]
}

/// A child sees to its own limit first, because it can say what it was doing.
const GRACE: Duration = Duration::from_secs(5);
/// How the report of a broken rule begins.
const HEADLINE: &str = "RULE BROKEN: ";

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt as _;

    fn ended(code: i32) -> Option<ExitStatus> {
        Some(ExitStatus::from_raw(code << 8))
    }

    const SURVIVED: &str = r#"{"end":{"end":"survived"}}"#;

    #[test]
    fn an_answer_is_the_last_line_that_is_one() {
        let output = format!("noise\n{SURVIVED}\nmore {{noise\n");
        assert_eq!(judge(&output, "", ended(0)).end, End::Survived);
    }

    #[test]
    fn the_report_of_a_broken_rule_counts_more_than_the_answer() {
        let report = "\nRULE BROKEN: Irql_IM_Function\n  promised  something\n";
        let end = judge(SURVIVED, report, ended(1)).end;
        let expected = End::Broken {
            rule: "Irql_IM_Function".to_owned(),
            report: report.trim().to_owned(),
        };
        assert_eq!(end, expected);
    }

    #[test]
    fn a_child_without_an_answer_has_died_and_its_last_words_are_kept() {
        let End::Died(what) = judge("", "last words", ended(101)).end else {
            panic!("it died");
        };
        assert!(
            what.contains("101") && what.contains("last words"),
            "{what}"
        );
    }

    #[test]
    fn a_child_that_had_to_be_ended_hung() {
        let end = judge("", "a\nb\n", None).end;
        assert_eq!(end, End::Hung(vec!["a".to_owned(), "b".to_owned()]));
    }

    #[test]
    fn the_tail_is_the_last_forty_lines() {
        let text: String = (0..50).map(|line| format!("{line}\n")).collect();
        assert_eq!(tail(&text).lines().next(), Some("10"));
        assert_eq!(tail("one"), "one");
    }
}
