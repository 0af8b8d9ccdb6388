//! The functions of the upper edge that NDIS calls, and the structure that names them.

use core::ptr::NonNull;

use ndis_sys as sys;

use super::{Initializer, Miniport, Pause};
use crate::{
    contract::Contract,
    driver::Driver,
    irql::Passive,
    mem::Shared,
    nbl::Chain,
    oid::{self, DirectOidRequest, OidRequest},
    status::Status,
};

/// The characteristics of the upper edge of the intermediate driver `D`.
pub(crate) fn characteristics<D: Driver>(
    contract: Contract,
) -> sys::NDIS_MINIPORT_DRIVER_CHARACTERISTICS {
    let (revision, size) = if contract >= Contract::V6_80 {
        (
            sys::NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_3,
            sys::NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_3,
        )
    } else {
        (
            sys::NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2,
            sys::NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2,
        )
    };
    sys::NDIS_MINIPORT_DRIVER_CHARACTERISTICS {
        Header: sys::NDIS_OBJECT_HEADER {
            Type: sys::NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS,
            Revision: revision,
            Size: size,
        },
        MajorNdisVersion: contract.major(),
        MinorNdisVersion: contract.minor(),
        MajorDriverVersion: DRIVER_VERSION.0,
        MinorDriverVersion: DRIVER_VERSION.1,
        Flags: sys::NDIS_INTERMEDIATE_DRIVER,
        InitializeHandlerEx: Some(initialize::<D::Miniport>),
        HaltHandlerEx: Some(halt::<D::Miniport>),
        UnloadHandler: Some(unload::<D>),
        PauseHandler: Some(pause::<D::Miniport>),
        RestartHandler: Some(restart::<D::Miniport>),
        OidRequestHandler: Some(oid_request::<D::Miniport>),
        SendNetBufferListsHandler: Some(send::<D::Miniport>),
        ReturnNetBufferListsHandler: Some(return_receives::<D::Miniport>),
        CancelSendHandler: Some(cancel_send::<D::Miniport>),
        // An intermediate driver has neither: the adapter below has them.
        CheckForHangHandlerEx: None,
        ResetHandlerEx: None,
        DevicePnPEventNotifyHandler: Some(device_pnp_event::<D::Miniport>),
        ShutdownHandlerEx: Some(shutdown),
        CancelOidRequestHandler: Some(cancel_oid_request::<D::Miniport>),
        DirectOidRequestHandler: Some(direct_oid_request::<D::Miniport>),
        CancelDirectOidRequestHandler: Some(cancel_direct_oid_request),
        ..sys::NDIS_MINIPORT_DRIVER_CHARACTERISTICS::zeroed()
    }
}

unsafe extern "efiapi" fn initialize<M: Miniport>(
    handle: sys::NDIS_HANDLE,
    _driver_context: sys::NDIS_HANDLE,
    parameters: *mut sys::NDIS_MINIPORT_INIT_PARAMETERS,
) -> sys::NDIS_STATUS {
    // SAFETY: NDIS calls MiniportInitializeEx at PASSIVE_LEVEL.
    let at = unsafe { Passive::assume() };
    // SAFETY: NDIS passes valid parameters for the length of the call.
    let Some(parameters) = (unsafe { parameters.as_ref() }) else {
        return Status::INVALID_PARAMETER.raw();
    };
    let Some(driver) = M::Driver::cell().get() else {
        return Status::FAILURE.raw();
    };
    // SAFETY: handle and parameters are those of this call.
    let initializer = unsafe { Initializer::new(handle, parameters) };
    match M::initialize(driver, &initializer, at) {
        Ok(adapter) => {
            assert!(
                initializer.has_registered(&adapter),
                "an adapter was initialised but another one registered"
            );
            // NDIS's reference, until halt.
            let _context = adapter.into_raw();
            Status::SUCCESS.raw()
        }
        Err(status) => status.raw(),
    }
}

unsafe extern "efiapi" fn halt<M: Miniport>(
    context: sys::NDIS_HANDLE,
    _action: sys::NDIS_HALT_ACTION,
) {
    // SAFETY: NDIS calls MiniportHaltEx at PASSIVE_LEVEL.
    let at = unsafe { Passive::assume() };
    // SAFETY: the context is the reference that `initialize` gave NDIS, and NDIS halts once.
    let adapter = unsafe { Shared::<M>::from_raw(context) };
    M::halt(&adapter, at);
}

unsafe extern "efiapi" fn unload<D: Driver>(_driver_object: *mut sys::DRIVER_OBJECT) {
    // SAFETY: NDIS calls MiniportDriverUnload at PASSIVE_LEVEL.
    D::unload(unsafe { Passive::assume() });
}

unsafe extern "efiapi" fn pause<M: Miniport>(
    context: sys::NDIS_HANDLE,
    _parameters: *mut sys::NDIS_MINIPORT_PAUSE_PARAMETERS,
) -> sys::NDIS_STATUS {
    // SAFETY: NDIS calls MiniportPause at PASSIVE_LEVEL.
    let at = unsafe { Passive::assume() };
    // SAFETY: NDIS holds a reference from initialize to halt.
    let adapter = unsafe { Shared::<M>::lend_raw(context) };
    match adapter.pause(at) {
        Pause::Complete => Status::SUCCESS.raw(),
        Pause::Pending => Status::PENDING.raw(),
    }
}

