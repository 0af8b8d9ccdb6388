//! A device of the driver's own beside its adapters, which programs open to control the driver.
//!
//! Lifecycle: registered in `DriverEntry`, deregistered when the driver says so. Whoever has it open
//! then still closes it later; until that has happened the system does not unload the driver.
//!
//! Not here: what the requests mean. Requests whose buffers are not copied by the system
//! (METHOD_IN_DIRECT, METHOD_OUT_DIRECT, METHOD_NEITHER) are refused, and so are reads and writes.

use core::{
    ffi::c_void,
    ptr, slice,
    sync::atomic::{AtomicPtr, Ordering},
};

use ndis_sys as sys;

use crate::{
    driver::{Deregister, Driver, Entry, MiniportRegistration, Registered},
    irql::Passive,
    status::{Result, Status},
    string,
};

/// A driver that has such a device.
pub trait Device: Driver {
    /// `IRP_MJ_CREATE`: somebody whom the security descriptor lets in opens the device.
    ///
    /// # Errors
    /// It is not opened.
    fn open(&self, at: Passive<'_>) -> Result {
        let _ = at;
        Ok(())
    }

    /// `IRP_MJ_CLOSE`: the last handle of an open is closed. Not called for one that comes after the
    /// driver's state is gone.
    fn close(&self, at: Passive<'_>) {
        let _ = at;
    }

    /// `IRP_MJ_DEVICE_CONTROL` with METHOD_BUFFERED, on the thread that asks; several may ask at once.
    fn control(&self, request: ControlRequest<'_>, at: Passive<'_>) -> Ended;
}

/// A device control request.
pub struct ControlRequest<'irp> {
    code: u32,
    /// The system's buffer: input before, output after, zero where there is no input.
    buffer: &'irp mut [u8],
    input: usize,
    output: usize,
}

/// How a request ends: an NTSTATUS, and how many bytes of the output buffer are the answer. An error has
/// none.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Ended {
    /// The NTSTATUS.
    pub status: Status,
    /// Bytes of output.
    pub length: usize,
}

/// What names a device and says who may open it. Each text ends in NUL.
pub struct Names {
    /// Its name, `\Device\…`.
    pub device: &'static [u16],
    /// Its symbolic link, `\DosDevices\…`.
    pub link: &'static [u16],
    /// Its security descriptor in SDDL.
    pub security: &'static [u16],
}

/// The registration of a device: `NdisRegisterDeviceEx`.
#[derive(Default)]
pub struct DeviceRegistration {
    handle: AtomicPtr<c_void>,
}

impl DeviceRegistration {
    /// Makes the device and its symbolic link. It may be opened before this returns.
    ///
    /// # Errors
    /// What `NdisRegisterDeviceEx` says; there is no device then.
    pub fn register<'entry, D: Device>(
        &'entry self,
        entry: &Entry<'entry>,
        miniport: &MiniportRegistration,
        names: &Names,
    ) -> Result<Registered<'entry, Self>> {
        let mut functions: [sys::PDRIVER_DISPATCH; FUNCTIONS] = [None; FUNCTIONS];
        functions[usize::from(sys::IRP_MJ_CREATE)] = Some(create::<D>);
        functions[usize::from(sys::IRP_MJ_CLEANUP)] = Some(clean_up);
        functions[usize::from(sys::IRP_MJ_CLOSE)] = Some(close::<D>);
        functions[usize::from(sys::IRP_MJ_DEVICE_CONTROL)] = Some(control::<D>);
        let mut device = string::raw_terminated(names.device);
        let mut link = string::raw_terminated(names.link);
        let security = string::raw_terminated(names.security);
        let mut attributes = sys::NDIS_DEVICE_OBJECT_ATTRIBUTES {
            Header: sys::NDIS_OBJECT_HEADER {
                Type: sys::NDIS_OBJECT_TYPE_DEVICE_OBJECT_ATTRIBUTES,
                Revision: sys::NDIS_DEVICE_OBJECT_ATTRIBUTES_REVISION_1,
                Size: sys::NDIS_SIZEOF_DEVICE_OBJECT_ATTRIBUTES_REVISION_1,
            },
            DeviceName: &raw mut device,
            SymbolicName: &raw mut link,
            MajorFunctions: functions.as_mut_ptr(),
            ExtensionSize: 0,
            DefaultSDDLString: &raw const security,
            DeviceClassGuid: ptr::null(),
        };
        let mut object = ptr::null_mut();
        // SAFETY: the upper edge is registered, `DriverEntry` runs at PASSIVE_LEVEL, and the attributes
        // are filled as the contract wants them (NdisRegisterDeviceEx), with a function for each kind of
        // request or none.
        let status = unsafe {
            sys::NdisRegisterDeviceEx(
                miniport.handle(),
                &raw mut attributes,
                &raw mut object,
                self.handle.as_ptr(),
            )
        };
        Status::from_raw(status).ok()?;
        Ok(Registered::new(self, entry.at()))
    }
}

