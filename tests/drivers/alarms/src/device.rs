//! A driver without an edge to the network: a device that programs open, and the requests to it.
//!
//! A control request with the code [`ASK`] is answered at once; one with [`WAIT`] waits until it is
//! cancelled.

use core::{
    ptr,
    sync::atomic::{AtomicPtr, Ordering},
};

use crate::{SUCCESS, call, sys};

/// The steps of such a driver. Each is correct unless an image replaces it.
pub trait Device {
    /// The rest of `DriverEntry`, once the device is made.
    fn entry(_driver: *mut sys::DRIVER_OBJECT) {}

    /// The driver's unload routine.
    fn unload() {
        delete_link();
        delete_device();
    }

    /// `DispatchDeviceControl` for what is answered at once.
    fn ask(request: Request) -> sys::NTSTATUS {
        request.answer()
    }

    /// `DispatchDeviceControl` for what waits.
    fn wait(request: Request) -> sys::NTSTATUS {
        request.keep(cancel::<Self>)
    }

    /// `Cancel`, with the cancel lock held.
    fn cancelled(request: Request) {
        request.release_cancel_lock();
        request.complete(CANCELLED, 0);
    }
}

/// A request, which is the driver's until it completes it.
#[derive(Clone, Copy, Debug)]
pub struct Request(pub *mut sys::IRP);

impl Request {
    /// Completes it with this status and so many bytes; answers with the status.
    pub fn complete(self, status: sys::NTSTATUS, bytes: usize) -> sys::NTSTATUS {
        self.end_with(status, bytes);
        call!(IofCompleteRequest(self.0, 0));
        status
    }

    /// Puts into it how it ends.
    pub fn end_with(self, status: sys::NTSTATUS, bytes: usize) {
        // SAFETY: none is claimed, as for `call!`.
        let request = unsafe { &mut *self.0 };
        request.IoStatus.Status = status;
        request.IoStatus.Information = bytes;
    }

    /// Completes it with success and as much of the answer as there is room for.
    pub fn answer(self) -> sys::NTSTATUS {
        self.complete(SUCCESS, self.room().min(ANSWER))
    }

    /// Bytes that an answer may have.
    pub fn room(self) -> usize {
        self.control().OutputBufferLength as usize
    }

    fn control(self) -> sys::IO_PARAMETERS_DEVICE_IO_CONTROL {
        // SAFETY: the request is the driver's until it is completed.
        let location = unsafe { (*self.0).CurrentStackLocation };
        // SAFETY: its stack location lives as long.
        let parameters = unsafe { (*location).Parameters };
        // SAFETY: a control request has these parameters.
        unsafe { parameters.DeviceIoControl }
    }

    /// Says that the dispatch routine returns STATUS_PENDING.
    pub fn mark_pending(self) {
        call!(IoMarkIrpPending(self.0));
    }

    /// Sets or takes away what cancels it.
    pub fn set_cancel(self, routine: sys::PDRIVER_CANCEL) {
        call!(IoSetCancelRoutine(self.0, routine));
    }

    /// Lets it wait to be cancelled, which nobody does before the dispatch routine returns.
    pub fn keep(self, routine: sys::DRIVER_CANCEL) -> sys::NTSTATUS {
        self.mark_pending();
        self.set_cancel(Some(routine));
        sys::STATUS_PENDING
    }

    /// In a cancel routine: releases the lock that it is called with.
    pub fn release_cancel_lock(self) {
        // SAFETY: none is claimed, as for `call!`.
        let irql = unsafe { (*self.0).CancelIrql };
        call!(IoReleaseCancelSpinLock(irql));
    }
}

/// `DriverEntry` of such a driver.
pub fn load<D: Device + ?Sized>(
    driver: *mut sys::DRIVER_OBJECT,
    _registry_path: *mut sys::UNICODE_STRING,
) -> sys::NTSTATUS {
    let (mut name, mut link) = (text(&NAME), text(&LINK));
    let status = call!(IoCreateDevice(
        driver,
        0,
        &raw mut name,
        sys::FILE_DEVICE_NETWORK,
        0,
        0,
        DEVICE.as_ptr(),
    ));
    if status != SUCCESS {
        return status;
    }
    let status = call!(IoCreateSymbolicLink(&raw mut link, &raw mut name));
    if status != SUCCESS {
        delete_device();
        return status;
    }
    // SAFETY: it is the driver object that the running `DriverEntry` got.
    let object = unsafe { &mut *driver };
    object.DriverUnload = Some(unload::<D>);
    for major in [sys::IRP_MJ_CREATE, sys::IRP_MJ_CLEANUP, sys::IRP_MJ_CLOSE] {
        object.MajorFunction[usize::from(major)] = Some(accept);
    }
    object.MajorFunction[usize::from(sys::IRP_MJ_DEVICE_CONTROL)] = Some(control::<D>);
    D::entry(driver);
    SUCCESS
}

/// Deletes the device.
pub fn delete_device() {
    call!(IoDeleteDevice(DEVICE.load(Ordering::Acquire)));
}

/// Deletes its link.
pub fn delete_link() {
    let mut link = text(&LINK);
    call!(IoDeleteSymbolicLink(&raw mut link));
}

/// The device of this image.
pub fn object() -> *mut sys::DEVICE_OBJECT {
    DEVICE.load(Ordering::Acquire)
}

/// A counted string over units that stay where they are.
fn text(units: &'static [u16]) -> sys::UNICODE_STRING {
    crate::protocol::text(units)
}

/// The code of what is answered at once.
pub const ASK: u32 = code(0x800);

/// The code of what waits.
pub const WAIT: u32 = code(0x801);

/// Bytes of an answer.
pub const ANSWER: usize = 8;

const CANCELLED: sys::NTSTATUS = 0xC000_0120_u32.cast_signed();

static DEVICE: AtomicPtr<sys::DEVICE_OBJECT> = AtomicPtr::new(ptr::null_mut());

/// The device's name.
pub static NAME: [u16; 13] = units(b"\\Device\\alarm");

/// The name that programs open it by.
pub static LINK: [u16; 17] = units(b"\\DosDevices\\alarm");

const fn code(function: u32) -> u32 {
    let device = sys::FILE_DEVICE_NETWORK;
    sys::CTL_CODE(device, function, sys::METHOD_BUFFERED, sys::FILE_ANY_ACCESS)
}

const fn units<const N: usize>(text: &[u8; N]) -> [u16; N] {
    let mut units = [0; N];
    let mut at = 0;
    while at < N {
        units[at] = text[at] as u16;
        at += 1;
    }
    units
}

unsafe extern "efiapi" fn unload<D: Device + ?Sized>(_driver: *mut sys::DRIVER_OBJECT) {
    D::unload();
}

unsafe extern "efiapi" fn accept(
    _device: *mut sys::DEVICE_OBJECT,
    request: *mut sys::IRP,
) -> sys::NTSTATUS {
    Request(request).complete(SUCCESS, 0)
}

unsafe extern "efiapi" fn control<D: Device + ?Sized>(
    _device: *mut sys::DEVICE_OBJECT,
    request: *mut sys::IRP,
) -> sys::NTSTATUS {
    let request = Request(request);
    match request.control().IoControlCode {
        WAIT => D::wait(request),
        _ => D::ask(request),
    }
}

unsafe extern "efiapi" fn cancel<D: Device + ?Sized>(
    _device: *mut sys::DEVICE_OBJECT,
    request: *mut sys::IRP,
) {
    D::cancelled(Request(request));
}
