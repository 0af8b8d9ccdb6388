//! A miniport for tests of services, whose functions do what a test gives it to do, and a protocol.

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use ndis_sys::{
    DRIVER_OBJECT, NDIS_HALT_ACTION, NDIS_HANDLE, NDIS_MINIPORT_ADAPTER_ATTRIBUTES,
    NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES, NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2,
    NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES,
    NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1, NDIS_MINIPORT_DRIVER_CHARACTERISTICS,
    NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_3, NDIS_MINIPORT_INIT_PARAMETERS,
    NDIS_MINIPORT_PAUSE_PARAMETERS, NDIS_MINIPORT_RESTART_PARAMETERS, NDIS_OBJECT_HEADER,
    NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES,
    NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES,
    NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS, NDIS_OID_REQUEST, NDIS_SHUTDOWN_ACTION,
    NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2,
    NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1,
    NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_3, NDIS_STATUS, NDIS_STATUS_NOT_SUPPORTED,
    NDIS_STATUS_SUCCESS, NET_BUFFER_LIST, NET_DEVICE_PNP_EVENT, NdisHaltDeviceDisabled,
    NdisMedium802_3,
};

use ndis_sys::{
    NDIS_BIND_PARAMETERS, NDIS_OBJECT_TYPE_OPEN_PARAMETERS,
    NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS, NDIS_OPEN_PARAMETERS,
    NDIS_OPEN_PARAMETERS_REVISION_1, NDIS_PROTOCOL_DRIVER_CHARACTERISTICS,
    NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2, NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1,
    NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2, NDIS_STATUS_INDICATION,
    NET_PNP_EVENT_NOTIFICATION,
};

use super::adapter::Adapter;
use super::attributes::NdisMSetMiniportAttributes;
use super::binding::{Binding, NdisCompleteBindAdapterEx};
use super::caller::{self, Caller};
use super::driver::{MiniportDriver, ProtocolDriver};
use super::object::{handle_of, resolve};
use super::open::NdisOpenAdapterEx;
use super::pnp;
use super::register::{NdisMRegisterMiniportDriver, NdisRegisterProtocolDriver};
use super::strings::Counted;
use crate::nt::sched::Monitor;

/// What the functions of a miniport do; each gets the adapter's handle.
#[derive(Clone, Copy)]
pub(crate) struct Miniport {
    pub(crate) initialize: fn(NDIS_HANDLE) -> NDIS_STATUS,
    pub(crate) halt: fn(NDIS_HANDLE),
    pub(crate) shutdown: fn(NDIS_HANDLE),
    pub(crate) oid: fn(NDIS_HANDLE, *mut NDIS_OID_REQUEST) -> NDIS_STATUS,
    pub(crate) direct_oid: fn(NDIS_HANDLE, *mut NDIS_OID_REQUEST) -> NDIS_STATUS,
    pub(crate) synchronous_oid: fn(NDIS_HANDLE, *mut NDIS_OID_REQUEST) -> NDIS_STATUS,
    pub(crate) is_hung: fn(NDIS_HANDLE) -> bool,
    /// The second argument is where `AddressingReset` goes.
    pub(crate) reset: fn(NDIS_HANDLE, *mut u8) -> NDIS_STATUS,
    pub(crate) attribute_flags: u32,
}

impl Default for Miniport {
    fn default() -> Self {
        Self {
            initialize: |_| NDIS_STATUS_SUCCESS,
            halt: |_| {},
            shutdown: |_| {},
            oid: |_, _| NDIS_STATUS_NOT_SUPPORTED,
            direct_oid: |_, _| NDIS_STATUS_NOT_SUPPORTED,
            synchronous_oid: |_, _| NDIS_STATUS_NOT_SUPPORTED,
            is_hung: |_| false,
            reset: |_, _| NDIS_STATUS_SUCCESS,
            attribute_flags: 0,
        }
    }
}

/// An adapter of that miniport, running. Its device is called after the test's `name`.
pub(crate) fn start(name: &str, miniport: Miniport) -> &'static Adapter {
    let adapter = make(name, miniport);
    pnp::start(adapter, || {}).expect("the miniport initializes");
    adapter
}

/// The same for a miniport whose initialize fails. Answers with what it fails with.
pub(crate) fn start_fails(name: &str, miniport: Miniport) -> NDIS_STATUS {
    pnp::start(make(name, miniport), || {}).expect_err("the miniport does not initialize")
}

