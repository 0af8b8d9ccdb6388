//! The error log: what drivers write to it is kept, for tests and people to read.

use std::ffi::c_void;

use ndis_sys::{
    NDIS_ERROR_CODE, NDIS_HANDLE, NDIS_STATUS, NDIS_STATUS_BUFFER_TOO_SHORT, NDIS_STATUS_RESOURCES,
    NDIS_STATUS_SUCCESS,
};

use super::adapter::Adapter;
use super::caller;
use super::faults::should_fail;
use super::object::resolve;
use super::{shared_memory, trace};
use crate::nt::driver::{message_of, service_of};
use crate::nt::sched::Monitor;
use crate::rules;

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Whose it is: an adapter's name, or the driver's service.
    pub source: String,
    /// `NDIS_ERROR_CODE_*`, or the event's code.
    pub code: u32,
    /// The values or the unique value.
    pub values: Vec<u32>,
    /// What stands at `%2`, `%3` and so on of the code's message.
    pub strings: Vec<String>,
    /// The message with these strings in it, as a viewer shows it; none if the driver's image has no
    /// message of that code.
    pub text: Option<String>,
}

/// All entries of this process so far.
pub fn entries() -> Vec<LogEntry> {
    LOG.lock().clone()
}

crate::ddi! { "ndis.sys":
    /// Writes an entry of a miniport's, with values. The C declaration ends in `...`: the values lie
    /// where these arguments are read.
    [PASSIVE..=DISPATCH, unchecked] fn NdisWriteErrorLogEntry(
        NdisAdapterHandle: NDIS_HANDLE,
        ErrorCode: NDIS_ERROR_CODE,
        NumberOfErrorValues: u32,
        value0: usize,
        value1: usize,
        value2: usize,
        value3: usize,
        value4: usize,
        value5: usize,
        value6: usize,
        value7: usize,
    ) {
        const NAME: &str = "NdisWriteErrorLogEntry";
        let adapter = resolve::<Adapter>(NdisAdapterHandle, NAME);
        let _record = trace::call(NAME, adapter.name());
        let given = [value0, value1, value2, value3, value4, value5, value6, value7];
        if NumberOfErrorValues as usize > given.len() {
            eprintln!(
                "ndis-host: {NAME}: {NumberOfErrorValues} values, of which {} are kept",
                given.len()
            );
        }
        let values = given.iter().take(NumberOfErrorValues as usize);
        let values = values.map(|&value| value as u32).collect();
        add(LogEntry {
            source: adapter.name().to_owned(),
            code: ErrorCode,
            values,
            strings: Vec::new(),
            // The codes are NDIS's, and so are their texts.
            text: None,
        });
        shared_memory::logged(NdisAdapterHandle);
    }

    /// Writes an entry of a protocol's.
    [PASSIVE..=DISPATCH] fn NdisWriteEventLogEntry(
        LogHandle: *mut c_void,
        EventCode: NDIS_STATUS,
        UniqueEventValue: u32,
        NumStrings: u16,
        StringsList: *mut c_void,
        DataSize: u32,
        Data: *mut c_void,
    ) -> NDIS_STATUS {
        const NAME: &str = "NdisWriteEventLogEntry";
        let driver = caller::current().name;
        let mut record = trace::call(NAME, driver);
        if StringsList.is_null() && NumStrings != 0 || Data.is_null() && DataSize != 0 {
            rules::broken(
                &rules::INVALID_STRING,
                format_args!("{NAME}: {NumStrings} strings or {DataSize} bytes without a pointer"),
            );
        }
        // SAFETY: the caller says that the list has that many pointers (the function's document).
        let strings = unsafe { strings(StringsList.cast(), NumStrings) };
        let bytes: usize = strings.iter().map(|units| (units.len() + 1) * 2).sum();
        if bytes + (DataSize as usize).next_multiple_of(4) > MOST_DATA {
            return record.returns(NDIS_STATUS_BUFFER_TOO_SHORT);
        }
        if should_fail("NdisWriteEventLogEntry") {
            return record.returns(NDIS_STATUS_RESOURCES);
        }
        let strings: Vec<_> = strings.iter().map(|units| String::from_utf16_lossy(units)).collect();
        let source = service_of(LogHandle).unwrap_or_else(|| driver.to_owned());
        let code = EventCode.cast_unsigned();
        let message = message_of(LogHandle, code);
        add(LogEntry {
            text: message.map(|message| inserted(&message, &source, &strings)),
            source,
            code,
            values: vec![UniqueEventValue],
            strings,
        });
        record.returns(NDIS_STATUS_SUCCESS)
    }
}

