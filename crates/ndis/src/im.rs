//! What makes a miniport driver and a protocol driver one intermediate driver, and its virtual
//! miniports.

use core::{
    ptr,
    sync::atomic::{AtomicUsize, Ordering},
};

use ndis_sys as sys;

use crate::{
    driver::{MiniportRegistration, ProtocolRegistration},
    irql::Passive,
    miniport::MiniportHandle,
    status::{Result, Status},
    string::UnicodeString,
};

/// Tells NDIS that both registrations are the edges of one driver.
pub fn associate(
    miniport: &MiniportRegistration,
    protocol: &ProtocolRegistration,
    _at: Passive<'_>,
) {
    // SAFETY: both registrations are made, and the IRQL is PASSIVE_LEVEL (NdisIMAssociateMiniport).
    unsafe { sys::NdisIMAssociateMiniport(miniport.handle(), protocol.handle()) };
}

/// By what NDIS and a driver know which virtual miniport is meant (`DeviceContext`): a number that is never
/// given twice. NDIS may still have one of a virtual miniport that is long gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceContext(usize);

impl DeviceContext {
    /// One that nobody has yet.
    #[must_use]
    pub fn unique() -> Self {
        static LAST: AtomicUsize = AtomicUsize::new(0);
        // At one a microsecond they last half a million years.
        Self(LAST.fetch_add(1, Ordering::Relaxed).wrapping_add(1))
    }

    pub(crate) fn from_raw(raw: sys::NDIS_HANDLE) -> Self {
        Self(raw.addr())
    }
}

/// Asks NDIS to initialise the virtual miniport of this device name. Success means that NDIS has
/// begun: `MiniportInitializeEx` may run inside the call, later on another thread, or never, if the
/// device is not started.
///
/// [`Initializer::context`](crate::miniport::Initializer::context) gives `context` again.
///
/// # Errors
/// [`Status::NOT_ACCEPTED`] if the instance is initialised already, or another error; NDIS will not
/// call `MiniportInitializeEx` then.
pub fn initialize_instance(
    registration: &MiniportRegistration,
    name: &UnicodeString,
    context: DeviceContext,
    _at: Passive<'_>,
) -> Result {
    let mut name = name.as_raw();
    // SAFETY: the registration is made and the name is only read; the context is a number to this
    // crate, which never follows it (NdisIMInitializeDeviceInstanceEx).
    let status = unsafe {
        sys::NdisIMInitializeDeviceInstanceEx(
            registration.handle(),
            &raw mut name,
            ptr::without_provenance_mut(context.0),
        )
    };
    Status::from_raw(status).ok()
}

/// Takes an initialisation back that NDIS has not begun to carry out.
///
/// # Errors
/// NDIS is too late to stop: `MiniportInitializeEx` runs, has run or will run.
pub fn cancel_initialize_instance(
    registration: &MiniportRegistration,
    name: &UnicodeString,
    _at: Passive<'_>,
) -> Result {
    let mut name = name.as_raw();
    // SAFETY: the registration is made and the name is only read
    // (NdisIMCancelInitializeDeviceInstance).
    let status =
        unsafe { sys::NdisIMCancelInitializeDeviceInstance(registration.handle(), &raw mut name) };
    Status::from_raw(status).ok()
}

/// Stops an initialised virtual miniport: NDIS unbinds the protocols above it, pauses it and calls
/// `MiniportHaltEx`, inside the call or later.
///
/// # Errors
/// The handle is not one of an initialised virtual miniport: no halt will come of this call.
pub fn deinitialize_instance(adapter: MiniportHandle, _at: Passive<'_>) -> Result {
    // SAFETY: the handle came with `MiniportInitializeEx`, and the IRQL is PASSIVE_LEVEL
    // (NdisIMDeInitializeDeviceInstance).
    Status::from_raw(unsafe { sys::NdisIMDeInitializeDeviceInstance(adapter.raw()) }).ok()
}
