//! A stack of built-in parts with the rules off: what its data path takes, counted, and what refuses to
//! go without the rules. And `ndishost bench`.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use ndis_host::bench::{Bench, Direction, Shape, Structure};
use ndis_host::faults;
use ndis_host::lab::Lab;
use ndis_host::ndis::policy::Policy;
use ndis_host::nic::NicConfig;
use ndis_host::rules::{self, NotRelaxed};
use serde_json::Value;

/// The allocator of the system, with a count of each thread's allocations.
struct Counting;

// SAFETY: all is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's own promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's own promise.
        unsafe { System.dealloc(block, layout) };
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// The structure, and the heap allocations of many chains.
fn count(lab: &Lab, direction: Direction, allocate: bool) -> (Structure, u64) {
    let shape = Shape {
        chain: 32,
        size: 1514,
        allocate,
    };
    let client = lab.client("client").unwrap();
    let nic = lab.nic("nic0").unwrap().nic();
    let mut bench = Bench::new(client, nic, direction, &shape).unwrap();
    let structure = bench.count(&shape);
    let before = ALLOCATIONS.get();
    bench.run(100);
    let allocations = ALLOCATIONS.get() - before;
    bench.end();
    (structure, allocations)
}

#[test]
fn with_the_rules_off_the_data_path_takes_no_lock_and_no_heap() {
    faults::watch();
    assert_eq!(rules::relax(), Err(NotRelaxed::Faults));
    assert!(rules::enforced());
    faults::clear();
    assert_eq!(rules::relax(), Ok(()));
    assert!(!rules::enforced());

    let lab = Lab::new();
    lab.policy(|policy| *policy = Policy::INLINE);
    lab.add_nic(NicConfig::new("nic0", [2, 0, 0, 0, 0, 1]));
    lab.plug_nic("nic0").unwrap();
    lab.add_client("client", "nic0").unwrap();
    for (direction, allocate) in [
        (Direction::Send, false),
        (Direction::Send, true),
        (Direction::Receive, false),
    ] {
        let (structure, allocations) = count(&lab, direction, allocate);
        assert_eq!(structure.host_locks, 0.0, "{direction:?} {structure:?}");
        assert_eq!(allocations, 0, "heap, {direction:?}");
        // An NBL, its context block, and an NB.
        let blocks = if allocate { 3.0 } else { 0.0 };
        assert_eq!(structure.pool_allocations, blocks, "{direction:?}");
        assert_eq!(structure.calls.len(), 0, "nobody counts calls");
    }
    lab.remove_client("client").unwrap();
    lab.unplug_nic("nic0").unwrap();
}

/// A lab file with a NIC and a client, written once for all tests: they run at the same time.
static LAB: LazyLock<PathBuf> = LazyLock::new(|| {
    let lab = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench.toml");
    let text = "[[nic]]\nname = \"nic0\"\nwire = \"memory\"\nmac = \"02-00-00-00-00-01\"\n\n\
                [[client]]\nname = \"client\"\nabove = \"nic0\"\nwire = \"memory\"\n";
    std::fs::write(&lab, text).unwrap();
    lab
});

/// Runs `ndishost bench` over a NIC and a client.
fn bench(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ndishost"))
        .args(["bench", "--time", "20ms", "--lab"])
        .arg(&*LAB)
        .args(arguments)
        .output()
        .unwrap()
}

#[test]
fn the_outcome_has_times_and_counts_for_each_direction() {
    let output = bench(&["--json", "--rules", "--chain", "8", "--size", "100"]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    let outcome: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(outcome["chain"], 8);
    assert_eq!(outcome["size"], 100);
    let results = outcome["results"].as_array().unwrap();
    let directions: Vec<_> = results.iter().map(|result| &result["direction"]).collect();
    assert_eq!(directions, ["send", "receive"]);
    let calls = [
        ("NdisSendNetBufferLists", "MiniportSendNetBufferLists (nic)"),
        (
            "NdisMIndicateReceiveNetBufferLists",
            "ProtocolReceiveNetBufferLists (client)",
        ),
    ];
    for (result, (call, callback)) in results.iter().zip(calls) {
        let rules = &result["under_rules"];
        for measured in [result, rules] {
            let cost = &measured["ns_per_nbl"];
            let [min, median, max] = ["min", "median", "max"].map(|key| cost[key].as_f64());
            assert!(Some(0.0) < min && min <= median && median <= max, "{cost}");
        }
        assert_eq!(result["structure"]["host_locks"], 0.0);
        assert!(rules["structure"]["host_locks"].as_f64() > Some(0.0));
        assert_eq!(rules["structure"]["calls"][call], 1.0 / 8.0, "{rules:#}");
        assert_eq!(rules["structure"]["callbacks"][callback], 1.0 / 8.0);
    }
}

#[test]
fn what_finds_broken_rules_is_refused() {
    for option in [&["--faults"][..], &["--seed", "1"], &["--schedules", "2"]] {
        let output = bench(option);
        assert_eq!(output.status.code(), Some(2), "{option:?}");
    }
}
