//! A registry key is opened at DISPATCH_LEVEL.

#![no_std]

use core::{ffi::c_void, ptr};

use alarms::{Adapter, Miniport, SUCCESS, WRONG, irql, protocol, sys};

alarms::driver!(miniport: Driver);

struct Driver;

impl Miniport for Driver {
    fn halt(adapter: &'static Adapter) {
        let mut name = protocol::text(&NAME);
        let attributes = Attributes {
            length: size_of::<Attributes>() as u32,
            root: ptr::null_mut(),
            name: &raw mut name,
            flags: 0x240,
            security: ptr::null_mut(),
            quality: ptr::null_mut(),
        };
        let mut key = ptr::null_mut();
        let status = irql::at(LEVEL, || {
            // SAFETY: none is claimed, as for `call!`.
            unsafe { ZwOpenKey(&raw mut key, 0x2_0019, &raw const attributes) }
        });
        if status == SUCCESS {
            // SAFETY: none is claimed, as for `call!`.
            unsafe { ZwClose(key) };
        }
        adapter.close();
    }
}

/// OBJECT_ATTRIBUTES.
#[repr(C)]
struct Attributes {
    length: u32,
    root: *mut c_void,
    name: *mut sys::UNICODE_STRING,
    flags: u32,
    security: *mut c_void,
    quality: *mut c_void,
}

/// Where the call is made.
const LEVEL: sys::KIRQL = if WRONG { irql::DISPATCH } else { irql::PASSIVE };

/// `\Registry\Machine\Software\alarm`
static NAME: [u16; 32] = protocol::wide(br"\Registry\Machine\Software\alarm");

#[link(name = "ntoskrnl.exe", kind = "raw-dylib", modifiers = "+verbatim")]
unsafe extern "system" {
    fn ZwOpenKey(
        key: *mut *mut c_void,
        access: u32,
        attributes: *const Attributes,
    ) -> sys::NTSTATUS;
    fn ZwClose(handle: *mut c_void) -> sys::NTSTATUS;
}
