//! Programs in a lab that open a driver's device and control it.

use std::fmt;
use std::time::Duration;

use ndis_sys::nt::NTSTATUS;
use ndis_sys::{ACCESS_MASK, GENERIC_READ, GENERIC_WRITE};

use super::Lab;
use crate::ndis::caller::{self, Caller};
use crate::ndis::strings;
use crate::nt::io::{File, Pending};

pub use crate::nt::io::Outcome;
pub use crate::nt::io::security::Token;

/// A failure of a device: the status that a program would get.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("status {:#010x}", .0.cast_unsigned())]
pub struct NtStatus(pub NTSTATUS);

impl fmt::Debug for NtStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NtStatus({:#010x})", self.0.cast_unsigned())
    }
}

/// An open of a driver's device. Dropping it closes it, which cancels what is on its way.
pub struct DeviceFile {
    // None once it is closed.
    file: Option<File>,
    caller: Caller,
}

/// A request that was sent and need not have ended.
pub struct Request<'a> {
    pending: Pending,
    file: &'a DeviceFile,
}

impl Lab {
    /// Opens a device for reading and writing, by the name that programs use: `\\.\name`.
    ///
    /// # Errors
    /// `STATUS_OBJECT_NAME_NOT_FOUND` if there is none, `STATUS_ACCESS_DENIED` if it is not for
    /// `token`, or what its driver answers.
    pub fn open_device(&self, path: &str, token: &Token) -> Result<DeviceFile, NtStatus> {
        self.open_device_for(path, token, GENERIC_READ | GENERIC_WRITE)
    }

    /// Opens a device for the rights `desired`.
    ///
    /// # Errors
    /// As for [`Lab::open_device`].
    pub fn open_device_for(
        &self,
        path: &str,
        token: &Token,
        desired: ACCESS_MASK,
    ) -> Result<DeviceFile, NtStatus> {
        let file = File::open(path, token, desired).map_err(NtStatus)?;
        let service = file.service();
        let caller = service.map_or(Caller::UNNAMED, |service| Caller {
            name: strings::intern(&service),
            built_in: false,
        });
        Ok(DeviceFile {
            file: Some(file),
            caller,
        })
    }
}

impl DeviceFile {
    /// Sends a device control request and waits for its end: the bytes of the answer.
    ///
    /// # Errors
    /// The status of a request that failed. One that takes longer than half a minute is cancelled.
    pub fn ioctl(&self, code: u32, input: &[u8], output_len: usize) -> Result<Vec<u8>, NtStatus> {
        let outcome = self.ioctl_raw(code, input, vec![0; output_len])?;
        succeeded(outcome).map(|outcome| outcome.output)
    }

    /// Sends a device control request with an output buffer that has content (METHOD_IN_DIRECT), and
    /// shows the status and `Information` that it ended with.
    ///
    /// # Errors
    /// `STATUS_ACCESS_DENIED` if the code asks for an access that the open does not have.
    pub fn ioctl_raw(&self, code: u32, input: &[u8], output: Vec<u8>) -> Result<Outcome, NtStatus> {
        Ok(self.ioctl_start(code, input, output)?.finish())
    }

    /// Sends a device control request and does not wait for its end.
    ///
    /// # Errors
    /// As for [`DeviceFile::ioctl_raw`].
    pub fn ioctl_start(
        &self,
        code: u32,
        input: &[u8],
        output: Vec<u8>,
    ) -> Result<Request<'_>, NtStatus> {
        self.start(|file| file.control(code, input, output))
    }

    /// Reads up to `size` bytes.
    ///
    /// # Errors
    /// The status of a request that failed.
    pub fn read(&self, size: usize) -> Result<Vec<u8>, NtStatus> {
        let outcome = self.start(|file| file.read(size))?.finish();
        succeeded(outcome).map(|outcome| outcome.output)
    }

    /// Writes bytes; answers how many the driver took.
    ///
    /// # Errors
    /// The status of a request that failed.
    pub fn write(&self, data: &[u8]) -> Result<usize, NtStatus> {
        let outcome = self.start(|file| file.write(data))?.finish();
        succeeded(outcome).map(|outcome| outcome.information)
    }

    fn start(
        &self,
        send: impl FnOnce(&File) -> Result<Pending, NTSTATUS>,
    ) -> Result<Request<'_>, NtStatus> {
        let _entered = caller::enter(self.caller);
        let file = self.file.as_ref().expect("it is open until it is dropped");
        let pending = send(file).map_err(NtStatus)?;
        Ok(Request {
            pending,
            file: self,
        })
    }
}

impl Drop for DeviceFile {
    fn drop(&mut self) {
        let _entered = caller::enter(self.caller);
        self.file = None;
    }
}

impl Request<'_> {
    /// Waits for the end, at most for `timeout`.
    #[must_use]
    pub fn wait(&self, timeout: Duration) -> Option<Outcome> {
        self.pending.wait(Some(timeout))
    }

    /// Asks the driver to cancel the request; answers whether it had a routine for that.
    pub fn cancel(&self) -> bool {
        let _entered = caller::enter(self.file.caller);
        self.pending.cancel()
    }

    /// Waits for the end. What takes longer than half a minute is cancelled.
    #[must_use]
    pub fn finish(self) -> Outcome {
        self.wait(LONG).unwrap_or_else(|| {
            self.cancel();
            let outcome = self.pending.wait(None);
            outcome.expect("a wait without end has an end")
        })
    }
}

fn succeeded(outcome: Outcome) -> Result<Outcome, NtStatus> {
    if outcome.status < 0 {
        return Err(NtStatus(outcome.status));
    }
    Ok(outcome)
}

const LONG: Duration = Duration::from_secs(30);
