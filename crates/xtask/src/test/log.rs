//! Running a step's commands with their output in a file, and showing what matters of it.

use std::{
    fs::File,
    io::{Read, Write, stdout},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};

use crate::process;

/// Runs `commands` one after the other with their output in the file at `path`, until one fails.
///
/// Returns the output if all succeeded. Otherwise it has been shown, and the result is `None`.
pub(super) fn run_all(
    commands: Vec<Command>,
    path: &Path,
    verbose: bool,
) -> Result<Option<String>> {
    let cannot = || format!("cannot write {}", path.display());
    let mut file = File::create(path).with_context(cannot)?;
    let mut shown = Shown::new(path)?;
    for mut command in commands {
        let line = process::line(&command);
        writeln!(file, "> {line}").with_context(cannot)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone().with_context(cannot)?)
            .stderr(file.try_clone().with_context(cannot)?)
            .spawn()
            .with_context(|| format!("{line} does not start"))?;
        let status = wait(child, &mut shown, verbose)?;
        shown.read()?;
        if !status.success() {
            shown.print_rest()?;
            println!("{line} ended with {status}");
            return Ok(None);
        }
    }
    if verbose {
        shown.print_rest()?;
    } else {
        print_results(&shown.text());
    }
    Ok(Some(shown.text()))
}

/// What there is to say about a step that succeeded with `output`: how many tests it ran, or the total
/// of its table.
pub(super) fn summary(output: &str) -> String {
    let count = |what: &str| -> u64 {
        output
            .lines()
            .filter(|line| line.starts_with("test result: "))
            .filter_map(|line| {
                let before = line
                    .split(what)
                    .next()
                    .filter(|part| part.len() < line.len())?;
                before.split_whitespace().next_back()?.parse::<u64>().ok()
            })
            .sum()
    };
    match (count(" passed"), count(" ignored")) {
        (0, 0) => {
            let total = output.lines().rev().find(|line| line.starts_with("all "));
            let words: Vec<&str> = total
                .unwrap_or_default()
                .split_whitespace()
                .skip(1)
                .collect();
            words.join(" ")
        }
        (passed, 0) => format!("{passed} tests passed"),
        (passed, ignored) => format!("{passed} tests passed, {ignored} ignored"),
    }
}

/// Waits for a command; tells now and then that it still runs, or shows its output as it comes.
fn wait(mut child: Child, shown: &mut Shown, verbose: bool) -> Result<ExitStatus> {
    let begun = Instant::now();
    let mut next_sign = SIGN_OF_LIFE;
    loop {
        if let Some(status) = child.try_wait().context("cannot wait for a command")? {
            return Ok(status);
        }
        thread::sleep(Duration::from_millis(50));
        if verbose {
            shown.read()?;
            shown.print_rest()?;
        } else if begun.elapsed() >= next_sign {
            next_sign += SIGN_OF_LIFE;
            shown.read()?;
            let text = shown.text();
            let last = text.lines().next_back().unwrap_or_default();
            println!("   {:>4} s: {}", begun.elapsed().as_secs(), last.trim());
        }
    }
}

/// Prints the results of test programs, each with its name.
fn print_results(output: &str) {
    let mut program = "";
    for line in output.lines() {
        let trimmed = line.trim_start();
        if trimmed.starts_with("Running ") || trimmed.starts_with("Doc-tests ") {
            program = trimmed;
        } else if line.starts_with("test result: ") {
            println!("   {program}\n   {line}");
        }
    }
}

/// A log file that is being written, and how much of it the terminal has.
struct Shown {
    file: File,
    bytes: Vec<u8>,
    printed: usize,
}

impl Shown {
    fn new(path: &Path) -> Result<Self> {
        Ok(Self {
            file: File::open(path).with_context(|| format!("cannot read {}", path.display()))?,
            bytes: Vec::new(),
            printed: 0,
        })
    }

    /// Takes in what was written since the last time.
    fn read(&mut self) -> Result<()> {
        self.file
            .read_to_end(&mut self.bytes)
            .context("cannot read a log file")?;
        Ok(())
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    fn print_rest(&mut self) -> Result<()> {
        let mut terminal = stdout().lock();
        terminal
            .write_all(&self.bytes[self.printed..])
            .and_then(|()| terminal.flush())
            .context("cannot print a log file")?;
        self.printed = self.bytes.len();
        Ok(())
    }
}

/// How often a step that prints nothing says that it still runs.
const SIGN_OF_LIFE: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::summary;

    #[test]
    fn the_tests_of_all_programs_are_counted() {
        let output = "     Running unittests src/lib.rs\n\
            test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\n\
            test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n";
        assert_eq!(summary(output), "15 tests passed, 1 ignored");
        assert_eq!(summary("    Finished `dev` profile"), "");
        let table = "src/a.rs  3 of 4 lines  75.0 %\nall       3 of 4 lines  75.0 %\n";
        assert_eq!(summary(table), "3 of 4 lines 75.0 %");
    }
}