impl Deregister for DeviceRegistration {
    /// Takes the device and its link away: nobody opens it any more. Requests of those who have it open
    /// may still come.
    fn deregister(&self, _at: Passive<'_>) {
        let handle = self.handle.swap(ptr::null_mut(), Ordering::AcqRel);
        if !handle.is_null() {
            // SAFETY: the handle is that of a registration that was not yet undone, and the IRQL is
            // PASSIVE_LEVEL (NdisDeregisterDeviceEx).
            unsafe { sys::NdisDeregisterDeviceEx(handle) };
        }
    }
}

impl ControlRequest<'_> {
    /// Its code.
    #[must_use]
    pub const fn code(&self) -> u32 {
        self.code
    }

    /// What came with it. The output is put into the same memory.
    #[must_use]
    pub fn input(&self) -> &[u8] {
        self.buffer.get(..self.input).unwrap_or_default()
    }

    /// Where the answer goes.
    #[must_use]
    pub fn output(&mut self) -> &mut [u8] {
        self.buffer.get_mut(..self.output).unwrap_or_default()
    }

    /// How many bytes the answer may have.
    #[must_use]
    pub const fn output_length(&self) -> usize {
        self.output
    }
}

impl Ended {
    /// Without an answer.
    pub const fn with(status: Status) -> Self {
        Self { status, length: 0 }
    }
}

unsafe extern "efiapi" fn create<D: Device>(
    _device: *mut sys::DEVICE_OBJECT,
    irp: *mut sys::IRP,
) -> sys::NTSTATUS {
    // SAFETY: the I/O manager calls dispatch routines of such a device at PASSIVE_LEVEL, in the thread
    // that asks.
    let at = unsafe { Passive::assume() };
    // SAFETY: this is the request of the running dispatch routine, an open.
    let opened = match (unsafe { names_below(irp) }, D::cell().get()) {
        (false, Some(driver)) => driver.open(at),
        (false, None) => Err(Status::FAILURE),
        (true, _) => Err(Status::from_raw(sys::STATUS_OBJECT_NAME_NOT_FOUND)),
    };
    // SAFETY: this is the request of the running dispatch routine.
    unsafe { complete(irp, Ended::with(Status::of(opened))) }
}

/// Whether an open is for a name below the device. There are none; and unless the device has
/// FILE_DEVICE_SECURE_OPEN, of which nobody says that NDIS sets it, the system lets everybody ask
/// (controlling-device-namespace-access.md).
///
/// # Safety
/// It is an open that was not completed.
unsafe fn names_below(irp: *mut sys::IRP) -> bool {
    // SAFETY: the caller's own promise.
    let location = unsafe { sys::IoGetCurrentIrpStackLocation(irp) };
    // SAFETY: the I/O manager keeps the stack location as long as the request.
    let file = unsafe { (*location).FileObject };
    // SAFETY: an open has a file object, which the I/O manager keeps until the close.
    let file = unsafe { file.as_ref() };
    file.is_none_or(|file| file.FileName.Length != 0)
}