/// Halts an adapter of [`start`].
pub(crate) fn halt(adapter: &'static Adapter) {
    pnp::stop(adapter, NdisHaltDeviceDisabled);
}

struct Instance {
    functions: Miniport,
    handle: AtomicPtr<c_void>,
}

fn make(name: &str, miniport: Miniport) -> &'static Adapter {
    let _entered = caller::enter(PARTY);
    let mut characteristics = NDIS_MINIPORT_DRIVER_CHARACTERISTICS {
        Header: NDIS_OBJECT_HEADER::new(
            NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS,
            NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_3,
            NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_3,
        ),
        MajorNdisVersion: 6,
        MinorNdisVersion: 80,
        InitializeHandlerEx: Some(initialize),
        HaltHandlerEx: Some(halted),
        UnloadHandler: Some(unload),
        PauseHandler: Some(pause),
        RestartHandler: Some(restart),
        OidRequestHandler: Some(oid),
        SendNetBufferListsHandler: Some(send),
        ReturnNetBufferListsHandler: Some(returned),
        CancelSendHandler: Some(cancel),
        CheckForHangHandlerEx: Some(is_hung),
        ResetHandlerEx: Some(reset),
        DevicePnPEventNotifyHandler: Some(event),
        ShutdownHandlerEx: Some(shutdown),
        CancelOidRequestHandler: Some(cancel),
        DirectOidRequestHandler: Some(direct_oid),
        CancelDirectOidRequestHandler: Some(cancel),
        SynchronousOidRequestHandler: Some(synchronous_oid),
        ..NDIS_MINIPORT_DRIVER_CHARACTERISTICS::zeroed()
    };
    let instance = Box::leak(Box::new(Instance {
        functions: miniport,
        handle: AtomicPtr::default(),
    }));
    let mut handle = ptr::null_mut();
    // SAFETY: the characteristics are whole, and the out pointer is a local.
    let status = unsafe {
        NdisMRegisterMiniportDriver(
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::from_mut(instance).cast(),
            &raw mut characteristics,
            &raw mut handle,
        )
    };
    assert_eq!(status, NDIS_STATUS_SUCCESS);
    let driver = resolve::<MiniportDriver>(handle, "a test");
    Adapter::new(&format!(r"\Device\test {name}"), driver, None)
}

unsafe extern "efiapi" fn initialize(
    handle: NDIS_HANDLE,
    context: NDIS_HANDLE,
    _parameters: *mut NDIS_MINIPORT_INIT_PARAMETERS,
) -> NDIS_STATUS {
    let instance = of(context);
    instance.handle.store(handle, Ordering::SeqCst);
    let mut attributes = NDIS_MINIPORT_ADAPTER_ATTRIBUTES {
        RegistrationAttributes: NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES {
            Header: NDIS_OBJECT_HEADER::new(
                NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES,
                NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1,
                NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1,
            ),
            MiniportAdapterContext: context,
            AttributeFlags: instance.functions.attribute_flags,
            // No check comes by itself while a test runs.
            CheckForHangTimeInSeconds: 3600,
            ..NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES::zeroed()
        },
    };
    // SAFETY: the handle is this initialization's; the attributes live during the call.
    let status = unsafe { NdisMSetMiniportAttributes(handle, &raw mut attributes) };
    assert_eq!(status, NDIS_STATUS_SUCCESS);
    attributes.GeneralAttributes = NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES {
        Header: NDIS_OBJECT_HEADER::new(
            NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES,
            NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2,
            NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2,
        ),
        MediaType: NdisMedium802_3,
        SupportedPacketFilters: 0x2f,
        MaxMulticastListSize: 8,
        ..NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES::zeroed()
    };
    // SAFETY: as above.
    let status = unsafe { NdisMSetMiniportAttributes(handle, &raw mut attributes) };
    assert_eq!(status, NDIS_STATUS_SUCCESS);
    (instance.functions.initialize)(handle)
}

unsafe extern "efiapi" fn halted(context: NDIS_HANDLE, _action: NDIS_HALT_ACTION) {
    (of(context).functions.halt)(handle(context));
}

unsafe extern "efiapi" fn unload(_driver: *mut DRIVER_OBJECT) {}

unsafe extern "efiapi" fn pause(
    _context: NDIS_HANDLE,
    _parameters: *mut NDIS_MINIPORT_PAUSE_PARAMETERS,
) -> NDIS_STATUS {
    NDIS_STATUS_SUCCESS
}

