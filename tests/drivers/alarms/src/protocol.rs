//! A protocol driver with one binding: it answers each received chain with a frame of its own.
//!
//! Binding, unbinding and pausing wait for what they begin, inside their handlers.

use core::{
    ffi::c_void,
    ptr,
    sync::atomic::{AtomicI32, AtomicPtr, AtomicU32, Ordering},
};

use wdk_sys::DRIVER_OBJECT as DriverObject;

use crate::{
    SUCCESS, call,
    event::Event,
    frame::{self, Nbl},
    sys,
};

/// The steps of a protocol driver. Each is correct unless an image replaces it.
pub trait Protocol {
    /// Changes what is registered.
    fn characteristics(_characteristics: &mut sys::NDIS_PROTOCOL_DRIVER_CHARACTERISTICS) {}

    /// The driver's unload routine.
    fn unload(binding: &'static Binding) {
        binding.deregister();
    }

    /// `ProtocolBindAdapterEx`.
    fn bind(
        binding: &'static Binding,
        context: sys::NDIS_HANDLE,
        parameters: &sys::NDIS_BIND_PARAMETERS,
    ) -> sys::NDIS_STATUS {
        binding.open(context, parameters)
    }

    /// `ProtocolUnbindAdapterEx`.
    fn unbind(binding: &'static Binding) {
        binding.close();
    }

    /// `ProtocolReceiveNetBufferLists`.
    fn receive(binding: &'static Binding, nbls: Nbl, flags: u32) {
        binding.send();
        binding.give_back(nbls, flags);
    }

    /// `ProtocolSendNetBufferListsComplete`.
    fn sent(binding: &'static Binding, nbls: Nbl) {
        binding.take_back(nbls);
    }

    /// `ProtocolNetPnPEvent` for the binding.
    fn event(
        binding: &'static Binding,
        notification: *mut sys::NET_PNP_EVENT_NOTIFICATION,
    ) -> sys::NDIS_STATUS {
        binding.event(notification)
    }

    /// `ProtocolNetPnPEvent` for the driver as a whole.
    fn driver_event(_notification: *mut sys::NET_PNP_EVENT_NOTIFICATION) -> sys::NDIS_STATUS {
        SUCCESS
    }

    /// `ProtocolOidRequestComplete`.
    fn oid_complete(
        binding: &'static Binding,
        _request: *mut sys::NDIS_OID_REQUEST,
        status: sys::NDIS_STATUS,
    ) {
        binding.answered(status);
    }

