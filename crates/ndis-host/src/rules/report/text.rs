//! The analysis for people.

use std::fmt::{Result, Write as _};

use super::analysis::{Analysis, Call, Thread};

/// How titles look.
#[derive(Clone, Copy)]
pub(super) struct Style {
    alarm: &'static str,
    title: &'static str,
    end: &'static str,
}

impl Style {
    /// For files and pipes.
    pub(super) const PLAIN: Self = Self {
        alarm: "",
        title: "",
        end: "",
    };
    /// For terminals.
    pub(super) const COLOURED: Self = Self {
        alarm: "\x1b[1;31m",
        title: "\x1b[1m",
        end: "\x1b[0m",
    };
}

/// The whole report.
pub(super) fn report(analysis: &Analysis, style: Style) -> String {
    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = write(&mut out, analysis, style);
    out
}

fn write(out: &mut String, analysis: &Analysis, style: Style) -> Result {
    let Style { alarm, title, end } = style;
    writeln!(out, "\n{alarm}RULE BROKEN: {}{end}", analysis.rule)?;
    let code = analysis.code.as_ref().map(|place| place.text.as_str());
    writeln!(out, "  in        {}", code.unwrap_or("unknown code"))?;
    writeln!(out, "  promised  {}", analysis.promised)?;
    writeln!(
        out,
        "  happened  {}",
        analysis.happened.replace('\n', "\n            ")
    )?;
    writeln!(out, "  document  {} ({})", analysis.document, analysis.kind)?;
    writeln!(out, "            {}", analysis.page)?;
    write_thread(out, &analysis.thread, style)?;
    for other in &analysis.others {
        writeln!(out, "\n{title}Last calls of \"{}\"{end}", other.thread)?;
        write_calls(out, &other.calls)?;
    }
    for object in &analysis.objects {
        writeln!(out, "\n{title}{}{end}", object.title)?;
        for line in &object.lines {
            writeln!(out, "  {line}")?;
        }
    }
    for section in &analysis.sections {
        writeln!(out, "\n{title}{}{end}", section.title)?;
        for line in &section.lines {
            writeln!(out, "  {line}")?;
        }
    }
    if let Some(command) = &analysis.repeat {
        writeln!(out, "\n{title}To repeat it{end}\n  {command}")?;
    }
    Ok(())
}

/// What a thread was doing.
pub(super) fn write_thread(out: &mut String, thread: &Thread, style: Style) -> Result {
    let Style { title, end, .. } = style;
    writeln!(
        out,
        "\n{title}Thread \"{}\" at {}{end}",
        thread.thread, thread.irql
    )?;
    for lock in &thread.locks {
        writeln!(out, "  holds spin lock {lock}")?;
    }
    if thread.within.is_empty() {
        writeln!(out, "  in no call between driver and host")?;
    }
    for within in &thread.within {
        writeln!(out, "  in {within}")?;
    }
    if !thread.stack.is_empty() {
        writeln!(out, "\n{title}The driver's stack{end}")?;
        for (depth, place) in thread.stack.iter().take(STACK).enumerate() {
            writeln!(out, "  {depth:2}  {}", place.text)?;
        }
        if let Some(more) = thread.stack.len().checked_sub(STACK + 1) {
            writeln!(out, "      and {} more", more + 1)?;
        }
    }
    if !thread.calls.is_empty() {
        writeln!(
            out,
            "\n{title}Last calls of this thread, the newest last{end}"
        )?;
        write_calls(out, &thread.calls)?;
    }
    Ok(())
}

fn write_calls(out: &mut String, calls: &[Call]) -> Result {
    let outermost = calls.iter().map(|call| call.depth).min().unwrap_or(1);
    for call in calls {
        let indent = "  ".repeat((call.depth - outermost).min(8));
        let arrow = match call.kind {
            "callback" => "-> ",
            "return" => "<- ",
            _ => "",
        };
        let from = call.from.as_deref();
        let from = from.map_or_else(String::new, |from| format!("  from {from}"));
        let times = match call.times {
            1 => String::new(),
            times => format!(" ×{times}"),
        };
        writeln!(
            out,
            "  {:<14} {indent}{arrow}{}{times}{from}",
            call.irql, call.name
        )?;
    }
    Ok(())
}

/// How many functions of the stack are shown.
const STACK: usize = 12;
