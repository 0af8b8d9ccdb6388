//! Runs a Windows NDIS 6 driver image inside a Linux process and checks what it does.
//!
//! The image's own machine code runs; its imports are bound to Rust functions of the Microsoft x64
//! calling convention. The crate knows nothing of any particular driver.
//!
//! | module | role |
//! |---|---|
//! | [`image`] | a PE file: inspected, loaded, its symbols |
//! | [`call`] | the boundary: exports, thunks, the guard around each call and each callback, the driver's stack |
//! | [`rules`] | the documented rules, and the report that ends a run when one is broken |
//! | [`faults`] | calls that are told to fail |
//! | [`nt`] | the parts of ntoskrnl that network drivers import |
//! | [`ndis`] | ndis.sys: adapters, bindings, NET_BUFFER_LISTs, requests |
//! | [`nic`], [`filter`], [`client`] | built-in NICs below, filters between, clients above |
//! | [`wire`] | where frames come from and go to: packet sockets, TAP, memory, capture files |
//! | [`lab`] | what is loaded and plugged together; lab files |
//! | [`coverage`] | which source lines of an image ran |
//! | [`timeline`] | the trace as something to look at: JSON, or a page |
//! | [`mod@bench`] | what a frame costs on its way through a lab |
//! | [`cli`] | the commands of `ndishost` |
//!
//! A loaded image is process-global, and a broken rule ends the process: a test that runs a driver
//! has a process of its own.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![cfg_attr(
    all(target_os = "linux", target_arch = "x86_64"),
    expect(
        non_snake_case,
        non_upper_case_globals,
        reason = "exports have the names that images import, constants those of Microsoft's headers"
    )
)]

pub mod bench;
pub mod call;
pub mod cli;
pub mod client;
pub mod coverage;
pub mod faults;
pub mod filter;
pub mod image;
pub mod lab;
pub mod ndis;
pub mod nic;
pub mod nt;
pub mod rules;
pub mod timeline;
pub mod wire;
