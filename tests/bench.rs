//! ndismux with the rules off: what an NBL takes on its way through the real image, counted.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    path::Path,
};

use ndis_host::{
    bench::{Bench, Direction, Shape},
    lab::file::{LabFile, Running},
    rules,
};
use ndismux_tests::image;

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

#[test]
fn a_tagged_frame_takes_no_lock_and_no_heap_of_the_host_either_way() {
    assert!(image().exists());
    rules::relax().expect("nothing was loaded yet");
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let file = LabFile::load(&root.join("labs/check.toml")).expect("the lab file is right");
    let mut running = Running::prepare(&file, None).expect("the lab is made");
    running.load(&file).expect("the driver loads");
    running.plug(&file).expect("the adapters come up");
    let client = *running.clients().last().expect("it has clients");
    let nic = running.lab().nic("trunk").expect("it has that NIC").nic();
    let shape = Shape {
        chain: 32,
        size: 1514,
        allocate: false,
    };
    for direction in [Direction::Send, Direction::Receive] {
        let mut bench = Bench::new(client, nic, direction, &shape).expect("frames get through");
        let structure = bench.count(&shape);
        let before = ALLOCATIONS.get();
        bench.run(100);
        assert_eq!(ALLOCATIONS.get() - before, 0, "heap, {direction:?}");
        assert_eq!(structure.host_locks, 0.0, "{direction:?} {structure:?}");
        bench.end();
    }
    running.take_down().expect("the driver unloads");
}
