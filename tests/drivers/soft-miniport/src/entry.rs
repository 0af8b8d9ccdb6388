//! Where the system comes in and goes out: `DriverEntry`, and unload.

use core::{
    ffi::c_void,
    ptr,
    sync::atomic::{AtomicPtr, Ordering},
};

use ndis_sys as sys;

use crate::{adapter, oid, receive, send};

/// Registers the miniport.
///
/// # Safety
/// The system calls this once for each load, at PASSIVE_LEVEL, with valid arguments.
// SAFETY: `DriverEntry` is the name that the linker is told; nothing else in the image has it.
#[unsafe(export_name = "DriverEntry")]
unsafe extern "system" fn driver_entry(
    driver: *mut sys::DRIVER_OBJECT,
    registry_path: *mut sys::UNICODE_STRING,
) -> sys::NTSTATUS {
    let mut characteristics = sys::NDIS_MINIPORT_DRIVER_CHARACTERISTICS {
        Header: sys::NDIS_OBJECT_HEADER::new(
            sys::NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS,
            sys::NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2,
            sys::NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2,
        ),
        MajorNdisVersion: 6,
        MinorNdisVersion: 30,
        MajorDriverVersion: 1,
        InitializeHandlerEx: Some(adapter::initialize),
        HaltHandlerEx: Some(adapter::halt),
        UnloadHandler: Some(unload),
        PauseHandler: Some(adapter::pause),
        RestartHandler: Some(adapter::restart),
        OidRequestHandler: Some(oid::request),
        SendNetBufferListsHandler: Some(send::send),
        ReturnNetBufferListsHandler: Some(receive::returned),
        CancelSendHandler: Some(send::cancel),
        DevicePnPEventNotifyHandler: Some(adapter::pnp_event),
        ShutdownHandlerEx: Some(adapter::shutdown),
        CancelOidRequestHandler: Some(oid::cancel),
        ..sys::NDIS_MINIPORT_DRIVER_CHARACTERISTICS::zeroed()
    };
    // SAFETY: the arguments are those of the running `DriverEntry`; the handle goes to its place at
    // once, and the characteristics are copied.
    unsafe {
        sys::NdisMRegisterMiniportDriver(
            driver,
            registry_path,
            ptr::null_mut(),
            &raw mut characteristics,
            REGISTRATION.as_ptr(),
        )
    }
}

unsafe extern "efiapi" fn unload(_driver: *mut sys::DRIVER_OBJECT) {
    // SAFETY: the registration was made by `DriverEntry`, and NDIS has halted every adapter.
    unsafe { sys::NdisMDeregisterMiniportDriver(REGISTRATION.load(Ordering::Acquire)) };
}

static REGISTRATION: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