unsafe extern "efiapi" fn restart(
    _context: NDIS_HANDLE,
    _parameters: *mut NDIS_MINIPORT_RESTART_PARAMETERS,
) -> NDIS_STATUS {
    NDIS_STATUS_SUCCESS
}

unsafe extern "efiapi" fn oid(context: NDIS_HANDLE, request: *mut NDIS_OID_REQUEST) -> NDIS_STATUS {
    (of(context).functions.oid)(handle(context), request)
}

unsafe extern "efiapi" fn direct_oid(
    context: NDIS_HANDLE,
    request: *mut NDIS_OID_REQUEST,
) -> NDIS_STATUS {
    (of(context).functions.direct_oid)(handle(context), request)
}

unsafe extern "efiapi" fn synchronous_oid(
    context: NDIS_HANDLE,
    request: *mut NDIS_OID_REQUEST,
) -> NDIS_STATUS {
    (of(context).functions.synchronous_oid)(handle(context), request)
}

unsafe extern "efiapi" fn send(
    _context: NDIS_HANDLE,
    _first: *mut NET_BUFFER_LIST,
    _port: u32,
    _flags: u32,
) {
    unreachable!("nobody sends");
}

unsafe extern "efiapi" fn returned(
    _context: NDIS_HANDLE,
    _first: *mut NET_BUFFER_LIST,
    _flags: u32,
) {
    unreachable!("nothing was indicated");
}

unsafe extern "efiapi" fn cancel(_context: NDIS_HANDLE, _id: *mut c_void) {}

unsafe extern "efiapi" fn is_hung(context: NDIS_HANDLE) -> u8 {
    u8::from((of(context).functions.is_hung)(handle(context)))
}

unsafe extern "efiapi" fn reset(context: NDIS_HANDLE, addressing: *mut u8) -> NDIS_STATUS {
    (of(context).functions.reset)(handle(context), addressing)
}

unsafe extern "efiapi" fn event(_context: NDIS_HANDLE, _event: *mut NET_DEVICE_PNP_EVENT) {}

unsafe extern "efiapi" fn shutdown(context: NDIS_HANDLE, _action: NDIS_SHUTDOWN_ACTION) {
    (of(context).functions.shutdown)(handle(context));
}

fn of(context: NDIS_HANDLE) -> &'static Instance {
    // SAFETY: it is the context that `make` registered with, which is never freed.
    unsafe { &*context.cast::<Instance>() }
}

fn handle(context: NDIS_HANDLE) -> NDIS_HANDLE {
    of(context).handle.load(Ordering::SeqCst)
}

/// A binding of a protocol of its own to an adapter of [`start`], and what direct requests of it were
/// completed with.
pub(crate) struct Bound {
    pub(crate) handle: NDIS_HANDLE,
    instance: &'static ProtocolInstance,
}

impl Bound {
    /// Binds.
    pub(crate) fn to(adapter: &'static Adapter) -> Self {
        let _entered = caller::enter(PARTY);
        let name = Counted::new("test protocol");
        // SAFETY: the string lives until the registration has copied the characteristics.
        let name_value = unsafe { *name.as_ptr() };
        let mut characteristics = NDIS_PROTOCOL_DRIVER_CHARACTERISTICS {
            Header: NDIS_OBJECT_HEADER::new(
                NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS,
                NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2,
                NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2,
            ),
            MajorNdisVersion: 6,
            MinorNdisVersion: 80,
            Name: name_value,
            BindAdapterHandlerEx: Some(bind),
            UnbindAdapterHandlerEx: Some(unbind),
            OpenAdapterCompleteHandlerEx: Some(opened),
            CloseAdapterCompleteHandlerEx: Some(closed),
            NetPnPEventHandler: Some(net_event),
            OidRequestCompleteHandler: Some(completed),
            StatusHandlerEx: Some(status),
            ReceiveNetBufferListsHandler: Some(received),
            SendNetBufferListsCompleteHandler: Some(sent),
            DirectOidRequestCompleteHandler: Some(completed),
            ..NDIS_PROTOCOL_DRIVER_CHARACTERISTICS::zeroed()
        };
        let instance = Box::leak(Box::new(ProtocolInstance::default()));
        let mut handle = ptr::null_mut();
        // SAFETY: the characteristics are whole, and the out pointer is a local.
        let status = unsafe {
            NdisRegisterProtocolDriver(
                ptr::from_mut(instance).cast(),
                &raw mut characteristics,
                &raw mut handle,
            )
        };
        assert_eq!(status, NDIS_STATUS_SUCCESS);
        instance.protocol.store(handle, Ordering::SeqCst);
        let protocol = resolve::<ProtocolDriver>(handle, "a test");
        let binding = Binding::bind(protocol, adapter).expect("the protocol opens the adapter");
        Self {
            handle: handle_of(binding),
            instance,
        }
    }

