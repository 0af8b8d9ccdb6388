//! What drivers ask of the system as a whole: its version, and functions by name.

use std::ffi::c_void;

use ndis_sys::nt::{NTSTATUS, STATUS_SUCCESS, UCHAR, ULONG, UNICODE_STRING, USHORT, WCHAR};

use super::string::to_text;
use crate::call::{self, stub};
use crate::ddi;

/// OSVERSIONINFOW, and what OSVERSIONINFOEXW has behind it.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Version {
    size: ULONG,
    major: ULONG,
    minor: ULONG,
    build: ULONG,
    platform: ULONG,
    service_pack: [WCHAR; 128],
    service_pack_major: USHORT,
    service_pack_minor: USHORT,
    suite: USHORT,
    product: UCHAR,
    reserved: UCHAR,
}

ddi! { "ntoskrnl.exe":
    /// The version of the system (`nf-wdm-rtlgetversion.md`): Windows 11, version 24H2. STATUS_SUCCESS.
    [PASSIVE..=PASSIVE, unchecked] fn RtlGetVersion(version: *mut Version) -> NTSTATUS {
        // SAFETY: the driver gives one of the two structures, whose size it has set (the document).
        let size = unsafe { (*version).size };
        let content = Version {
            size,
            major: 10,
            minor: 0,
            build: BUILD,
            platform: VER_PLATFORM_WIN32_NT,
            service_pack: [0; 128],
            service_pack_major: 0,
            service_pack_minor: 0,
            suite: 0,
            product: VER_NT_WORKSTATION,
            reserved: 0,
        };
        let length = if size as usize >= size_of::<Version>() {
            size_of::<Version>()
        } else {
            SHORT
        };
        let from = (&raw const content).cast::<u8>();
        // SAFETY: the structure that the driver gave has that length, and so has the local one.
        unsafe { std::ptr::copy_nonoverlapping(from, version.cast(), length) };
        STATUS_SUCCESS
    }

    /// The address of a function of the kernel; null if there is none of that name
    /// (`nf-wdm-mmgetsystemroutineaddress.md`).
    [PASSIVE..=PASSIVE, unchecked] fn MmGetSystemRoutineAddress(name: *const UNICODE_STRING) -> *mut c_void {
        // SAFETY: the driver gives a string (the function's document).
        let name = unsafe { to_text(name) };
        let export = call::find("ntoskrnl.exe", &name);
        export.map_or(std::ptr::null_mut(), |export| stub::address_of(export) as *mut c_void)
    }
}

const BUILD: ULONG = 26100;
const VER_PLATFORM_WIN32_NT: ULONG = 2;
const VER_NT_WORKSTATION: UCHAR = 1;
/// Bytes of OSVERSIONINFOW.
const SHORT: usize = 276;
const _: () = assert!(size_of::<Version>() == 284);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nt::string::UnicodeString;

    #[test]
    fn only_the_structure_that_was_given_is_written() {
        for (size, product) in [(276, 0xee), (284, VER_NT_WORKSTATION)] {
            let mut version = Version {
                size,
                major: 0,
                minor: 9,
                build: 0,
                platform: 0,
                service_pack: [1; 128],
                service_pack_major: 9,
                service_pack_minor: 9,
                suite: 9,
                product: 0xee,
                reserved: 9,
            };
            // SAFETY: the structure has the size that it says, or more.
            assert_eq!(unsafe { RtlGetVersion(&raw mut version) }, STATUS_SUCCESS);
            assert_eq!(
                (version.major, version.minor, version.product),
                (10, 0, product)
            );
        }
    }

    #[test]
    fn functions_are_found_by_their_exact_name() {
        let find = |name: &str| {
            let name = UnicodeString::new(name);
            // SAFETY: the string lives.
            unsafe { MmGetSystemRoutineAddress(name.as_ptr()) }
        };
        assert!(!find("KeSetEvent").is_null());
        assert!(find("KeSetEvents").is_null());
        assert!(find("NdisOpenAdapterEx").is_null());
    }
}