unsafe extern "efiapi" fn restart<M: Miniport>(
    context: sys::NDIS_HANDLE,
    _parameters: *mut sys::NDIS_MINIPORT_RESTART_PARAMETERS,
) -> sys::NDIS_STATUS {
    // SAFETY: NDIS calls MiniportRestart at PASSIVE_LEVEL.
    let at = unsafe { Passive::assume() };
    // SAFETY: NDIS holds a reference from initialize to halt.
    let adapter = unsafe { Shared::<M>::lend_raw(context) };
    Status::of(adapter.restart(at)).raw()
}

unsafe extern "efiapi" fn send<M: Miniport>(
    context: sys::NDIS_HANDLE,
    lists: *mut sys::NET_BUFFER_LIST,
    _port: sys::NDIS_PORT_NUMBER,
    flags: u32,
) {
    // SAFETY: NDIS holds a reference from initialize to halt.
    let adapter = unsafe { Shared::<M>::lend_raw(context) };
    // SAFETY: NDIS entrusts the chain to this adapter until it is completed.
    let sends = unsafe { Chain::from_raw(lists) };
    let at_dispatch = flags & sys::NDIS_SEND_FLAGS_DISPATCH_LEVEL != 0;
    M::send(&adapter, sends, at_dispatch);
}

unsafe extern "efiapi" fn return_receives<M: Miniport>(
    context: sys::NDIS_HANDLE,
    lists: *mut sys::NET_BUFFER_LIST,
    flags: u32,
) {
    // SAFETY: NDIS holds a reference from initialize to halt.
    let adapter = unsafe { Shared::<M>::lend_raw(context) };
    // SAFETY: NDIS returns what this adapter indicated, and that is derived NBLs only.
    let receives = unsafe { Chain::from_raw(lists) };
    adapter.return_receives(receives, flags & sys::NDIS_RETURN_FLAGS_DISPATCH_LEVEL != 0);
}

unsafe extern "efiapi" fn cancel_send<M: Miniport>(
    context: sys::NDIS_HANDLE,
    cancel_id: sys::PVOID,
) {
    // SAFETY: NDIS holds a reference from initialize to halt.
    let adapter = unsafe { Shared::<M>::lend_raw(context) };
    adapter.cancel_send(cancel_id.addr());
}

unsafe extern "efiapi" fn oid_request<M: Miniport>(
    context: sys::NDIS_HANDLE,
    request: *mut sys::NDIS_OID_REQUEST,
) -> sys::NDIS_STATUS {
    // SAFETY: NDIS calls MiniportOidRequest at PASSIVE_LEVEL.
    let at = unsafe { Passive::assume() };
    // SAFETY: NDIS holds a reference from initialize to halt.
    let lent = unsafe { Shared::<M>::lend_raw(context) };
    // Once the request is complete NDIS may halt the adapter, though this call has not returned.
    let adapter = Shared::clone(&lent);
    let Some(request) = NonNull::new(request) else {
        return Status::INVALID_PARAMETER.raw();
    };
    let handle = |request: OidRequest<'_>| M::oid_request(&adapter, request, at);
    oid::dispatch(request, adapter.requests(), at, handle).raw()
}

unsafe extern "efiapi" fn cancel_oid_request<M: Miniport>(
    context: sys::NDIS_HANDLE,
    request_id: sys::PVOID,
) {
    // SAFETY: NDIS holds a reference from initialize to halt.
    let adapter = unsafe { Shared::<M>::lend_raw(context) };
    adapter.cancel_oid_request(request_id.addr());
}

unsafe extern "efiapi" fn direct_oid_request<M: Miniport>(
    context: sys::NDIS_HANDLE,
    request: *mut sys::NDIS_OID_REQUEST,
) -> sys::NDIS_STATUS {
    // SAFETY: NDIS holds a reference from initialize to halt, and halts after the request is complete,
    // which it is when this returns.
    let adapter = unsafe { Shared::<M>::lend_raw(context) };
    let Some(request) = NonNull::new(request) else {
        return Status::INVALID_PARAMETER.raw();
    };
    // SAFETY: NDIS entrusts the request to this adapter until it is completed.
    let request = unsafe { DirectOidRequest::from_raw(request) };
    adapter.direct_oid_request(request).raw()
}

/// `MiniportCancelDirectOidRequest`, without which NDIS takes no `MiniportDirectOidRequest`: none pends.
unsafe extern "efiapi" fn cancel_direct_oid_request(
    _context: sys::NDIS_HANDLE,
    _request_id: sys::PVOID,
) {
}

unsafe extern "efiapi" fn device_pnp_event<M: Miniport>(
    context: sys::NDIS_HANDLE,
    event: *mut sys::NET_DEVICE_PNP_EVENT,
) {
    // SAFETY: NDIS calls MiniportDevicePnPEventNotify at PASSIVE_LEVEL.
    let at = unsafe { Passive::assume() };
    // SAFETY: NDIS holds a reference from initialize to halt.
    let adapter = unsafe { Shared::<M>::lend_raw(context) };
    // SAFETY: NDIS passes a valid event for the length of the call.
    let Some(event) = (unsafe { event.as_ref() }) else {
        return;
    };
    if event.DevicePnPEvent == sys::NdisDevicePnPEventSurpriseRemoved {
        adapter.surprise_removed(at);
    }
}

/// `MiniportShutdownEx`: there is no hardware to bring to a known state, and memory is neither
/// needed nor to be freed when the system goes down.
unsafe extern "efiapi" fn shutdown(_context: sys::NDIS_HANDLE, _action: sys::NDIS_SHUTDOWN_ACTION) {
}

/// `MajorDriverVersion` and `MinorDriverVersion`, for whoever looks at the driver in a debugger.
const DRIVER_VERSION: (u8, u8) = (0, 1);
