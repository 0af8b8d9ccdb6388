//! The functions of the lower edge that NDIS calls, and the structure that names them.

use core::{
    mem::ManuallyDrop,
    ptr::{self, NonNull},
    sync::atomic::{AtomicI32, AtomicPtr, Ordering},
};

use ndis_sys as sys;

use super::{BindParameters, BindingHandle, Protocol, StatusIndication};
use crate::{
    contract::Contract,
    driver::Driver,
    irql::Passive,
    mem::Shared,
    nbl::{Chain, Lent},
    oid,
    pnp::NetPnpEvent,
    status::{Result, Status},
    sync::Event,
};

/// What NDIS knows a binding by: the driver's part, and what opening and closing need.
struct Context<P> {
    binding: Shared<P>,
    handle: AtomicPtr<core::ffi::c_void>,
    /// Set when an open or a close that was pending is complete.
    done: Event,
    status: AtomicI32,
}

/// The characteristics of the lower edge of the intermediate driver `D`.
pub(crate) fn characteristics<D: Driver>(
    contract: Contract,
    name: sys::UNICODE_STRING,
) -> sys::NDIS_PROTOCOL_DRIVER_CHARACTERISTICS {
    sys::NDIS_PROTOCOL_DRIVER_CHARACTERISTICS {
        Header: sys::NDIS_OBJECT_HEADER {
            Type: sys::NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS,
            Revision: sys::NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2,
            Size: sys::NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2,
        },
        MajorNdisVersion: contract.major(),
        MinorNdisVersion: contract.minor(),
        Name: name,
        SetOptionsHandler: Some(set_options::<D>),
        BindAdapterHandlerEx: Some(bind::<D::Protocol>),
        UnbindAdapterHandlerEx: Some(unbind::<D::Protocol>),
        OpenAdapterCompleteHandlerEx: Some(open_complete::<D::Protocol>),
        CloseAdapterCompleteHandlerEx: Some(close_complete::<D::Protocol>),
        NetPnPEventHandler: Some(net_pnp_event::<D::Protocol>),
        UninstallHandler: Some(uninstall::<D>),
        OidRequestCompleteHandler: Some(oid_complete::<D::Protocol>),
        StatusHandlerEx: Some(status::<D::Protocol>),
        ReceiveNetBufferListsHandler: Some(receive::<D::Protocol>),
        SendNetBufferListsCompleteHandler: Some(send_complete::<D::Protocol>),
        ..sys::NDIS_PROTOCOL_DRIVER_CHARACTERISTICS::zeroed()
    }
}

/// `ProtocolSetOptions`: there are no options to set, but here NDIS tells the handle, before any other
/// callback and before `NdisRegisterProtocolDriver` returns it.
unsafe extern "efiapi" fn set_options<D: Driver>(
    handle: sys::NDIS_HANDLE,
    _context: sys::NDIS_HANDLE,
) -> sys::NDIS_STATUS {
    if let Some(driver) = D::cell().get() {
        driver.protocol().registered(handle);
    }
    Status::SUCCESS.raw()
}

unsafe extern "efiapi" fn bind<P: Protocol>(
    _driver_context: sys::NDIS_HANDLE,
    bind_context: sys::NDIS_HANDLE,
    parameters: *mut sys::NDIS_BIND_PARAMETERS,
) -> sys::NDIS_STATUS {
    // SAFETY: NDIS calls ProtocolBindAdapterEx at PASSIVE_LEVEL.
    let at = unsafe { Passive::assume() };
    // SAFETY: NDIS passes valid parameters for the length of the call.
    let Some(parameters) = (unsafe { parameters.as_ref() }) else {
        return Status::INVALID_PARAMETER.raw();
    };
    // SAFETY: the same goes for what they point at.
    let parameters = unsafe { BindParameters::new(parameters) };
    Status::of(open::<P>(bind_context, &parameters, at)).raw()
}

/// Opens the adapter, waits until it is open, and tells the driver.
fn open<P: Protocol>(
    bind_context: sys::NDIS_HANDLE,
    parameters: &BindParameters<'_>,
    at: Passive<'_>,
) -> Result {
    let driver = P::Driver::cell().get().ok_or(Status::FAILURE)?;
    let binding = P::bind(driver, parameters, at)?;
    let context = Event::try_new().and_then(|done| {
        Shared::try_new(Context {
            binding: binding.clone(),
            handle: AtomicPtr::new(ptr::null_mut()),
            done,
            status: AtomicI32::new(0),
        })
    });
    let opened = context.and_then(|context| {
        open_adapter(
            &context,
            driver.protocol().handle(),
            bind_context,
            parameters,
            at,
        )?;
        Ok(context)
    });
    let context = match opened {
        Ok(context) => context,
        Err(status) => {
            P::closed(&binding, at);
            return Err(status);
        }
    };
    if let Err(status) = P::opened(&binding, context.handle(), at) {
        P::unbind(&binding, at);
        close_adapter(&context, at);
        P::closed(&binding, at);
        return Err(status);
    }
    // NDIS's reference, until unbind.
    let _context = context.into_raw();
    Ok(())
}

