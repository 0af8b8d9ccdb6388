//! What `bench` found, as a table.

use std::collections::BTreeMap;

use super::{Measured, Outcome};
use crate::bench::{Cost, Direction};

/// Prints the outcome to standard output.
pub(super) fn print(outcome: &Outcome) {
    println!(
        "{}: chains of {}, frames of {} bytes{}; {} processors",
        outcome.lab.display(),
        outcome.chain,
        outcome.size,
        if outcome.allocate {
            ", allocated for each chain"
        } else {
            ""
        },
        outcome.processors
    );
    for measured in &outcome.results {
        println!();
        direction(measured);
    }
}

fn direction(measured: &Measured) {
    println!(
        "{}",
        match measured.direction {
            Direction::Send => "Send: from the client to the NIC, and back",
            Direction::Receive => "Receive: from the NIC to the client, and back",
        }
    );
    let rules = measured.under_rules.as_deref();
    cost("rules off", measured.ns_per_nbl);
    cost("rules on", rules.and_then(|rules| rules.ns_per_nbl));
    let counts = &measured.structure;
    println!("  for one NBL, rules off:");
    number("host locks", counts.host_locks);
    number("pool allocations", counts.pool_allocations);
    number("bytes copied by imported functions", counts.bytes_copied);
    if let Some(rules) = rules {
        println!("  for one NBL, counted with the rules on:");
        number("host locks", rules.structure.host_locks);
        table("calls", &rules.structure.calls);
        table("callbacks", &rules.structure.callbacks);
    }
}

fn cost(what: &str, cost: Option<Cost>) {
    if let Some(Cost { median, min, max }) = cost {
        println!(
            "  {what:<9}  {median:8.1} ns per NBL ({min:.1} to {max:.1}), {:.3} million NBL/s",
            1e3 / median
        );
    }
}

fn table(title: &str, counts: &BTreeMap<String, f64>) {
    number(title, counts.values().sum());
    for (name, count) in counts {
        println!("      {count:9.3}  {name}");
    }
}

fn number(what: &str, number: f64) {
    println!("    {number:9.3}  {what}");
}