    /// `ProtocolStatusEx`.
    fn status(_binding: &'static Binding, _indication: *mut sys::NDIS_STATUS_INDICATION) {}
}

/// The binding of an image, and its registration.
pub struct Binding {
    driver: AtomicPtr<c_void>,
    handle: AtomicPtr<c_void>,
    pool: AtomicPtr<c_void>,
    /// One while it runs, and one for each frame that was sent and is not back.
    busy: AtomicU32,
    /// How what the driver waits for ended.
    status: AtomicI32,
    done: Event,
    quiet: Event,
    /// For an image to keep something in.
    pub kept: AtomicPtr<c_void>,
}

impl Binding {
    const fn new() -> Self {
        Self {
            driver: AtomicPtr::new(ptr::null_mut()),
            handle: AtomicPtr::new(ptr::null_mut()),
            pool: AtomicPtr::new(ptr::null_mut()),
            busy: AtomicU32::new(0),
            status: AtomicI32::new(0),
            done: Event::new(),
            quiet: Event::new(),
            kept: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// The handle of the registration.
    pub fn driver(&self) -> sys::NDIS_HANDLE {
        self.driver.load(Ordering::Acquire)
    }

    /// The binding's handle, from open to close.
    pub fn handle(&self) -> sys::NDIS_HANDLE {
        self.handle.load(Ordering::Acquire)
    }

    /// The pool of its frames.
    pub fn pool(&self) -> sys::NDIS_HANDLE {
        self.pool.load(Ordering::Acquire)
    }

    /// Undoes the registration.
    pub fn deregister(&self) {
        call!(NdisDeregisterProtocolDriver(self.driver()));
    }

    /// Opens the adapter, makes the pool and sets the packet filter.
    pub fn open(
        &self,
        context: sys::NDIS_HANDLE,
        parameters: &sys::NDIS_BIND_PARAMETERS,
    ) -> sys::NDIS_STATUS {
        let status = self.open_adapter(context, parameters);
        if status != SUCCESS {
            return status;
        }
        let pool = frame::pool(self.driver());
        self.pool.store(pool, Ordering::Release);
        let mut status = sys::NDIS_STATUS_RESOURCES;
        if !pool.is_null() {
            let filter = sys::NDIS_PACKET_TYPE_DIRECTED | sys::NDIS_PACKET_TYPE_BROADCAST;
            status = self.set(sys::OID_GEN_CURRENT_PACKET_FILTER, filter);
        }
        if status != SUCCESS {
            self.close_adapter();
            self.free_pool();
        }
        status
    }

    /// Undoes [`Binding::open`].
    pub fn close(&self) {
        self.set(sys::OID_GEN_CURRENT_PACKET_FILTER, 0);
        self.close_adapter();
        self.free_pool();
    }

    /// Opens the adapter, and waits until it is open.
    pub fn open_adapter(
        &self,
        context: sys::NDIS_HANDLE,
        parameters: &sys::NDIS_BIND_PARAMETERS,
    ) -> sys::NDIS_STATUS {
        let mut medium = sys::NdisMedium802_3;
        let mut selected = 0;
        let mut open = sys::NDIS_OPEN_PARAMETERS {
            Header: sys::NDIS_OBJECT_HEADER::new(
                sys::NDIS_OBJECT_TYPE_OPEN_PARAMETERS,
                sys::NDIS_OPEN_PARAMETERS_REVISION_1,
                sys::NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1,
            ),
            AdapterName: parameters.AdapterName,
            MediumArray: &raw mut medium,
            MediumArraySize: 1,
            SelectedMediumIndex: &raw mut selected,
            ..sys::NDIS_OPEN_PARAMETERS::zeroed()
        };
        self.done.clear();
        let status = call!(NdisOpenAdapterEx(
            self.driver(),
            ptr::from_ref(self).cast_mut().cast(),
            &raw mut open,
            context,
            self.handle.as_ptr(),
        ));
        self.ended(status)
    }

    /// Closes the adapter, and waits until it is closed.
    pub fn close_adapter(&self) {
        self.done.clear();
        let status = call!(NdisCloseAdapterEx(self.handle()));
        self.ended(status);
    }

    /// Frees the pool, if there is one.
    pub fn free_pool(&self) {
        let pool = self.pool.swap(ptr::null_mut(), Ordering::AcqRel);
        if !pool.is_null() {
            call!(NdisFreeNetBufferListPool(pool));
        }
    }

    /// Sets a number of the adapter below, and waits for the answer.
    pub fn set(&self, oid: sys::NDIS_OID, value: u32) -> sys::NDIS_STATUS {
        self.set_times(oid, value, 1)
    }

    /// The same, with the request made so many times before the wait. Once is right.
    pub fn set_times(&self, oid: sys::NDIS_OID, mut value: u32, times: u32) -> sys::NDIS_STATUS {
        let mut request = sys::NDIS_OID_REQUEST {
            Header: sys::NDIS_OBJECT_HEADER::new(
                sys::NDIS_OBJECT_TYPE_OID_REQUEST,
                sys::NDIS_OID_REQUEST_REVISION_1,
                sys::NDIS_SIZEOF_OID_REQUEST_REVISION_1,
            ),
            RequestType: sys::NdisRequestSetInformation,
            ..sys::NDIS_OID_REQUEST::zeroed()
        };
        request.DATA.SET_INFORMATION = sys::NDIS_OID_REQUEST_SET {
            Oid: oid,
            InformationBuffer: (&raw mut value).cast(),
            InformationBufferLength: size_of_val(&value) as u32,
            BytesRead: 0,
            BytesNeeded: 0,
        };
        self.done.clear();
        let mut status = SUCCESS;
        for _ in 0..times {
            status = call!(NdisOidRequest(self.handle(), &raw mut request));
        }
        self.ended(status)
    }

    /// What was begun is complete.
    pub fn answered(&self, status: sys::NDIS_STATUS) {
        self.status.store(status, Ordering::Release);
        self.done.set();
    }

    /// Handles an event: pause waits for the sends, restart lets traffic flow.
    pub fn event(&self, notification: *mut sys::NET_PNP_EVENT_NOTIFICATION) -> sys::NDIS_STATUS {
        match code(notification) {
            sys::NetEventPause => self.pause(),
            sys::NetEventRestart => self.restart(),
            _ => {}
        }
        SUCCESS
    }

    /// Stops sending, and waits until all sends are back.
    pub fn pause(&self) {
        self.quiet.clear();
        self.leave();
        self.quiet.wait();
    }

    /// Begins to send.
    pub fn restart(&self) {
        self.busy.fetch_add(1, Ordering::AcqRel);
    }

    /// Sends a frame, if the binding runs and there is memory.
    pub fn send(&self) {
        self.send_from(self.handle());
    }

    /// The same in the name of `source`. The binding's handle is right.
    pub fn send_from(&self, source: sys::NDIS_HANDLE) {
        if !self.enter() {
            return;
        }
        match Nbl::frame(self.driver(), self.pool(), source) {
            Some(nbl) => call!(NdisSendNetBufferLists(self.handle(), nbl.0, 0, 0)),
            None => self.leave(),
        }
    }

    /// Frees frames that were sent.
    pub fn take_back(&self, nbls: Nbl) {
        for nbl in nbls.chain() {
            nbl.free();
            self.leave();
        }
    }

    /// Returns received frames, unless they are only lent.
    pub fn give_back(&self, nbls: Nbl, flags: u32) {
        if sys::NDIS_TEST_RECEIVE_CAN_PEND(flags) {
            call!(NdisReturnNetBufferLists(self.handle(), nbls.0, 0));
        }
    }

    fn ended(&self, status: sys::NDIS_STATUS) -> sys::NDIS_STATUS {
        if status != sys::NDIS_STATUS_PENDING {
            return status;
        }
        self.done.wait();
        self.status.load(Ordering::Acquire)
    }

    fn enter(&self) -> bool {
        let more = |busy| (busy != 0).then_some(busy + 1);
        self.busy
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, more)
            .is_ok()
    }

    fn leave(&self) {
        if self.busy.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.quiet.set();
        }
    }
}

/// A notification of an event without a buffer.
pub fn notification(code: sys::NET_PNP_EVENT_CODE) -> sys::NET_PNP_EVENT_NOTIFICATION {
    let mut notification = sys::NET_PNP_EVENT_NOTIFICATION {
        Header: sys::NDIS_OBJECT_HEADER::new(
            sys::NDIS_OBJECT_TYPE_DEFAULT,
            sys::NET_PNP_EVENT_NOTIFICATION_REVISION_2,
            sys::NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_2,
        ),
        ..sys::NET_PNP_EVENT_NOTIFICATION::zeroed()
    };
    notification.NetPnPEvent.NetEvent = code;
    notification
}

/// Which event a notification is about.
pub fn code(notification: *mut sys::NET_PNP_EVENT_NOTIFICATION) -> sys::NET_PNP_EVENT_CODE {
    // SAFETY: NDIS lends the notification until the event is complete.
    unsafe { (*notification).NetPnPEvent.NetEvent }
}

/// `DriverEntry` of a protocol driver.
pub fn load<D: Protocol>(
    driver: *mut sys::DRIVER_OBJECT,
    _registry_path: *mut sys::UNICODE_STRING,
) -> sys::NTSTATUS {
    // SAFETY: it is the driver object that the running `DriverEntry` got.
    unsafe { (*driver.cast::<DriverObject>()).DriverUnload = Some(unload::<D>) };
    register::<D>()
}

/// Registers the protocol edge.
pub(crate) fn register<D: Protocol>() -> sys::NDIS_STATUS {
    let mut characteristics = sys::NDIS_PROTOCOL_DRIVER_CHARACTERISTICS {
        Header: sys::NDIS_OBJECT_HEADER::new(
            sys::NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS,
            sys::NDIS_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2,
            sys::NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2,
        ),
        MajorNdisVersion: 6,
        MinorNdisVersion: 30,
        Name: text(&SERVICE),
        BindAdapterHandlerEx: Some(bind::<D>),
        UnbindAdapterHandlerEx: Some(unbind::<D>),
        OpenAdapterCompleteHandlerEx: Some(open_complete),
        CloseAdapterCompleteHandlerEx: Some(close_complete),
        NetPnPEventHandler: Some(event::<D>),
        OidRequestCompleteHandler: Some(oid_complete::<D>),
        StatusHandlerEx: Some(status::<D>),
        ReceiveNetBufferListsHandler: Some(receive::<D>),
        SendNetBufferListsCompleteHandler: Some(sent::<D>),
        ..sys::NDIS_PROTOCOL_DRIVER_CHARACTERISTICS::zeroed()
    };
    D::characteristics(&mut characteristics);
    call!(NdisRegisterProtocolDriver(
        ptr::null_mut(),
        &raw mut characteristics,
        BINDING.driver.as_ptr(),
    ))
}

/// A counted string over units that stay where they are.
pub fn text(units: &'static [u16]) -> sys::UNICODE_STRING {
    let bytes = size_of_val(units) as u16;
    sys::UNICODE_STRING {
        Length: bytes,
        MaximumLength: bytes,
        Buffer: units.as_ptr().cast_mut(),
    }
}

/// An ASCII text as UTF-16 units.
pub const fn wide<const N: usize>(text: &[u8; N]) -> [u16; N] {
    let mut units = [0; N];
    let mut at = 0;
    while at < N {
        units[at] = text[at] as u16;
        at += 1;
    }
    units
}

/// The binding of this image.
pub static BINDING: Binding = Binding::new();

/// The service of every image here, and the name of its protocol.
pub static SERVICE: [u16; 5] = wide(b"alarm");

unsafe extern "C" fn unload<D: Protocol>(_driver: *mut DriverObject) {
    D::unload(&BINDING);
}

unsafe extern "efiapi" fn bind<D: Protocol>(
    _driver: sys::NDIS_HANDLE,
    context: sys::NDIS_HANDLE,
    parameters: *mut sys::NDIS_BIND_PARAMETERS,
) -> sys::NDIS_STATUS {
    // SAFETY: NDIS lends the parameters for the length of the call.
    D::bind(&BINDING, context, unsafe { &*parameters })
}

unsafe extern "efiapi" fn unbind<D: Protocol>(
    _unbind: sys::NDIS_HANDLE,
    _binding: sys::NDIS_HANDLE,
) -> sys::NDIS_STATUS {
    D::unbind(&BINDING);
    SUCCESS
}

unsafe extern "efiapi" fn open_complete(_binding: sys::NDIS_HANDLE, status: sys::NDIS_STATUS) {
    BINDING.answered(status);
}

unsafe extern "efiapi" fn close_complete(_binding: sys::NDIS_HANDLE) {
    BINDING.answered(SUCCESS);
}

unsafe extern "efiapi" fn event<D: Protocol>(
    binding: sys::NDIS_HANDLE,
    notification: *mut sys::NET_PNP_EVENT_NOTIFICATION,
) -> sys::NDIS_STATUS {
    if binding.is_null() {
        return D::driver_event(notification);
    }
    D::event(&BINDING, notification)
}

unsafe extern "efiapi" fn oid_complete<D: Protocol>(
    _binding: sys::NDIS_HANDLE,
    request: *mut sys::NDIS_OID_REQUEST,
    status: sys::NDIS_STATUS,
) {
    D::oid_complete(&BINDING, request, status);
}

unsafe extern "efiapi" fn status<D: Protocol>(
    _binding: sys::NDIS_HANDLE,
    indication: *mut sys::NDIS_STATUS_INDICATION,
) {
    D::status(&BINDING, indication);
}

unsafe extern "efiapi" fn receive<D: Protocol>(
    _binding: sys::NDIS_HANDLE,
    nbls: *mut sys::NET_BUFFER_LIST,
    _port: sys::NDIS_PORT_NUMBER,
    _count: u32,
    flags: u32,
) {
    D::receive(&BINDING, Nbl(nbls), flags);
}

unsafe extern "efiapi" fn sent<D: Protocol>(
    _binding: sys::NDIS_HANDLE,
    nbls: *mut sys::NET_BUFFER_LIST,
    _flags: u32,
) {
    D::sent(&BINDING, Nbl(nbls));
}