/// `NdisOpenAdapterEx`, to its end.
fn open_adapter<P: Protocol>(
    context: &Shared<Context<P>>,
    protocol: sys::NDIS_HANDLE,
    bind_context: sys::NDIS_HANDLE,
    parameters: &BindParameters<'_>,
    at: Passive<'_>,
) -> Result {
    let mut media = [sys::NdisMedium802_3];
    let mut selected = 0;
    let mut open = sys::NDIS_OPEN_PARAMETERS {
        Header: sys::NDIS_OBJECT_HEADER {
            Type: sys::NDIS_OBJECT_TYPE_OPEN_PARAMETERS,
            Revision: sys::NDIS_OPEN_PARAMETERS_REVISION_1,
            Size: sys::NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1,
        },
        AdapterName: parameters.adapter_name(),
        MediumArray: media.as_mut_ptr(),
        MediumArraySize: media.len() as u32,
        SelectedMediumIndex: &raw mut selected,
        // Every frame type: a VLAN may carry any.
        FrameTypeArray: ptr::null_mut(),
        FrameTypeArraySize: 0,
    };
    // SAFETY: this is the running ProtocolBindAdapterEx of this bind context. All that NDIS writes
    // to stays until the open is complete, which this function waits for.
    let status = unsafe {
        sys::NdisOpenAdapterEx(
            protocol,
            context.as_raw(),
            &raw mut open,
            bind_context,
            context.handle.as_ptr(),
        )
    };
    context.settle(status, at)
}

unsafe extern "efiapi" fn open_complete<P: Protocol>(
    context: sys::NDIS_HANDLE,
    status: sys::NDIS_STATUS,
) {
    // SAFETY: `open_adapter` waits, and so keeps the context.
    let context = unsafe { context_of::<P>(context) };
    context.complete(status);
}

unsafe extern "efiapi" fn unbind<P: Protocol>(
    _unbind_context: sys::NDIS_HANDLE,
    context: sys::NDIS_HANDLE,
) -> sys::NDIS_STATUS {
    // SAFETY: NDIS calls ProtocolUnbindAdapterEx at PASSIVE_LEVEL.
    let at = unsafe { Passive::assume() };
    // SAFETY: the context is the reference that `open` gave NDIS, and NDIS unbinds once.
    let context = unsafe { Shared::<Context<P>>::from_raw(context) };
    P::unbind(&context.binding, at);
    close_adapter(&context, at);
    P::closed(&context.binding, at);
    Status::SUCCESS.raw()
}

/// `NdisCloseAdapterEx`, to its end. Receives and status indications may come until then.
fn close_adapter<P: Protocol>(context: &Shared<Context<P>>, at: Passive<'_>) {
    context.done.reset();
    // SAFETY: a bind or an unbind of this binding is running, its handle is open, and the driver
    // has given back all that it had from it.
    let status = unsafe { sys::NdisCloseAdapterEx(context.handle().raw()) };
    // A close can pend but not fail.
    let _closed = context.settle(status, at);
    context.handle.store(ptr::null_mut(), Ordering::Release);
}

unsafe extern "efiapi" fn close_complete<P: Protocol>(context: sys::NDIS_HANDLE) {
    // SAFETY: `close_adapter` waits, and so keeps the context.
    let context = unsafe { context_of::<P>(context) };
    context.complete(sys::NDIS_STATUS_SUCCESS);
}

unsafe extern "efiapi" fn net_pnp_event<P: Protocol>(
    context: sys::NDIS_HANDLE,
    notification: *mut sys::NET_PNP_EVENT_NOTIFICATION,
) -> sys::NDIS_STATUS {
    // SAFETY: NDIS calls ProtocolNetPnPEvent at PASSIVE_LEVEL.
    let at = unsafe { Passive::assume() };
    // SAFETY: NDIS passes a valid notification for the length of the call.
    let Some(notification) = (unsafe { notification.as_ref() }) else {
        return Status::INVALID_PARAMETER.raw();
    };
    // SAFETY: the same goes for its buffer.
    let event = unsafe { NetPnpEvent::from_raw(&notification.NetPnPEvent) };
    let result = if context.is_null() {
        P::Driver::cell()
            .get()
            .map_or(Ok(()), |driver| driver.net_pnp_event(event, at))
    } else {
        // SAFETY: NDIS holds a reference from open to close.
        let context = unsafe { context_of::<P>(context) };
        P::net_pnp_event(&context.binding, event, at)
    };
    Status::of(result).raw()
}

