//! A Unicode string is printed at DISPATCH_LEVEL.

#![no_std]

use core::ffi::c_char;

use alarms::{Adapter, Miniport, WRONG, irql, protocol, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn halt(adapter: &'static Adapter) {
        let mut name = protocol::text(&protocol::SERVICE);
        irql::at(LEVEL, || {
            // SAFETY: none is claimed, as for `call!`.
            unsafe { DbgPrint(c"%wZ".as_ptr(), &raw mut name) }
        });
        adapter.close();
    }
}

/// Where the call is made.
const LEVEL: sys::KIRQL = if WRONG { irql::DISPATCH } else { irql::PASSIVE };

#[link(name = "ntoskrnl.exe", kind = "raw-dylib", modifiers = "+verbatim")]
unsafe extern "C" {
    fn DbgPrint(format: *const c_char, ...) -> sys::NTSTATUS;
}
