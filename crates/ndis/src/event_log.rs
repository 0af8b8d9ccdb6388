//! The system event log: what an administrator must learn of, with no debugger and nobody listening.
//!
//! NDIS has two functions for it. `NdisWriteErrorLogEntry` is a miniport's: it takes one of fifteen
//! codes of NDIS's own and numbers, so the text is NDIS's ("has encountered an invalid network
//! address") and can name neither the value nor what is allowed. `NdisWriteEventLogEntry` is a
//! protocol's: it takes a code of the driver's own and insertion strings. This is the latter; an
//! intermediate driver is a protocol as well.
//!
//! The text of a code is not in the entry. It stands in a message table that the driver's service has
//! registered as its `EventMessageFile`; the viewer puts the insertion strings into it.

use core::{
    ffi::c_void,
    fmt::{self, Write as _},
    ptr::{self, NonNull},
};

use ndis_sys as sys;

use crate::{
    driver::Entry,
    status::{Result, Status},
};

/// The event log, as the source that is named like the driver's service.
#[derive(Clone, Copy)]
pub struct EventLog {
    /// The driver's own object: it lives until the driver is unloaded.
    driver: NonNull<c_void>,
}

// SAFETY: the pointer is only handed to NdisWriteEventLogEntry, which any thread may call.
unsafe impl Send for EventLog {}
// SAFETY: as above.
unsafe impl Sync for EventLog {}

impl EventLog {
    /// The event log for the driver that is being loaded.
    #[must_use]
    pub const fn new(entry: &Entry<'_>) -> Self {
        Self {
            driver: entry.driver_object(),
        }
    }

    /// Writes an entry. `code` is that of the message table; `strings` take the places `%2`, `%3` and so
    /// on of its text, and the first is the name of the device or of the driver. They share
    /// 96 UTF-16 units with a terminator each: what does not fit is cut off at the end.
    ///
    /// IRQL: `<= DISPATCH_LEVEL`. Takes no memory of the driver's.
    ///
    /// # Errors
    /// [`Status::RESOURCES`] if NDIS has no memory for the entry. A driver goes on without it.
    pub fn write<const N: usize>(&self, code: u32, strings: [&dyn fmt::Display; N]) -> Result {
        let mut strings = Strings::new(strings);
        let mut list = strings.list();
        // SAFETY: the handle is the driver's object, the list has N pointers to terminated strings, and
        // all of it stays until the function returns (NdisWriteEventLogEntry).
        let status = unsafe {
            sys::NdisWriteEventLogEntry(
                self.driver.as_ptr(),
                code.cast_signed(),
                0,
                N as u16,
                list.as_mut_ptr().cast(),
                0,
                ptr::null_mut(),
            )
        };
        Status::from_raw(status).ok()
    }
}

/// Terminated strings, one after the other.
struct Strings<const N: usize> {
    units: [u16; MOST_UNITS],
    starts: [usize; N],
}

impl<const N: usize> Strings<N> {
    fn new(strings: [&dyn fmt::Display; N]) -> Self {
        const { assert!(N < MOST_UNITS, "every string has room for its terminator") };
        let mut new = Self {
            units: [0; MOST_UNITS],
            starts: [0; N],
        };
        let mut next = 0;
        for (index, string) in strings.into_iter().enumerate() {
            new.starts[index] = next;
            // A place for this terminator and for each string after it stays free.
            let end = MOST_UNITS - (N - index);
            let mut place = Place {
                units: &mut new.units[next..end],
                used: 0,
            };
            // The error says that the text did not fit; it is cut then.
            let _cut = write!(place, "{string}");
            next += place.used + 1;
        }
        new
    }

    fn list(&mut self) -> [*mut u16; N] {
        let units = &mut self.units;
        self.starts.map(|start| (&raw mut units[start]).cast())
    }
}

/// Where one string goes.
struct Place<'a> {
    units: &'a mut [u16],
    used: usize,
}

impl fmt::Write for Place<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            let room = self.units.get_mut(self.used..).unwrap_or_default();
            if room.len() < character.len_utf16() {
                return Err(fmt::Error);
            }
            self.used += character.encode_utf16(room).len();
        }
        Ok(())
    }
}

/// The strings' room. No page says what `MAX_EVENT_LOG_DATA_SIZE` is: a record has at most 240 bytes, and
/// its head takes 48 of them (`ns-wdm-_io_error_log_packet.md`).
const MOST_UNITS: usize = (240 - 48) / 2;

#[cfg(test)]
mod tests {
    extern crate std;

    use std::{format, string::String};

    use super::*;

    fn packed<const N: usize>(strings: [&dyn fmt::Display; N]) -> [String; N] {
        let strings = Strings::new(strings);
        strings.starts.map(|start| {
            let rest = &strings.units[start..];
            let length = rest.iter().position(|&unit| unit == 0);
            String::from_utf16(&rest[..length.expect("it is terminated")]).expect("it is UTF-16")
        })
    }

    #[test]
    fn strings_follow_each_other_with_their_terminators() {
        assert_eq!(
            packed([&r"\Device\{1}", &"", &4095]),
            [r"\Device\{1}", "", "4095"]
        );
        assert_eq!(packed([]), [""; 0]);
    }

    #[test]
    fn what_does_not_fit_is_cut_and_every_string_is_terminated() {
        let long = "x".repeat(200);
        let [first, second] = packed([&long, &"lost"]);
        assert_eq!((first.len(), &*second), (94, ""));
        let [device, detail] = packed([&"d".repeat(46), &long]);
        assert_eq!((device.len(), detail.len()), (46, 48));
    }

    #[test]
    fn a_character_of_two_units_is_not_cut_in_half() {
        let odd = format!("{}\u{1F600}", "x".repeat(94));
        assert_eq!(packed([&odd]), ["x".repeat(94)]);
    }
}
