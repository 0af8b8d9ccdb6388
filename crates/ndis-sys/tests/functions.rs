//! Holds the functions and callbacks of the crate against the IRQLs that Microsoft's reference
//! gives them (`data/functions.csv`, whose `call` rows are also what common NDIS drivers import).

use ndis_sys::declare::{Callback, Function};
use std::collections::BTreeMap;

#[test]
fn every_ndis_function_is_declared_with_its_documented_irql() {
    let functions = functions();
    let wrong: Vec<String> = table("call")
        .filter(|row| !MACROS.contains(&row.name))
        .filter_map(|row| {
            let Some(function) = functions.get(row.name) else {
                return Some(format!("{}: not declared", row.name));
            };
            if function.module != "ndis.sys" {
                return Some(format!("{}: exported by {}", row.name, function.module));
            }
            row.mismatch((function.irql_min, function.irql_max))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_callback_is_declared_with_its_documented_irql() {
    let callbacks = callbacks();
    let wrong: Vec<String> = table("callback")
        .filter_map(|row| {
            let Some(callback) = callbacks.get(row.name) else {
                return Some(format!("{}: not declared", row.name));
            };
            row.mismatch((callback.irql_min, callback.irql_max))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_function_of_ndis_5_is_declared() {
    for name in NDIS_5 {
        assert!(!functions().contains_key(name), "{name}");
    }
}

fn functions() -> BTreeMap<&'static str, &'static Function> {
    let all: Vec<&Function> = ndis_sys::FUNCTIONS.iter().copied().flatten().collect();
    let by_name: BTreeMap<_, _> = all
        .iter()
        .map(|function| (function.name, *function))
        .collect();
    assert_eq!(all.len(), by_name.len(), "a function is declared twice");
    by_name
}

fn callbacks() -> BTreeMap<&'static str, &'static Callback> {
    ndis_sys::CALLBACKS
        .iter()
        .copied()
        .flatten()
        .map(|callback| (callback.name, callback))
        .collect()
}

struct Row {
    name: &'static str,
    /// Lowest and highest; none where the table says no more than the name.
    irql: Option<(u8, u8)>,
}

impl Row {
    fn mismatch(&self, ours: (u8, u8)) -> Option<String> {
        let irql = self.irql?;
        (irql != ours).then(|| format!("{}: IRQL {ours:?}, not {irql:?}", self.name))
    }
}

fn table(kind: &str) -> impl Iterator<Item = Row> {
    include_str!("data/functions.csv")
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let [kind, name, min, max] = cells[..] else {
                panic!("not four cells: {line}");
            };
            let irql = min.parse().ok().zip(max.parse().ok());
            assert!(
                irql.is_some() || (min.is_empty() && max.is_empty()),
                "{line}"
            );
            (kind, Row { name, irql })
        })
        .filter(move |(of, _)| *of == kind)
        .map(|(_, row)| row)
}

/// What the reference calls functions and the headers define as macros over the kernel's functions.
const MACROS: &[&str] = &[
    "NdisAcquireSpinLock",
    "NdisAdjustMdlLength",
    "NdisAllocateSpinLock",
    "NdisDprAcquireSpinLock",
    "NdisDprReleaseSpinLock",
    "NdisFreeSpinLock",
    "NdisReleaseSpinLock",
];

/// Entry points that an NDIS 6 driver has no use for.
const NDIS_5: &[&str] = &[
    "NdisDeregisterProtocol",
    "NdisIMRegisterLayeredMiniport",
    "NdisInitializeWrapper",
    "NdisMInitializeWrapper",
    "NdisMRegisterMiniport",
    "NdisMRegisterUnloadHandler",
    "NdisTerminateWrapper",
];
