//! Requests to the driver's control device.
//!
//! By `NtDeviceIoControlFile`, because it answers with the driver's own NTSTATUS: `DeviceIoControl` makes
//! the same Win32 error of several.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::windows::io::AsRawHandle as _;
use std::ptr;

use windows_sys::Wdk::System::IO::NtDeviceIoControlFile;
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;

use crate::machine::{MachineError, Reply};

/// Opens the device, sends one request and closes it.
pub(super) fn request(code: u32, input: &[u8], room: usize) -> Result<Reply, MachineError> {
    let opened = OpenOptions::new().read(true).write(true).open(DEVICE);
    let device = opened.map_err(|error| match error.kind() {
        ErrorKind::NotFound => MachineError::NoDriver,
        ErrorKind::PermissionDenied => MachineError::Denied,
        _ => MachineError::Failed(format!("{DEVICE} cannot be opened: {error}")),
    })?;
    let mut output = vec![0_u8; room];
    let too_long = |_| MachineError::Failed("a buffer is too long".to_owned());
    let input_length = u32::try_from(input.len()).map_err(too_long)?;
    let output_length = u32::try_from(output.len()).map_err(too_long)?;
    let mut block = IO_STATUS_BLOCK::default();
    // SAFETY: the handle is of a file that was opened for synchronous requests, as `OpenOptions` does
    // without flags, so that the call returns when the request has ended; both buffers and the block
    // live as long as the call, and have the lengths that are given.
    let status = unsafe {
        NtDeviceIoControlFile(
            device.as_raw_handle(),
            ptr::null_mut(),
            None,
            ptr::null(),
            &raw mut block,
            code,
            input.as_ptr().cast(),
            input_length,
            output.as_mut_ptr().cast(),
            output_length,
        )
    };
    // A request that failed has no output, whatever the block says.
    let failed = status.cast_unsigned() >> 30 == 3;
    output.truncate(if failed { 0 } else { block.Information });
    Ok(Reply {
        status: status.cast_unsigned(),
        output,
    })
}

const DEVICE: &str = r"\\.\ndismux";
