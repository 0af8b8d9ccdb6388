//! Where the system comes in and goes out: `DriverEntry`, and unload.

use core::{
    ffi::c_void,
    ptr,
    sync::atomic::{AtomicPtr, Ordering},
};

use driver_registry::Name;
use ndis_sys as sys;

use crate::{binding, requests, traffic};

/// Registers the protocol.
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
    let mut characteristics = sys::NDIS_PROTOCOL_DRIVER_CHARACTERISTICS {
        Header: sys::NDIS_OBJECT_HEADER::new(
            sys::NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS,
            sys::NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2,
            sys::NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2,
        ),
        MajorNdisVersion: 6,
        MinorNdisVersion: 30,
        MajorDriverVersion: 1,
        Name: NAME.as_raw(),
        BindAdapterHandlerEx: Some(binding::bind),
        UnbindAdapterHandlerEx: Some(binding::unbind),
        OpenAdapterCompleteHandlerEx: Some(binding::open_complete),
        CloseAdapterCompleteHandlerEx: Some(binding::close_complete),
        NetPnPEventHandler: Some(binding::event),
        OidRequestCompleteHandler: Some(requests::complete),
        StatusHandlerEx: Some(binding::status),
        ReceiveNetBufferListsHandler: Some(traffic::receive),
        SendNetBufferListsCompleteHandler: Some(traffic::sent),
        ..sys::NDIS_PROTOCOL_DRIVER_CHARACTERISTICS::zeroed()
    };
    // SAFETY: the characteristics are whole, and copied. The handle goes to its place at once: NDIS may
    // bind before the function returns.
    unsafe {
        sys::NdisRegisterProtocolDriver(
            ptr::null_mut(),
            &raw mut characteristics,
            REGISTRATION.as_ptr(),
        )
    }
}

unsafe extern "C" fn unload(_driver: *mut wdk_sys::DRIVER_OBJECT) {
    // SAFETY: the registration was made by `DriverEntry`; NDIS unbinds what is bound.
    unsafe { sys::NdisDeregisterProtocolDriver(registration()) };
}

/// The handle of the registration.
pub(crate) fn registration() -> sys::NDIS_HANDLE {
    REGISTRATION.load(Ordering::Acquire)
}

static REGISTRATION: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

/// The name of the protocol, and of the driver's service.
static NAME: Name<13> = Name::new(b"test-protocol");