/// The units of each string, without its terminator.
///
/// # Safety
/// `list` has `number` pointers, each of them null or to a terminated string.
unsafe fn strings(list: *const *const u16, number: u16) -> Vec<Vec<u16>> {
    let string = |index| {
        // SAFETY: the caller's own promise.
        let start = unsafe { list.wrapping_add(index).read() };
        if start.is_null() {
            rules::broken(
                &rules::INVALID_STRING,
                format_args!("NdisWriteEventLogEntry: string {index} of {number} is null"),
            );
        }
        let unit = |offset| {
            // SAFETY: no terminator was met, says the caller, so the string goes on.
            unsafe { start.wrapping_add(offset).read_unaligned() }
        };
        (0..).map(unit).take_while(|&unit| unit != 0).collect()
    };
    (0..usize::from(number)).map(string).collect()
}

fn add(entry: LogEntry) {
    let LogEntry {
        source,
        code,
        values,
        strings,
        text,
    } = &entry;
    match text {
        Some(text) => eprintln!("ndis-host: event log: {source}: {code:#x}: {text}"),
        None => {
            eprintln!("ndis-host: event log: {source}: code {code:#x}, {values:x?}, {strings:?}")
        }
    }
    LOG.lock().push(entry);
}

/// A message with its insertion strings: `%1` is the source, `%2` the first string
/// (`defining-custom-error-types.md`). What has no string stays as it is.
fn inserted(message: &str, source: &str, strings: &[String]) -> String {
    let mut parts = message.split('%');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.len()
            - part
                .trim_start_matches(|it: char| it.is_ascii_digit())
                .len();
        let (number, rest) = part.split_at(digits);
        let string = match number.parse::<usize>() {
            Ok(1) => Some(source),
            Ok(number) => strings.get(number.wrapping_sub(2)).map(String::as_str),
            Err(_) => None,
        };
        match string {
            Some(string) => text.extend([string, rest]),
            None => text.extend(["%", part]),
        }
    }
    text
}

/// The most bytes of strings and data (`MAX_EVENT_LOG_DATA_SIZE`): what a record of 240 bytes has left.
const MOST_DATA: usize = 192;

static LOG: Monitor<Vec<LogEntry>> = Monitor::new(Vec::new());

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;
    use crate::ndis::object::handle_of;
    use crate::ndis::testing::{Miniport, halt, start};

    #[test]
    fn entries_are_kept_with_as_many_values_as_they_say() {
        let adapter = start("error log", Miniport::default());
        let handle = handle_of(adapter);
        // SAFETY: the handle is alive.
        unsafe { NdisWriteErrorLogEntry(handle, 0xc000_1388, 2, 7, 8, 9, 0, 0, 0, 0, 0) };
        let entry = LogEntry {
            source: adapter.name().to_owned(),
            code: 0xc000_1388,
            values: vec![7, 8],
            strings: Vec::new(),
            text: None,
        };
        assert!(entries().contains(&entry));
        halt(adapter);
    }

    #[test]
    fn too_much_data_is_refused() {
        let mut data = [0_u8; 256];
        let data = (&raw mut data).cast();
        let null = ptr::null_mut();
        // SAFETY: the data has that many bytes.
        let write = |size| unsafe { NdisWriteEventLogEntry(null, 0x4000, 1, 0, null, size, data) };
        assert_eq!(write(256), NDIS_STATUS_BUFFER_TOO_SHORT);
        assert_eq!(write(16), NDIS_STATUS_SUCCESS);
        let ours = |entry: &LogEntry| entry.code == 0x4000 && entry.values == [1];
        assert_eq!(entries().iter().filter(|entry| ours(entry)).count(), 1);
    }

    #[test]
    fn strings_are_kept_and_count_as_data() {
        let wide = |text: &str| text.encode_utf16().chain([0]).collect::<Vec<_>>();
        let (device, detail, long) = (wide(r"\Device\{1}"), wide("4095"), wide(&"x".repeat(90)));
        let null = ptr::null_mut();
        let write = |strings: &[*const u16]| {
            let (number, list) = (strings.len() as u16, strings.as_ptr().cast_mut().cast());
            // SAFETY: the list has that many pointers to terminated strings.
            unsafe { NdisWriteEventLogEntry(null, 0x4001, 1, number, list, 0, null) }
        };
        let (device, detail, long) = (device.as_ptr(), detail.as_ptr(), long.as_ptr());
        assert_eq!(write(&[device, detail]), NDIS_STATUS_SUCCESS);
        assert_eq!(write(&[device, long]), NDIS_STATUS_BUFFER_TOO_SHORT);
        let entries = entries();
        let ours: Vec<_> = entries
            .iter()
            .filter(|entry| entry.code == 0x4001)
            .collect();
        assert_eq!(ours.len(), 1);
        assert_eq!(ours[0].strings, [r"\Device\{1}", "4095"]);
    }

    #[test]
    fn strings_take_the_places_that_a_message_has_for_them() {
        let strings = ["one".to_owned(), "two %3".to_owned()];
        let text = |message| inserted(message, "driver", &strings);
        assert_eq!(text("%1: %2, %3, and %2s"), "driver: one, two %3, and ones");
        assert_eq!(text("100 %, %4, %0 and %"), "100 %, %4, %0 and %");
        assert_eq!(text(""), "");
    }
}