unsafe extern "efiapi" fn clean_up(
    _device: *mut sys::DEVICE_OBJECT,
    irp: *mut sys::IRP,
) -> sys::NTSTATUS {
    // No request is kept: there is nothing to cancel.
    // SAFETY: this is the request of the running dispatch routine.
    unsafe { complete(irp, Ended::with(Status::SUCCESS)) }
}

unsafe extern "efiapi" fn close<D: Device>(
    _device: *mut sys::DEVICE_OBJECT,
    irp: *mut sys::IRP,
) -> sys::NTSTATUS {
    // SAFETY: as in `create`.
    let at = unsafe { Passive::assume() };
    if let Some(driver) = D::cell().get() {
        driver.close(at);
    }
    // SAFETY: this is the request of the running dispatch routine.
    unsafe { complete(irp, Ended::with(Status::SUCCESS)) }
}

unsafe extern "efiapi" fn control<D: Device>(
    _device: *mut sys::DEVICE_OBJECT,
    irp: *mut sys::IRP,
) -> sys::NTSTATUS {
    // SAFETY: as in `create`.
    let at = unsafe { Passive::assume() };
    // SAFETY: this is the request of the running dispatch routine, a device control.
    let request = unsafe { request_of(irp) };
    let ended = match (request, D::cell().get()) {
        (Some(request), Some(driver)) => {
            let room = request.output;
            let ended = driver.control(request, at);
            assert!(ended.length <= room, "an answer longer than its buffer");
            ended
        }
        _ => Ended::with(Status::INVALID_DEVICE_REQUEST),
    };
    // SAFETY: as above; `request` is gone.
    unsafe { complete(irp, ended) }
}

/// The request, unless its buffers are not copied by the system.
///
/// # Safety
/// It is a device control that was not completed, and nobody else uses its buffer for `'irp`.
unsafe fn request_of<'irp>(irp: *mut sys::IRP) -> Option<ControlRequest<'irp>> {
    // SAFETY: the caller's own promise.
    let location = unsafe { sys::IoGetCurrentIrpStackLocation(irp) };
    // SAFETY: the I/O manager keeps the stack location as long as the request.
    let parameters = unsafe { &(*location).Parameters };
    // SAFETY: the request is a device control, so this member is in use.
    let parameters = unsafe { &parameters.DeviceIoControl };
    if parameters.IoControlCode & 3 != sys::METHOD_BUFFERED {
        return None;
    }
    let input = parameters.InputBufferLength as usize;
    let output = parameters.OutputBufferLength as usize;
    let length = input.max(output);
    // SAFETY: the caller's own promise.
    let buffer = unsafe { (*irp).SystemBuffer }.cast::<u8>();
    let buffer: &mut [u8] = if length == 0 || buffer.is_null() {
        &mut []
    } else {
        // SAFETY: the system's buffer has as many bytes as the longer of the two
        // (buffer-descriptions-for-i-o-control-codes.md); the input ends before.
        let rest = unsafe { buffer.add(input) };
        // SAFETY: as above. What nobody wrote yet becomes zero.
        unsafe { rest.write_bytes(0, length - input) };
        // SAFETY: as above, and all of it is written now. Nobody else uses it until the completion.
        unsafe { slice::from_raw_parts_mut(buffer, length) }
    };
    let present = buffer.len();
    Some(ControlRequest {
        code: parameters.IoControlCode,
        buffer,
        input: input.min(present),
        output: output.min(present),
    })
}

/// Completes a request, once: the dispatch routine returns what this returns.
///
/// # Safety
/// The request was not completed, and nobody uses it or its buffer any more.
unsafe fn complete(irp: *mut sys::IRP, ended: Ended) -> sys::NTSTATUS {
    let status = ended.status.raw();
    // SAFETY: the caller's own promise.
    let block = unsafe { &mut (*irp).IoStatus };
    block.Status = status;
    block.Information = ended.length;
    // SAFETY: as above (IofCompleteRequest).
    unsafe { sys::IofCompleteRequest(irp, sys::IO_NO_INCREMENT) };
    status
}

/// How many kinds of request there are.
const FUNCTIONS: usize = sys::IRP_MJ_MAXIMUM_FUNCTION as usize + 1;
