//! Where the system comes in and goes out: `DriverEntry`, and unload.

use core::{
    ffi::c_void,
    ptr,
    sync::atomic::{AtomicPtr, Ordering},
};

use driver_registry::Name;
use ndis_sys as sys;

use crate::{data, module, oid};

/// Registers the filter driver.
///
/// # Safety
/// The system calls this once for each load, at PASSIVE_LEVEL, with valid arguments.
// SAFETY: `DriverEntry` is the name that the linker is told; nothing else in the image has it.
#[unsafe(export_name = "DriverEntry")]
unsafe extern "system" fn driver_entry(
    driver: *mut wdk_sys::DRIVER_OBJECT,
    _registry_path: *mut sys::UNICODE_STRING,
) -> sys::NTSTATUS {
    // SAFETY: it is the driver object of the running `DriverEntry`.
    unsafe { (*driver).DriverUnload = Some(unload) };
    let mut characteristics = sys::NDIS_FILTER_DRIVER_CHARACTERISTICS {
        Header: sys::NDIS_OBJECT_HEADER::new(
            sys::NDIS_OBJECT_TYPE_FILTER_DRIVER_CHARACTERISTICS,
            sys::NDIS_FILTER_CHARACTERISTICS_REVISION_2,
            sys::NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_2,
        ),
        MajorNdisVersion: 6,
        MinorNdisVersion: 30,
        MajorDriverVersion: 1,
        FriendlyName: NAME.as_raw(),
        UniqueName: UNIQUE_NAME.as_raw(),
        ServiceName: NAME.as_raw(),
        AttachHandler: Some(module::attach),
        DetachHandler: Some(module::detach),
        RestartHandler: Some(module::restart),
        PauseHandler: Some(module::pause),
        SendNetBufferListsHandler: Some(data::send),
        SendNetBufferListsCompleteHandler: Some(data::sent),
        CancelSendNetBufferListsHandler: Some(data::cancel_send),
        ReceiveNetBufferListsHandler: Some(data::receive),
        ReturnNetBufferListsHandler: Some(data::returned),
        OidRequestHandler: Some(oid::request),
        OidRequestCompleteHandler: Some(oid::complete),
        CancelOidRequestHandler: Some(oid::cancel),
        StatusHandler: Some(module::status),
        DevicePnPEventNotifyHandler: Some(module::device_event),
        NetPnPEventHandler: Some(module::network_event),
        ..sys::NDIS_FILTER_DRIVER_CHARACTERISTICS::zeroed()
    };
    // SAFETY: the driver object is that of the running `DriverEntry`; the characteristics are whole, and
    // copied. The handle goes to its place at once: NDIS may attach before the function returns.
    unsafe {
        sys::NdisFRegisterFilterDriver(
            driver.cast(),
            ptr::null_mut(),
            &raw mut characteristics,
            REGISTRATION.as_ptr(),
        )
    }
}

unsafe extern "C" fn unload(_driver: *mut wdk_sys::DRIVER_OBJECT) {
    // SAFETY: the registration was made by `DriverEntry`; NDIS detaches what is attached.
    unsafe { sys::NdisFDeregisterFilterDriver(REGISTRATION.load(Ordering::Acquire)) };
}

static REGISTRATION: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

/// The driver's service, and what people read.
static NAME: Name<11> = Name::new(b"test-filter");

/// What tells it apart from every other filter driver, as its INF has it.
static UNIQUE_NAME: Name<38> = Name::new(b"{4D757802-0000-4000-8000-000000000001}");
