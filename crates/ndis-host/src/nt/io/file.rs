//! Opens of devices: create, requests, cleanup, close.
//!
//! Closing cancels what is still on its way, as the end of a program does. Requests that stay after
//! that are a broken rule: the open could never be closed.

use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use ndis_sys::nt::{
    CSHORT, NTSTATUS, STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER, UNICODE_STRING,
};
use ndis_sys::{
    ACCESS_MASK, DEVICE_OBJECT, DO_BUFFERED_IO, DO_DIRECT_IO, FILE_OBJECT, FILE_READ_ACCESS,
    FILE_READ_DATA, FILE_WRITE_ACCESS, FILE_WRITE_DATA, IO_PARAMETERS,
    IO_PARAMETERS_DEVICE_IO_CONTROL, IO_PARAMETERS_READ_WRITE, IRP_MJ_CLEANUP, IRP_MJ_CLOSE,
    IRP_MJ_CREATE, IRP_MJ_DEVICE_CONTROL, IRP_MJ_READ, IRP_MJ_WRITE, METHOD_BUFFERED,
    METHOD_NEITHER, METHOD_OUT_DIRECT, STATUS_ACCESS_DENIED,
};

use super::buffers::Transfer;
use super::irp::{self, Asked, Outcome, Request};
use super::security::Token;
use super::{device, name};
use crate::nt::irql::{self, Irql};
use crate::nt::pool::{self, Kind};
use crate::nt::sched::Monitor;
use crate::nt::string::UnicodeString;
use crate::rules;

/// An open of a device.
pub struct File {
    device: usize,
    object: usize,
    granted: ACCESS_MASK,
    // The FILE_OBJECT's name points there.
    _name: UnicodeString,
    pending: Monitor<Vec<Arc<Request>>>,
    closed: bool,
}

/// A request on its way.
pub struct Pending(Arc<Request>);

impl File {
    /// Opens a device by a name such as `\\.\name` or `\Device\Name`.
    ///
    /// # Errors
    /// STATUS_OBJECT_NAME_NOT_FOUND, STATUS_NO_SUCH_DEVICE, STATUS_ACCESS_DENIED, or what the driver
    /// answers.
    pub fn open(path: &str, token: &Token, desired: ACCESS_MASK) -> Result<Self, NTSTATUS> {
        let (device, below) = name::resolve(path)?;
        let granted = device::open(device, &below, token, desired)?;
        let name = UnicodeString::new(&below);
        let object = make_object(device, granted, &name);
        if object.is_null() {
            device::close(device);
            return Err(STATUS_INSUFFICIENT_RESOURCES);
        }
        let mut file = Self {
            device,
            object: object as usize,
            granted,
            _name: name,
            pending: Monitor::default(),
            closed: false,
        };
        let create = file.ask(IRP_MJ_CREATE, IO_PARAMETERS::zeroed(), None);
        let outcome = create.wait(None).expect("a wait without end has an end");
        if outcome.status < 0 {
            // What was never open gets neither cleanup nor close.
            file.release();
            return Err(outcome.status);
        }
        Ok(file)
    }

    /// Sends a device control request. The output buffer holds `output` before the driver writes it.
    ///
    /// # Errors
    /// STATUS_ACCESS_DENIED if the code asks for access that the open does not have; the driver is
    /// not called then.
    pub fn control(&self, code: u32, input: &[u8], output: Vec<u8>) -> Result<Pending, NTSTATUS> {
        let required = code >> 14;
        let needs = |access, right| required & access != 0 && self.granted & right == 0;
        if needs(FILE_READ_ACCESS, FILE_READ_DATA) || needs(FILE_WRITE_ACCESS, FILE_WRITE_DATA) {
            return Err(STATUS_ACCESS_DENIED);
        }
        let parameters = IO_PARAMETERS {
            DeviceIoControl: IO_PARAMETERS_DEVICE_IO_CONTROL {
                OutputBufferLength: length(&output)?,
                InputBufferLength: length(input)?,
                IoControlCode: code,
                ..IO_PARAMETERS_DEVICE_IO_CONTROL::zeroed()
            },
        };
        let transfer = Transfer {
            method: code & 3,
            input: input.to_vec(),
            output,
        };
        Ok(Pending(self.ask(
            IRP_MJ_DEVICE_CONTROL,
            parameters,
            Some(transfer),
        )))
    }

    /// Asks for up to `size` bytes.
    ///
    /// # Errors
    /// STATUS_ACCESS_DENIED if the open may not read.
    pub fn read(&self, size: usize) -> Result<Pending, NTSTATUS> {
        self.require(FILE_READ_DATA)?;
        let transfer = Transfer {
            method: self.method(),
            input: Vec::new(),
            output: vec![0; size],
        };
        let parameters = IO_PARAMETERS {
            Read: IO_PARAMETERS_READ_WRITE {
                Length: length(&transfer.output)?,
                ..IO_PARAMETERS_READ_WRITE::zeroed()
            },
        };
        Ok(Pending(self.ask(IRP_MJ_READ, parameters, Some(transfer))))
    }

