//! Driver images that each break one rule, and what they share: small drivers that break none.
//!
//! An image is a file in `examples/`: a type that takes one edge of a driver, [`Miniport`],
//! [`Protocol`], [`Filter`], [`Intermediate`] or [`Device`], and replaces one of its steps by a wrong one.
//! All other steps are the trait's own, and correct. Built with the feature `twin`, the same file is the
//! image's correct twin: [`WRONG`] says which of the two is being built.
//!
//! # To add one
//!
//! 1. Write `examples/NAME.rs`, where NAME is the rule's name in small letters, with what distinguishes
//!    it from others of the same rule behind it. The file's doc says what is wrong, in one sentence.
//! 2. Name it in `Cargo.toml`, in the order of the alphabet.
//! 3. Write its row in `tests/alarms.rs`: which rule, and in which call it has to be found.
//!
//! `cargo test -p ndismux-tests --test alarms NAME` builds it and runs both variants. A file without a
//! row fails the tests, and so does a row without a file.
//!
//! Calls into NDIS go through [`call!`]. The functions here are safe to Rust only: what the images are
//! for is to break the contracts of NDIS, and the host that loads them ends its process when they do.
//!
//! Not in here: anything that a test has to be told. What the lab does while an image runs is in
//! `tests/alarms.rs`.

#![no_std]
#![expect(
    clippy::not_unsafe_ptr_arg_deref,
    clippy::macro_metavars_in_unsafe,
    clippy::new_without_default,
    reason = "what is safe here is safe to Rust only; and these values are statics"
)]

// Brings the panic handler.
extern crate wdk_panic;

pub mod device;
pub mod event;
pub mod filter;
pub mod frame;
pub mod hardware;
pub mod im;
pub mod interface;
pub mod irql;
pub mod kernel;
pub mod miniport;
pub mod port;
pub mod protocol;
pub mod spin_lock;
pub mod status;
pub mod thread;
pub mod timer;

pub use ndis_sys as sys;

pub use device::{Device, Request};
pub use filter::{Filter, Module};
pub use im::Intermediate;
pub use miniport::{Adapter, Miniport};
pub use protocol::{Binding, Protocol};

/// Whether this is the wrong driver and not its twin.
pub const WRONG: bool = !cfg!(feature = "twin");

/// Makes the type the driver of this image: `driver!(miniport: Type)`, with `miniport`, `protocol`,
/// `filter`, `im` or `device`.
#[macro_export]
macro_rules! driver {
    ($edge:ident: $driver:ty) => {
        /// # Safety
        /// The system calls this once for each load, at PASSIVE_LEVEL, with valid arguments.
        // SAFETY: `DriverEntry` is the name that the linker is told; nothing else in the image has it.
        #[unsafe(export_name = "DriverEntry")]
        pub unsafe extern "system" fn driver_entry(
            driver: *mut $crate::sys::DRIVER_OBJECT,
            registry_path: *mut $crate::sys::UNICODE_STRING,
        ) -> $crate::sys::NTSTATUS {
            $crate::$edge::load::<$driver>(driver, registry_path)
        }
    };
}

/// Calls a function of NDIS or of the kernel: `call!(NdisFreeMdl(mdl))`; one that only this package
/// declares: `call!(kernel::ZwClose(handle))`.
#[macro_export]
macro_rules! call {
    (kernel::$function:ident($($argument:expr),* $(,)?)) => {
        // SAFETY: as below.
        unsafe { $crate::kernel::$function($($argument),*) }
    };
    ($function:ident($($argument:expr),* $(,)?)) => {
        // SAFETY: none is claimed. Whether the contract is kept is what the host is asked to find out.
        unsafe { $crate::sys::$function($($argument),*) }
    };
}

/// Marks the pool memory of these drivers.
pub const TAG: u32 = u32::from_le_bytes(*b"Alrm");

/// What NDIS says is success.
pub const SUCCESS: sys::NDIS_STATUS = sys::NDIS_STATUS_SUCCESS;
