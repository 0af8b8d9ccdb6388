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
use crate::nt::sched::Monitor;
use crate::rules;

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Whose it is: an adapter's name, or the driver's.
    pub source: String,
    /// `NDIS_ERROR_CODE_*`, or the event's code.
    pub code: u32,
    /// The values or the unique value.
    pub values: Vec<u32>,
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
        add(adapter.name(), ErrorCode, values.map(|&value| value as u32).collect());
        shared_memory::logged(NdisAdapterHandle);
    }

    /// Writes an entry of a protocol's.
    [PASSIVE..=DISPATCH] fn NdisWriteEventLogEntry(
        _LogHandle: *mut c_void,
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
        if DataSize > MOST_DATA {
            return record.returns(NDIS_STATUS_BUFFER_TOO_SHORT);
        }
        if should_fail("NdisWriteEventLogEntry") {
            return record.returns(NDIS_STATUS_RESOURCES);
        }
        add(driver, EventCode.cast_unsigned(), vec![UniqueEventValue]);
        record.returns(NDIS_STATUS_SUCCESS)
    }
}

fn add(source: &str, code: u32, values: Vec<u32>) {
    eprintln!("ndis-host: event log: {source}: code {code:#x}, {values:x?}");
    LOG.lock().push(LogEntry {
        source: source.to_owned(),
        code,
        values,
    });
}

/// The most bytes of strings and data (`MAX_EVENT_LOG_DATA_SIZE`): what a record of 240 bytes has left.
const MOST_DATA: u32 = 192;

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
}