    /// Gives bytes.
    ///
    /// # Errors
    /// STATUS_ACCESS_DENIED if the open may not write.
    pub fn write(&self, data: &[u8]) -> Result<Pending, NTSTATUS> {
        self.require(FILE_WRITE_DATA)?;
        let method = self.method();
        // Only buffered data lies in the system's buffer; otherwise the caller's own is described.
        let (input, output) = match method {
            METHOD_BUFFERED => (data.to_vec(), Vec::new()),
            _ => (Vec::new(), data.to_vec()),
        };
        let parameters = IO_PARAMETERS {
            Write: IO_PARAMETERS_READ_WRITE {
                Length: length(data)?,
                ..IO_PARAMETERS_READ_WRITE::zeroed()
            },
        };
        let transfer = Transfer {
            method,
            input,
            output,
        };
        Ok(Pending(self.ask(IRP_MJ_WRITE, parameters, Some(transfer))))
    }

    /// The service of the driver whose device is open.
    #[must_use]
    pub fn service(&self) -> Option<String> {
        device::describe(self.device).1
    }

    /// Closes the open: cleanup, the end of what is on its way, close. A request that is cancelled and
    /// takes longer than `patience` ends the run.
    pub fn close_within(mut self, patience: Duration) {
        self.close(patience);
    }

    fn close(&mut self, patience: Duration) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        let finish = |request: Arc<Request>| {
            if request.wait(Some(patience)).is_none() {
                rules::broken(
                    &rules::IRP_CANCEL_TIMED_OUT,
                    format_args!(
                        "{} was cancelled and is not completed after {patience:?}",
                        request.text()
                    ),
                );
            }
        };
        finish(self.ask(IRP_MJ_CLEANUP, IO_PARAMETERS::zeroed(), None));
        let left: Vec<_> = std::mem::take(&mut *self.pending.lock());
        for request in left {
            if !request.has_ended() {
                irql::at(Irql::PASSIVE, || request.cancel());
                finish(request);
            }
        }
        finish(self.ask(IRP_MJ_CLOSE, IO_PARAMETERS::zeroed(), None));
        self.release();
    }

    /// Gives back what the open is made of.
    fn release(&mut self) {
        self.closed = true;
        pool::free(self.object as *mut u8, Some(TAG.into()));
        device::close(self.device);
    }

    fn ask(
        &self,
        major: u8,
        parameters: IO_PARAMETERS,
        transfer: Option<Transfer>,
    ) -> Arc<Request> {
        let asked = Asked {
            device: self.device,
            file: self.object as *mut FILE_OBJECT,
            major,
            parameters,
            transfer,
        };
        let request = irql::at(Irql::PASSIVE, || irp::send(asked));
        let mut pending = self.pending.lock();
        pending.retain(|request| !request.has_ended());
        pending.push(request.clone());
        drop(pending);
        request
    }

    fn require(&self, right: ACCESS_MASK) -> Result<(), NTSTATUS> {
        if self.granted & right == 0 {
            return Err(STATUS_ACCESS_DENIED);
        }
        Ok(())
    }

    /// How the device takes the buffers of reads and writes.
    fn method(&self) -> u32 {
        // SAFETY: the device lives while it is open; drivers set its flags before it is opened.
        let flags = unsafe { (*(self.device as *const DEVICE_OBJECT)).Flags };
        if flags & DO_BUFFERED_IO != 0 {
            METHOD_BUFFERED
        } else if flags & DO_DIRECT_IO != 0 {
            METHOD_OUT_DIRECT
        } else {
            METHOD_NEITHER
        }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        self.close(CANCELLED_WITHIN);
    }
}

impl Pending {
    /// Waits for the end, at most for `timeout`.
    #[must_use]
    pub fn wait(&self, timeout: Option<Duration>) -> Option<Outcome> {
        self.0.wait(timeout)
    }

    /// Asks for the request to be cancelled; answers whether the driver had a routine for that.
    pub fn cancel(&self) -> bool {
        irql::at(Irql::PASSIVE, || self.0.cancel())
    }
}

fn make_object(device: usize, granted: ACCESS_MASK, name: &UnicodeString) -> *mut FILE_OBJECT {
    let object = pool::allocate(size_of::<FILE_OBJECT>(), TAG, Kind::NonPaged);
    let object = object.cast::<FILE_OBJECT>();
    if object.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: the host's own string is valid as long as it lives.
    let name: UNICODE_STRING = unsafe { name.as_ptr().read() };
    let content = FILE_OBJECT {
        Type: IO_TYPE_FILE,
        Size: size_of::<FILE_OBJECT>() as CSHORT,
        DeviceObject: device as *mut DEVICE_OBJECT,
        ReadAccess: u8::from(granted & FILE_READ_DATA != 0),
        WriteAccess: u8::from(granted & FILE_WRITE_DATA != 0),
        FileName: name,
        ..FILE_OBJECT::zeroed()
    };
    // SAFETY: the block was just allocated for one.
    unsafe { object.write(content) };
    object
}

fn length(bytes: &[u8]) -> Result<u32, NTSTATUS> {
    u32::try_from(bytes.len()).map_err(|_| STATUS_INVALID_PARAMETER)
}

const TAG: [u8; 4] = *b"File";
const IO_TYPE_FILE: CSHORT = 5;
/// How long the end of an open waits for each request that it cancels.
const CANCELLED_WITHIN: Duration = Duration::from_secs(30);
