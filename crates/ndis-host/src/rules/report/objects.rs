//! The objects that a broken rule concerns: what the addresses in its text are, and where the
//! adapters and bindings stand.

use serde::Serialize;

use crate::ndis::nbl::owner;
use crate::ndis::{driver, object};
use crate::nt::pool;

/// One object.
#[derive(Debug, Serialize)]
pub(super) struct Object {
    /// What it is.
    pub(super) title: String,
    /// Its state and history.
    pub(super) lines: Vec<String>,
}

/// The objects that `what` names by their addresses, and the adapters and bindings.
pub(super) fn concerned(what: &str) -> Vec<Object> {
    let mut objects: Vec<Object> = addresses(what).into_iter().filter_map(explain).collect();
    // Those that the text names first, then those where something is going on.
    let mut states = driver::glance();
    states.sort_by_key(|(name, state)| {
        let quiet =
            state.ends_with(": Running") || state.ends_with("Running, open: Yes, 0 requests out");
        (!what.contains(name.as_str()), quiet)
    });
    let more = states.len().saturating_sub(STATES);
    states.truncate(STATES);
    let mut lines: Vec<String> = states.into_iter().map(|(_, state)| state).collect();
    if more != 0 {
        lines.push(format!("and {more} more"));
    }
    if !lines.is_empty() {
        objects.push(Object {
            title: "Adapters and bindings".to_owned(),
            lines,
        });
    }
    objects
}

fn explain(address: usize) -> Option<Object> {
    if let Some((title, lines)) = owner::explain(address) {
        return Some(Object { title, lines });
    }
    let title = object::explain(address).or_else(|| {
        let block = pool::block_at(address)?;
        Some(format!("{address:#x} is in {}", pool::describe(&block)))
    })?;
    Some(Object {
        title,
        lines: Vec::new(),
    })
}

/// The addresses in a text, each once, in their order.
fn addresses(text: &str) -> Vec<usize> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("0x") {
        let digits: String = text[at + 2..]
            .chars()
            .take_while(char::is_ascii_hexdigit)
            .collect();
        if let Ok(address) = usize::from_str_radix(&digits, 16)
            && address >= LOWEST
            && !found.contains(&address)
        {
            found.push(address);
        }
    }
    found.truncate(EXPLAINED);
    found
}

/// Numbers below are statuses, OIDs, offsets.
const LOWEST: usize = 1 << 32;
const EXPLAINED: usize = 3;
const STATES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_numbers() {
        let text = "NBL 0x7f0012345678: 0xc0000001, then 0x7f0012345678, 0x7f00123456a0.";
        assert_eq!(addresses(text), [0x7f00_1234_5678, 0x7f00_1234_56a0]);
    }
}