unsafe extern "efiapi" fn uninstall<D: Driver>() {
    // SAFETY: NDIS calls ProtocolUninstall at PASSIVE_LEVEL.
    let at = unsafe { Passive::assume() };
    if let Some(driver) = D::cell().get() {
        driver.uninstall(at);
    }
}

unsafe extern "efiapi" fn oid_complete<P: Protocol>(
    context: sys::NDIS_HANDLE,
    request: *mut sys::NDIS_OID_REQUEST,
    status: sys::NDIS_STATUS,
) {
    let Some(request) = NonNull::new(request) else {
        return;
    };
    // SAFETY: NDIS holds a reference from open to close.
    let context = unsafe { context_of::<P>(context) };
    let status = Status::from_raw(status);
    // SAFETY: the request came from this driver, which makes requests by the functions of `oid`
    // only, and with tokens of this type.
    if let Some(completed) = unsafe { oid::completed(context.handle(), request, status) } {
        P::oid_complete(&context.binding, completed);
    }
}

unsafe extern "efiapi" fn status<P: Protocol>(
    context: sys::NDIS_HANDLE,
    indication: *mut sys::NDIS_STATUS_INDICATION,
) {
    // SAFETY: NDIS holds a reference from open to close.
    let context = unsafe { context_of::<P>(context) };
    // SAFETY: NDIS passes a valid indication for the length of the call.
    let Some(indication) = (unsafe { indication.as_ref() }) else {
        return;
    };
    // SAFETY: the same goes for its buffer.
    P::status(&context.binding, &unsafe {
        StatusIndication::new(indication)
    });
}

unsafe extern "efiapi" fn receive<P: Protocol>(
    context: sys::NDIS_HANDLE,
    lists: *mut sys::NET_BUFFER_LIST,
    _port: sys::NDIS_PORT_NUMBER,
    _count: u32,
    flags: u32,
) {
    // SAFETY: NDIS holds a reference from open to close.
    let context = unsafe { context_of::<P>(context) };
    let at_dispatch = flags & sys::NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL != 0;
    if flags & sys::NDIS_RECEIVE_FLAGS_RESOURCES != 0 {
        // SAFETY: the frames are lent for the length of the call, as the flag says.
        P::receive_lent(
            &context.binding,
            unsafe { Lent::from_raw(lists) },
            at_dispatch,
        );
    } else {
        // SAFETY: the frames are entrusted to this binding until it returns them.
        let frames = unsafe { Chain::from_raw(lists) };
        P::receive(&context.binding, context.handle(), frames, at_dispatch);
    }
}

unsafe extern "efiapi" fn send_complete<P: Protocol>(
    context: sys::NDIS_HANDLE,
    lists: *mut sys::NET_BUFFER_LIST,
    flags: u32,
) {
    // SAFETY: NDIS holds a reference from open to close.
    let context = unsafe { context_of::<P>(context) };
    let at_dispatch = flags & sys::NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL != 0;
    // SAFETY: NDIS completes what this driver sent on this binding, always with a record.
    P::send_complete(
        &context.binding,
        unsafe { Chain::completed(lists) },
        at_dispatch,
    );
}

/// # Safety
/// `context` is the binding context of a `P`, and some reference to it outlives the result.
unsafe fn context_of<P: Protocol>(context: sys::NDIS_HANDLE) -> ManuallyDrop<Shared<Context<P>>> {
    // SAFETY: as the caller says.
    unsafe { Shared::lend_raw(context) }
}

impl<P: Protocol> Context<P> {
    fn handle(&self) -> BindingHandle<P> {
        BindingHandle::from_raw(self.handle.load(Ordering::Acquire))
    }

    /// The end of an operation that returned `status`, or that will call [`complete`](Self::complete).
    fn settle(&self, status: sys::NDIS_STATUS, at: Passive<'_>) -> Result {
        if status != sys::NDIS_STATUS_PENDING {
            return Status::from_raw(status).ok();
        }
        self.done.wait(at);
        Status::from_raw(self.status.load(Ordering::Acquire)).ok()
    }

    fn complete(&self, status: sys::NDIS_STATUS) {
        self.status.store(status, Ordering::Release);
        self.done.set();
    }
}
