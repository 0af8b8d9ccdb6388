//! A filter driver whose modules pass everything on.
//!
//! Each module has its record in a table, and takes no memory but for clones of OID requests.

use core::{
    ffi::c_void,
    ptr,
    sync::atomic::{AtomicPtr, Ordering},
};

use wdk_sys::DRIVER_OBJECT as DriverObject;

use crate::{
    SUCCESS, TAG, call,
    frame::Nbl,
    protocol::{SERVICE, code, text, wide},
    sys,
};

/// The steps of a filter driver. Each is correct unless an image replaces it.
pub trait Filter {
    /// Changes what is registered.
    fn characteristics(_characteristics: &mut sys::NDIS_FILTER_DRIVER_CHARACTERISTICS) {}

    /// The driver's unload routine.
    fn unload() {
        deregister();
    }

    /// `FilterAttach`.
    fn attach(module: &'static Module) -> sys::NDIS_STATUS {
        module.set_attributes()
    }

    /// `FilterDetach`.
    fn detach(_module: &'static Module) {}

    /// `FilterPause`.
    fn pause(_module: &'static Module) -> sys::NDIS_STATUS {
        SUCCESS
    }

    /// `FilterRestart`.
    fn restart(_module: &'static Module) -> sys::NDIS_STATUS {
        SUCCESS
    }

    /// `FilterSendNetBufferLists`.
    fn send(module: &'static Module, nbls: Nbl, port: sys::NDIS_PORT_NUMBER, flags: u32) {
        call!(NdisFSendNetBufferLists(
            module.handle(),
            nbls.0,
            port,
            flags
        ));
    }

    /// `FilterSendNetBufferListsComplete`.
    fn sent(module: &'static Module, nbls: Nbl, flags: u32) {
        call!(NdisFSendNetBufferListsComplete(
            module.handle(),
            nbls.0,
            flags
        ));
    }

    /// `FilterReceiveNetBufferLists`.
    fn receive(
        module: &'static Module,
        nbls: Nbl,
        port: sys::NDIS_PORT_NUMBER,
        count: u32,
        flags: u32,
    ) {
        call!(NdisFIndicateReceiveNetBufferLists(
            module.handle(),
            nbls.0,
            port,
            count,
            flags
        ));
    }

    /// `FilterReturnNetBufferLists`.
    fn returned(module: &'static Module, nbls: Nbl, flags: u32) {
        call!(NdisFReturnNetBufferLists(module.handle(), nbls.0, flags));
    }

    /// `FilterOidRequest`.
    fn oid(module: &'static Module, request: *mut sys::NDIS_OID_REQUEST) -> sys::NDIS_STATUS {
        module.pass_on(request)
    }

    /// `FilterOidRequestComplete`.
    fn oid_complete(
        module: &'static Module,
        request: *mut sys::NDIS_OID_REQUEST,
        status: sys::NDIS_STATUS,
    ) {
        let original = module.passed_on(request);
        call!(NdisFOidRequestComplete(module.handle(), original, status));
    }

    /// `FilterNetPnPEvent`, but for the one that is the module's own.
    fn event(
        module: &'static Module,
        notification: *mut sys::NET_PNP_EVENT_NOTIFICATION,
    ) -> sys::NDIS_STATUS {
        call!(NdisFNetPnPEvent(module.handle(), notification))
    }

    /// `FilterStatus`.
    fn status(module: &'static Module, indication: *mut sys::NDIS_STATUS_INDICATION) {
        call!(NdisFIndicateStatus(module.handle(), indication));
    }
}

/// A filter module; free if it has no handle.
pub struct Module {
    handle: AtomicPtr<c_void>,
    /// For an image to keep something in.
    pub kept: AtomicPtr<c_void>,
}

impl Module {
    const fn free() -> Self {
        Self {
            handle: AtomicPtr::new(ptr::null_mut()),
            kept: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// The module's handle, from attach to detach.
    pub fn handle(&self) -> sys::NDIS_HANDLE {
        self.handle.load(Ordering::Acquire)
    }

    /// Tells NDIS the module's context.
    pub fn set_attributes(&self) -> sys::NDIS_STATUS {
        let mut attributes = sys::NDIS_FILTER_ATTRIBUTES {
            Header: sys::NDIS_OBJECT_HEADER::new(
                sys::NDIS_OBJECT_TYPE_FILTER_ATTRIBUTES,
                sys::NDIS_FILTER_ATTRIBUTES_REVISION_1,
                sys::NDIS_SIZEOF_FILTER_ATTRIBUTES_REVISION_1,
            ),
            Flags: 0,
        };
        call!(NdisFSetAttributes(
            self.handle(),
            ptr::from_ref(self).cast_mut().cast(),
            &raw mut attributes,
        ))
    }

    /// Passes a clone of a request on.
    pub fn pass_on(&self, request: *mut sys::NDIS_OID_REQUEST) -> sys::NDIS_STATUS {
        let mut clone = ptr::null_mut();
        let handle = self.handle();
        let status = call!(NdisAllocateCloneOidRequest(
            handle,
            request,
            TAG,
            &raw mut clone
        ));
        if status != SUCCESS {
            return status;
        }
        // SAFETY: the clone is the driver's, and so is this field of it.
        unsafe { source(clone).write(request) };
        // SAFETY: NDIS lends the request until it is completed.
        let id = unsafe { (*request).RequestId };
        // SAFETY: the clone is the driver's.
        unsafe { (*clone).RequestId = id };
        let status = call!(NdisFOidRequest(handle, clone));
        if status != sys::NDIS_STATUS_PENDING {
            self.passed_on(clone);
        }
        status
    }

    /// A clone is complete: copies what came back to the request that it was made of, frees the clone
    /// and answers with the request.
    pub fn passed_on(&self, clone: *mut sys::NDIS_OID_REQUEST) -> *mut sys::NDIS_OID_REQUEST {
        // SAFETY: `pass_on` put it there, in memory that is the driver's.
        let request = unsafe { source(clone).read() };
        // SAFETY: the clone is the driver's again.
        let done = unsafe { (*clone).DATA };
        // SAFETY: the request is the driver's to complete. Both have the same type, and the clone the
        // same buffers.
        unsafe { (*request).DATA = done };
        call!(NdisFreeCloneOidRequest(self.handle(), clone));
        request
    }
}

/// Undoes the registration.
pub fn deregister() {
    call!(NdisFDeregisterFilterDriver(DRIVER.load(Ordering::Acquire)));
}

/// `DriverEntry` of a filter driver.
pub fn load<D: Filter>(
    driver: *mut sys::DRIVER_OBJECT,
    _registry_path: *mut sys::UNICODE_STRING,
) -> sys::NTSTATUS {
    let mut characteristics = sys::NDIS_FILTER_DRIVER_CHARACTERISTICS {
        Header: sys::NDIS_OBJECT_HEADER::new(
            sys::NDIS_OBJECT_TYPE_FILTER_DRIVER_CHARACTERISTICS,
            sys::NDIS_FILTER_CHARACTERISTICS_REVISION_2,
            sys::NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_2,
        ),
        MajorNdisVersion: 6,
        MinorNdisVersion: 30,
        FriendlyName: text(&SERVICE),
        UniqueName: text(&UNIQUE_NAME),
        ServiceName: text(&SERVICE),
        AttachHandler: Some(attach::<D>),
        DetachHandler: Some(detach::<D>),
        RestartHandler: Some(restart::<D>),
        PauseHandler: Some(pause::<D>),
        SendNetBufferListsHandler: Some(send::<D>),
        SendNetBufferListsCompleteHandler: Some(sent::<D>),
        ReceiveNetBufferListsHandler: Some(receive::<D>),
        ReturnNetBufferListsHandler: Some(returned::<D>),
        OidRequestHandler: Some(oid::<D>),
        OidRequestCompleteHandler: Some(oid_complete::<D>),
        StatusHandler: Some(status::<D>),
        NetPnPEventHandler: Some(event::<D>),
        ..sys::NDIS_FILTER_DRIVER_CHARACTERISTICS::zeroed()
    };
    D::characteristics(&mut characteristics);
    // SAFETY: it is the driver object that the running `DriverEntry` got.
    unsafe { (*driver.cast::<DriverObject>()).DriverUnload = Some(unload::<D>) };
    call!(NdisFRegisterFilterDriver(
        driver,
        ptr::null_mut(),
        &raw mut characteristics,
        DRIVER.as_ptr(),
    ))
}

/// The registration of this image.
static DRIVER: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

/// What tells these filters apart from others.
static UNIQUE_NAME: [u16; 38] = wide(b"{4D757803-0000-4000-8000-000000000001}");

/// The modules of this image.
static MODULES: [Module; 8] = [const { Module::free() }; 8];

/// Where a clone keeps the request that it was made of.
fn source(clone: *mut sys::NDIS_OID_REQUEST) -> *mut *mut sys::NDIS_OID_REQUEST {
    // SAFETY: the clone is valid, and this only computes an address in it.
    unsafe { &raw mut (*clone).SourceReserved }.cast()
}

fn module_of(context: sys::NDIS_HANDLE) -> &'static Module {
    // SAFETY: it is the context that `set_attributes` told, an element of a static.
    unsafe { &*context.cast::<Module>() }
}

unsafe extern "C" fn unload<D: Filter>(_driver: *mut DriverObject) {
    D::unload();
}

unsafe extern "efiapi" fn attach<D: Filter>(
    handle: sys::NDIS_HANDLE,
    _driver: sys::NDIS_HANDLE,
    _parameters: *mut sys::NDIS_FILTER_ATTACH_PARAMETERS,
) -> sys::NDIS_STATUS {
    let take = |module: &&Module| {
        let free = ptr::null_mut();
        let (success, failure) = (Ordering::AcqRel, Ordering::Acquire);
        let taken = module
            .handle
            .compare_exchange(free, handle, success, failure);
        taken.is_ok()
    };
    let Some(module) = MODULES.iter().find(take) else {
        return sys::NDIS_STATUS_RESOURCES;
    };
    let status = D::attach(module);
    if status != SUCCESS {
        module.handle.store(ptr::null_mut(), Ordering::Release);
    }
    status
}

unsafe extern "efiapi" fn detach<D: Filter>(context: sys::NDIS_HANDLE) {
    let module = module_of(context);
    D::detach(module);
    module.handle.store(ptr::null_mut(), Ordering::Release);
}

unsafe extern "efiapi" fn restart<D: Filter>(
    context: sys::NDIS_HANDLE,
    _parameters: *mut sys::NDIS_FILTER_RESTART_PARAMETERS,
) -> sys::NDIS_STATUS {
    D::restart(module_of(context))
}

unsafe extern "efiapi" fn pause<D: Filter>(
    context: sys::NDIS_HANDLE,
    _parameters: *mut sys::NDIS_FILTER_PAUSE_PARAMETERS,
) -> sys::NDIS_STATUS {
    D::pause(module_of(context))
}

unsafe extern "efiapi" fn send<D: Filter>(
    context: sys::NDIS_HANDLE,
    nbls: *mut sys::NET_BUFFER_LIST,
    port: sys::NDIS_PORT_NUMBER,
    flags: u32,
) {
    D::send(module_of(context), Nbl(nbls), port, flags);
}

unsafe extern "efiapi" fn sent<D: Filter>(
    context: sys::NDIS_HANDLE,
    nbls: *mut sys::NET_BUFFER_LIST,
    flags: u32,
) {
    D::sent(module_of(context), Nbl(nbls), flags);
}

unsafe extern "efiapi" fn receive<D: Filter>(
    context: sys::NDIS_HANDLE,
    nbls: *mut sys::NET_BUFFER_LIST,
    port: sys::NDIS_PORT_NUMBER,
    count: u32,
    flags: u32,
) {
    D::receive(module_of(context), Nbl(nbls), port, count, flags);
}

unsafe extern "efiapi" fn returned<D: Filter>(
    context: sys::NDIS_HANDLE,
    nbls: *mut sys::NET_BUFFER_LIST,
    flags: u32,
) {
    D::returned(module_of(context), Nbl(nbls), flags);
}

unsafe extern "efiapi" fn oid<D: Filter>(
    context: sys::NDIS_HANDLE,
    request: *mut sys::NDIS_OID_REQUEST,
) -> sys::NDIS_STATUS {
    D::oid(module_of(context), request)
}

unsafe extern "efiapi" fn oid_complete<D: Filter>(
    context: sys::NDIS_HANDLE,
    request: *mut sys::NDIS_OID_REQUEST,
    status: sys::NDIS_STATUS,
) {
    D::oid_complete(module_of(context), request, status);
}

unsafe extern "efiapi" fn event<D: Filter>(
    context: sys::NDIS_HANDLE,
    notification: *mut sys::NET_PNP_EVENT_NOTIFICATION,
) -> sys::NDIS_STATUS {
    if code(notification) == sys::NetEventFilterPreDetach {
        return SUCCESS;
    }
    D::event(module_of(context), notification)
}

unsafe extern "efiapi" fn status<D: Filter>(
    context: sys::NDIS_HANDLE,
    indication: *mut sys::NDIS_STATUS_INDICATION,
) {
    D::status(module_of(context), indication);
}
