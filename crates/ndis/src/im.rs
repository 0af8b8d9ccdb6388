//! What makes a miniport driver and a protocol driver one intermediate driver, and its virtual
//! miniports.

use ndis_sys as sys;

use crate::{
    driver::{MiniportRegistration, ProtocolRegistration},
    irql::Passive,
    mem::Shared,
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

/// Asks NDIS to initialise the virtual miniport of this device name. Success means that NDIS has
/// begun: `MiniportInitializeEx` may run inside the call, later on another thread, or never, if the
/// device is not started.
///
/// [`Initializer::is_for`](crate::miniport::Initializer::is_for) recognises the `instance`. NDIS keeps no
/// reference to it.
///
/// # Errors
/// [`Status::NOT_ACCEPTED`] if the instance is initialised already, or another error; NDIS will not
/// call `MiniportInitializeEx` then.
pub fn initialize_instance<I>(
    registration: &MiniportRegistration,
    name: &UnicodeString,
    instance: &Shared<I>,
    _at: Passive<'_>,
) -> Result {
    let mut name = name.as_raw();
    // SAFETY: the registration is made and the name is only read; the context is a number to this
    // crate, which never follows it (NdisIMInitializeDeviceInstanceEx).
    let status = unsafe {
        sys::NdisIMInitializeDeviceInstanceEx(
            registration.handle(),
            &raw mut name,
            instance.as_raw(),
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
