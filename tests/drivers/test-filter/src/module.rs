//! A filter module, from attach to detach.

use alloc::boxed::Box;
use core::{
    ptr,
    sync::atomic::{AtomicU32, Ordering},
};

use driver_registry::{Configuration, Name};
use ndis_sys as sys;

/// A filter module.
pub(crate) struct Module {
    pub(crate) handle: sys::NDIS_HANDLE,
    /// NBLs on their way down.
    pub(crate) sent: AtomicU32,
    /// NBLs on their way up.
    pub(crate) received: AtomicU32,
    pub(crate) requests: AtomicU32,
}

impl Module {
    /// Writes the counters to the module's registry, at PASSIVE_LEVEL.
    fn write_counters(&self) {
        // SAFETY: the module is attached, and the caller at PASSIVE_LEVEL.
        let Some(configuration) = (unsafe { Configuration::open(self.handle) }) else {
            return;
        };
        configuration.write(&SENT, self.sent.load(Ordering::Relaxed));
        configuration.write(&RECEIVED, self.received.load(Ordering::Relaxed));
        configuration.write(&REQUESTS, self.requests.load(Ordering::Relaxed));
    }
}

/// The module that a context is.
///
/// # Safety
/// NDIS passed it to a function of the driver that runs.
pub(crate) unsafe fn lend<'callback>(context: sys::NDIS_HANDLE) -> &'callback Module {
    // SAFETY: it is the box that `attach` leaked, which stays until the end of detach.
    unsafe { &*context.cast::<Module>() }
}

/// `FilterAttach`.
pub(crate) unsafe extern "efiapi" fn attach(
    handle: sys::NDIS_HANDLE,
    _driver: sys::NDIS_HANDLE,
    _parameters: *mut sys::NDIS_FILTER_ATTACH_PARAMETERS,
) -> sys::NDIS_STATUS {
    let module = ndis::mem::try_box(Module {
        handle,
        sent: AtomicU32::new(0),
        received: AtomicU32::new(0),
        requests: AtomicU32::new(0),
    });
    let module = match module {
        Ok(module) => module,
        Err(status) => return status.raw(),
    };
    let mut attributes = sys::NDIS_FILTER_ATTRIBUTES {
        Header: sys::NDIS_OBJECT_HEADER::new(
            sys::NDIS_OBJECT_TYPE_FILTER_ATTRIBUTES,
            sys::NDIS_FILTER_ATTRIBUTES_REVISION_1,
            sys::NDIS_SIZEOF_FILTER_ATTRIBUTES_REVISION_1,
        ),
        Flags: 0,
    };
    let context = ptr::from_ref(&*module).cast_mut().cast();
    // SAFETY: the handle is that of the attach that is running; the context stays until detach.
    let status = unsafe { sys::NdisFSetAttributes(handle, context, &raw mut attributes) };
    if status == sys::NDIS_STATUS_SUCCESS {
        // NDIS has its address as the context, until detach.
        let _context = Box::into_raw(module);
    }
    status
}

/// `FilterDetach`.
pub(crate) unsafe extern "efiapi" fn detach(context: sys::NDIS_HANDLE) {
    // SAFETY: the box that `attach` leaked, and NDIS detaches once.
    drop(unsafe { Box::from_raw(context.cast::<Module>()) });
}

/// `FilterPause`.
pub(crate) unsafe extern "efiapi" fn pause(
    context: sys::NDIS_HANDLE,
    _parameters: *mut sys::NDIS_FILTER_PAUSE_PARAMETERS,
) -> sys::NDIS_STATUS {
    // SAFETY: NDIS passed it.
    unsafe { lend(context) }.write_counters();
    sys::NDIS_STATUS_SUCCESS
}

/// `FilterRestart`.
pub(crate) unsafe extern "efiapi" fn restart(
    _context: sys::NDIS_HANDLE,
    _parameters: *mut sys::NDIS_FILTER_RESTART_PARAMETERS,
) -> sys::NDIS_STATUS {
    sys::NDIS_STATUS_SUCCESS
}

/// `FilterStatus`.
pub(crate) unsafe extern "efiapi" fn status(
    context: sys::NDIS_HANDLE,
    indication: *mut sys::NDIS_STATUS_INDICATION,
) {
    // SAFETY: NDIS passed it.
    let module = unsafe { lend(context) };
    // SAFETY: the module is attached; NDIS lends the indication for the length of the call.
    unsafe { sys::NdisFIndicateStatus(module.handle, indication) };
}

/// `FilterDevicePnPEventNotify`.
pub(crate) unsafe extern "efiapi" fn device_event(
    context: sys::NDIS_HANDLE,
    event: *mut sys::NET_DEVICE_PNP_EVENT,
) {
    // SAFETY: NDIS passed it.
    let module = unsafe { lend(context) };
    // SAFETY: the module is attached; NDIS lends the event for the length of the call.
    unsafe { sys::NdisFDevicePnPEventNotify(module.handle, event) };
}

/// `FilterNetPnPEvent`.
pub(crate) unsafe extern "efiapi" fn network_event(
    context: sys::NDIS_HANDLE,
    event: *mut sys::NET_PNP_EVENT_NOTIFICATION,
) -> sys::NDIS_STATUS {
    // SAFETY: NDIS passed it.
    let module = unsafe { lend(context) };
    // SAFETY: the module is attached; NDIS lends the event for the length of the call.
    unsafe { sys::NdisFNetPnPEvent(module.handle, event) }
}

static SENT: Name<4> = Name::new(b"Sent");
static RECEIVED: Name<8> = Name::new(b"Received");
static REQUESTS: Name<8> = Name::new(b"Requests");
