//! What the demo found, item by item, as it finds it.

use std::fs::File;
use std::io::{self, IsTerminal as _, Write as _};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

/// The report under way.
pub(super) struct Report {
    /// Where the JSON document goes, if there is to be one.
    document: Option<File>,
    colour: bool,
    section: &'static str,
    items: Vec<Item>,
}

struct Item {
    section: &'static str,
    name: String,
    holds: bool,
    facts: String,
}

impl Report {
    /// A report that is printed line by line, or as one JSON document at the end. For the document,
    /// standard output is kept for it alone: what the builds print goes to standard error instead.
    pub(super) fn new(json: bool) -> Result<Self> {
        let document = if json {
            let stdout =
                rustix::io::dup(rustix::stdio::stdout()).context("cannot keep standard output")?;
            rustix::stdio::dup2_stdout(rustix::stdio::stderr())
                .context("cannot redirect standard output")?;
            Some(File::from(stdout))
        } else {
            None
        };
        let colour = !json && io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Ok(Self {
            document,
            colour,
            section: "",
            items: Vec::new(),
        })
    }

    /// Begins a section.
    pub(super) fn section(&mut self, name: &'static str) {
        self.section = name;
        self.say(&format!("\n{name}"));
    }

    /// Notes whether an item holds, and what was measured.
    pub(super) fn item(&mut self, name: &str, outcome: Result<String>) -> bool {
        let (holds, facts) = match outcome {
            Ok(facts) => (true, facts),
            Err(error) => (false, format!("{error:#}")),
        };
        let mark = match (holds, self.colour) {
            (true, true) => "\x1b[32m✓\x1b[0m",
            (false, true) => "\x1b[31m✗\x1b[0m",
            (true, false) => "✓",
            (false, false) => "✗",
        };
        self.say(&format!("  {mark} {name:<WIDTH$} {facts}"));
        self.items.push(Item {
            section: self.section,
            name: name.to_owned(),
            holds,
            facts,
        });
        holds
    }

    /// Something to read that is neither right nor wrong.
    pub(super) fn note(&self, text: &str) {
        self.say(&format!("    {text}"));
    }

    /// Items that do not hold.
    pub(super) fn failures(&self) -> usize {
        self.items.iter().filter(|item| !item.holds).count()
    }

    /// The last line, or the whole document.
    pub(super) fn finish(&self, seconds: f64) {
        let failures = self.failures();
        if let Some(mut out) = self.document.as_ref() {
            let items: Vec<Value> = self
                .items
                .iter()
                .map(|item| {
                    json!({ "section": item.section, "name": item.name, "holds": item.holds, "facts": item.facts })
                })
                .collect();
            let document = json!({ "holds": failures == 0, "seconds": seconds, "items": items });
            let _ = writeln!(out, "{document:#}");
        } else if failures == 0 {
            self.say(&format!(
                "\nAll {} items hold ({seconds:.0} s).",
                self.items.len()
            ));
        } else {
            self.say(&format!(
                "\n{failures} of {} items do not hold ({seconds:.0} s).",
                self.items.len()
            ));
        }
    }

    /// Prints a line. A reader who went away does not stop the demo, which has things to clean up.
    fn say(&self, line: &str) {
        if self.document.is_none() {
            let _ = writeln!(io::stdout(), "{line}");
        }
    }
}

/// Columns for an item's name.
const WIDTH: usize = 34;
