//! `ndishost rules` and `ndishost functions`: what the host decides and what it offers, as tables.
//!
//! `docs/host.md` has the Markdown of both; a test holds it against them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use crate::call::{self, Function};
use crate::nt::irql;
use crate::rules::{self, Kind, LEFT_OUT, ORDERS, Row, Rule, Seen, rows_of};

/// How a table is printed.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print Markdown, as it is in the documentation
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
}

/// Prints the rules.
///
/// # Errors
/// None; the form is that of all commands.
pub fn rules(args: Args) -> Result<ExitCode> {
    if args.json {
        println!("{:#}", rules_json());
    } else if args.markdown {
        print!("{}", rules_markdown());
    } else {
        for rule in sorted() {
            println!("{} ({}, {})", rule.name, rule.kind, rule.source);
            println!("  promised: {}", rule.promise);
            println!("  decided:  {}", rule.detected);
            for row in rows_of(rule) {
                let Row {
                    state, event, next, ..
                } = row;
                println!("  {state}: {event} -> {next} ({})", said(row.seen));
            }
        }
        for order in ORDERS {
            println!("{} (order, {})", order.name, order.source);
            for (number, (step, seen)) in (1..).zip(order.steps) {
                println!("  {number}. {step} ({})", said(*seen));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the functions that driver images may import.
///
/// # Errors
/// None; the form is that of all commands.
pub fn functions(args: Args) -> Result<ExitCode> {
    if args.json {
        println!("{:#}", functions_json());
    } else if args.markdown {
        print!("{}", functions_markdown());
    } else {
        for (module, functions) in by_module() {
            println!("{module}: {} functions", functions.len());
            for function in functions {
                println!("  {}  {}", function.name, irql::describe(&function.irql));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The tables of the rules, and of the documented ones that are none here.
#[must_use]
pub fn rules_markdown() -> String {
    let mut out = String::new();
    // Writing to a String does not fail.
    for kind in KINDS {
        let of_kind: Vec<_> = sorted()
            .into_iter()
            .filter(|rule| rule.kind == kind)
            .collect();
        if of_kind.is_empty() {
            continue;
        }
        let _ = writeln!(out, "### {}: {}\n", heading(kind), of_kind.len());
        let _ = writeln!(
            out,
            "| rule | what is promised | decided | document | alarm |"
        );
        let _ = writeln!(out, "|---|---|---|---|---|");
        for rule in of_kind {
            let _ = writeln!(
                out,
                "| `{}` | {} | {} | {} | {} |",
                rule.name,
                cell(rule.promise),
                cell(rule.detected),
                rule.source,
                rule.alarm()
                    .map_or_else(String::new, |test| format!("`{test}`"))
            );
        }
        let _ = writeln!(out);
        if kind == Kind::State {
            write_rows(&mut out);
        }
    }
    write_orders(&mut out);
    let _ = writeln!(
        out,
        "### Documented, and no rules here: {}\n",
        LEFT_OUT.len()
    );
    let _ = writeln!(out, "| rule | why not |\n|---|---|");
    for left in LEFT_OUT {
        let _ = writeln!(out, "| `{}` | {} |", left.name, cell(left.reason));
    }
    out
}

/// The rows of each state machine.
fn write_rows(out: &mut String) {
    for rule in sorted() {
        let rows: Vec<_> = rows_of(rule).collect();
        if rows.is_empty() {
            continue;
        }
        // Writing to a String does not fail.
        let _ = writeln!(out, "#### {}: {} rows\n", rule.name, rows.len());
        let _ = writeln!(
            out,
            "| state | event | next | at run time |\n|---|---|---|---|"
        );
        for row in rows {
            let Row {
                state, event, next, ..
            } = row;
            let _ = writeln!(out, "| {state} | {event} | {next} | {} |", said(row.seen));
        }
        let _ = writeln!(out);
    }
}

/// The orders of a stack.
fn write_orders(out: &mut String) {
    // Writing to a String does not fail.
    let _ = writeln!(out, "### Orders of a stack: {}\n", ORDERS.len());
    for order in ORDERS {
        let _ = writeln!(out, "{} ({}):\n", order.name, order.source);
        for (number, (step, seen)) in (1..).zip(order.steps) {
            let _ = writeln!(out, "{number}. {step} ({})", said(*seen));
        }
        let _ = writeln!(out);
    }
}

/// What the host does about a row, in words.
fn said(seen: Seen) -> String {
    match seen {
        Seen::Checked(how) => format!("checked: {how}"),
        Seen::Host => "the host's own step".to_owned(),
        Seen::Unseen(why) => format!("not seen: {why}"),
    }
}

/// The tables of the functions, by module.
#[must_use]
pub fn functions_markdown() -> String {
    let mut out = String::new();
    // Writing to a String does not fail.
    for (module, functions) in by_module() {
        let _ = writeln!(out, "### {module}: {} functions\n", functions.len());
        let _ = writeln!(out, "| function | IRQL |\n|---|---|");
        for function in functions {
            let range = irql::describe(&function.irql);
            let _ = writeln!(out, "| `{}` | {range} |", function.name);
        }
        let _ = writeln!(out);
    }
    out
}

fn rules_json() -> Value {
    let rules: Vec<Value> = sorted()
        .into_iter()
        .map(|rule| {
            json!({
                "name": rule.name,
                "kind": rule.kind.to_string(),
                "promise": rule.promise,
                "decided": rule.detected,
                "document": rule.source,
                "alarm": rule.alarm(),
                "rows": rows_of(rule).map(|row| json!({
                    "state": row.state,
                    "event": row.event,
                    "next": row.next,
                    "at_run_time": said(row.seen),
                })).collect::<Vec<_>>(),
            })
        })
        .collect();
    let orders: Vec<Value> = ORDERS
        .iter()
        .map(|order| {
            let steps = order.steps.iter();
            let steps =
                steps.map(|(step, seen)| json!({ "step": step, "at_run_time": said(*seen) }));
            json!({
                "name": order.name,
                "document": order.source,
                "steps": steps.collect::<Vec<_>>(),
            })
        })
        .collect();
    let left_out: Vec<Value> = LEFT_OUT
        .iter()
        .map(|left| json!({ "name": left.name, "reason": left.reason }))
        .collect();
    json!({ "rules": rules, "orders": orders, "left_out": left_out })
}

fn functions_json() -> Value {
    let functions: Vec<Value> = by_module()
        .into_values()
        .flatten()
        .map(|function| {
            json!({
                "module": function.module,
                "name": function.name,
                "irql": irql::describe(&function.irql),
            })
        })
        .collect();
    json!({ "functions": functions })
}

fn sorted() -> Vec<&'static Rule> {
    let mut rules: Vec<_> = rules::all().collect();
    rules.sort_by_key(|rule| (rule.kind, rule.name));
    rules
}

fn by_module() -> BTreeMap<&'static str, Vec<&'static Function>> {
    let mut modules: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for export in call::all() {
        let function = &export.function;
        modules.entry(function.module).or_default().push(function);
    }
    for functions in modules.values_mut() {
        functions.sort_by_key(|function| function.name);
    }
    modules
}

fn heading(kind: Kind) -> &'static str {
    match kind {
        Kind::Verifier => "Rules of Driver Verifier and Static Driver Verifier",
        Kind::BugCheck => "Bug checks",
        Kind::State => "State machines",
        Kind::Order => "Orders",
        Kind::Host => "What the host keeps account of",
    }
}

/// A text with nothing in it that ends a cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

const KINDS: [Kind; 5] = [
    Kind::Verifier,
    Kind::BugCheck,
    Kind::State,
    Kind::Order,
    Kind::Host,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_and_every_function_is_in_both_forms() {
        let (markdown, json) = (rules_markdown(), rules_json().to_string());
        for rule in rules::all() {
            assert!(markdown.contains(&format!("| `{}` |", rule.name)));
            assert!(json.contains(&format!("\"name\":\"{}\"", rule.name)));
        }
        let (markdown, json) = (functions_markdown(), functions_json().to_string());
        for export in call::all() {
            let name = export.function.name;
            assert!(markdown.contains(&format!("| `{name}` |")));
            assert!(json.contains(&format!("\"name\":\"{name}\"")));
        }
    }
}