    /// What the requests were completed with, in order.
    pub(crate) fn completed(&self) -> Vec<NDIS_STATUS> {
        self.instance.completed.lock().clone()
    }
}

#[derive(Default)]
struct ProtocolInstance {
    protocol: AtomicPtr<c_void>,
    bind: AtomicPtr<c_void>,
    binding: AtomicPtr<c_void>,
    completed: Monitor<Vec<NDIS_STATUS>>,
}

unsafe extern "efiapi" fn bind(
    context: NDIS_HANDLE,
    bind_context: NDIS_HANDLE,
    parameters: *mut NDIS_BIND_PARAMETERS,
) -> NDIS_STATUS {
    let instance = protocol_of(context);
    instance.bind.store(bind_context, Ordering::SeqCst);
    // SAFETY: the parameters are valid during the bind.
    let name = unsafe { (*parameters).AdapterName };
    let media: &'static mut [i32; 1] = Box::leak(Box::new([NdisMedium802_3]));
    let open = NDIS_OPEN_PARAMETERS {
        Header: NDIS_OBJECT_HEADER::new(
            NDIS_OBJECT_TYPE_OPEN_PARAMETERS,
            NDIS_OPEN_PARAMETERS_REVISION_1,
            NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1,
        ),
        AdapterName: name,
        MediumArray: media.as_mut_ptr(),
        MediumArraySize: 1,
        SelectedMediumIndex: Box::leak(Box::new(0)),
        ..NDIS_OPEN_PARAMETERS::zeroed()
    };
    // An open may end after this returns: what it uses lives for good.
    let open = Box::leak(Box::new(open));
    let protocol = instance.protocol.load(Ordering::SeqCst);
    // SAFETY: called in the bind, and all that is pointed at lives on.
    unsafe {
        NdisOpenAdapterEx(
            protocol,
            context,
            open,
            bind_context,
            instance.binding.as_ptr(),
        )
    }
}

unsafe extern "efiapi" fn opened(context: NDIS_HANDLE, status: NDIS_STATUS) {
    let bind = protocol_of(context).bind.load(Ordering::SeqCst);
    // SAFETY: the bind is pending, because the open was.
    unsafe { NdisCompleteBindAdapterEx(bind, status) };
}

unsafe extern "efiapi" fn unbind(_unbind: NDIS_HANDLE, _context: NDIS_HANDLE) -> NDIS_STATUS {
    unreachable!("the tests leave their bindings");
}

unsafe extern "efiapi" fn closed(_context: NDIS_HANDLE) {}

unsafe extern "efiapi" fn net_event(
    _context: NDIS_HANDLE,
    _event: *mut NET_PNP_EVENT_NOTIFICATION,
) -> NDIS_STATUS {
    NDIS_STATUS_SUCCESS
}

unsafe extern "efiapi" fn completed(
    context: NDIS_HANDLE,
    _request: *mut NDIS_OID_REQUEST,
    status: NDIS_STATUS,
) {
    protocol_of(context).completed.lock().push(status);
}

unsafe extern "efiapi" fn status(_context: NDIS_HANDLE, _status: *mut NDIS_STATUS_INDICATION) {}

unsafe extern "efiapi" fn received(
    _context: NDIS_HANDLE,
    _first: *mut NET_BUFFER_LIST,
    _port: u32,
    _count: u32,
    _flags: u32,
) {
    unreachable!("nothing is indicated");
}

unsafe extern "efiapi" fn sent(_context: NDIS_HANDLE, _first: *mut NET_BUFFER_LIST, _flags: u32) {
    unreachable!("nothing was sent");
}

fn protocol_of(context: NDIS_HANDLE) -> &'static ProtocolInstance {
    // SAFETY: it is the context that `Bound::to` registered and opened with, which is never freed.
    unsafe { &*context.cast::<ProtocolInstance>() }
}

/// An image, as far as faults and rules go.
const PARTY: Caller = Caller {
    name: "test",
    built_in: false,
};
