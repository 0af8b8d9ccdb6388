//! A miniport driver for one adapter, whose wire is its own end: for each chain that is sent it
//! indicates one frame of its own.
//!
//! Sends are completed inside the handler, OID requests are answered inside theirs, and a pause waits
//! for the frames that were indicated.

use core::{
    ffi::c_void,
    ptr,
    sync::atomic::{AtomicPtr, AtomicU32, Ordering},
};

use crate::{
    SUCCESS, call,
    frame::{self, Nbl},
    sys,
};

/// The steps of a miniport driver. Each is correct unless an image replaces it.
pub trait Miniport {
    /// Changes what is registered.
    fn characteristics(_characteristics: &mut sys::NDIS_MINIPORT_DRIVER_CHARACTERISTICS) {}

    /// The rest of `DriverEntry`, once the driver is registered. If it fails, the registration is undone.
    fn entry(_adapter: &'static Adapter) -> sys::NTSTATUS {
        SUCCESS
    }

    /// `MiniportDriverUnload`.
    fn unload(adapter: &'static Adapter) {
        adapter.deregister();
    }

    /// `MiniportInitializeEx`.
    fn initialize(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        adapter.open()
    }

    /// `MiniportHaltEx`.
    fn halt(adapter: &'static Adapter) {
        adapter.close();
    }

    /// `MiniportPause`.
    fn pause(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        adapter.pause()
    }

    /// `MiniportRestart`.
    fn restart(adapter: &'static Adapter) -> sys::NDIS_STATUS {
        adapter.restart()
    }

    /// `MiniportSendNetBufferLists`.
    fn send(adapter: &'static Adapter, nbls: Nbl) {
        adapter.indicate();
        adapter.complete(nbls);
    }

    /// `MiniportReturnNetBufferLists`.
    fn returned(adapter: &'static Adapter, nbls: Nbl) {
        adapter.take_back(nbls);
    }

    /// `MiniportOidRequest`.
    fn oid(adapter: &'static Adapter, request: *mut sys::NDIS_OID_REQUEST) -> sys::NDIS_STATUS {
        adapter.answer(request)
    }

    /// `MiniportDevicePnPEventNotify`.
    fn pnp_event(_adapter: &'static Adapter) {}

    /// `MiniportShutdownEx`.
    fn shutdown(_adapter: &'static Adapter) {}
}

/// The adapter of an image, and its registration.
pub struct Adapter {
    object: AtomicPtr<sys::DRIVER_OBJECT>,
    driver: AtomicPtr<c_void>,
    handle: AtomicPtr<c_void>,
    pool: AtomicPtr<c_void>,
    /// One while it runs, and one for each frame that was indicated and is not back.
    busy: AtomicU32,
    /// For an image to keep something in.
    pub kept: AtomicPtr<c_void>,
}

impl Adapter {
    const fn new() -> Self {
        Self {
            object: AtomicPtr::new(ptr::null_mut()),
            driver: AtomicPtr::new(ptr::null_mut()),
            handle: AtomicPtr::new(ptr::null_mut()),
            pool: AtomicPtr::new(ptr::null_mut()),
            busy: AtomicU32::new(0),
            kept: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// The driver object of the image.
    pub fn object(&self) -> *mut sys::DRIVER_OBJECT {
        self.object.load(Ordering::Acquire)
    }

    /// The handle of the registration.
    pub fn driver(&self) -> sys::NDIS_HANDLE {
        self.driver.load(Ordering::Acquire)
    }

    /// The adapter's handle, from initialize to halt.
    pub fn handle(&self) -> sys::NDIS_HANDLE {
        self.handle.load(Ordering::Acquire)
    }

    /// The pool of its frames.
    pub fn pool(&self) -> sys::NDIS_HANDLE {
        self.pool.load(Ordering::Acquire)
    }

    /// Undoes the registration.
    pub fn deregister(&self) {
        call!(NdisMDeregisterMiniportDriver(self.driver()));
    }

    /// Sets the attributes and makes the pool.
    pub fn open(&self) -> sys::NDIS_STATUS {
        self.open_with(0)
    }

    /// The same with these `AttributeFlags`.
    pub fn open_with(&self, flags: u32) -> sys::NDIS_STATUS {
        let mut status = self.set_registration_attributes(flags);
        if status == SUCCESS {
            status = self.set_general_attributes();
        }
        if status != SUCCESS {
            return status;
        }
        let pool = frame::pool(self.handle());
        if pool.is_null() {
            return sys::NDIS_STATUS_RESOURCES;
        }
        self.pool.store(pool, Ordering::Release);
        SUCCESS
    }

    /// Undoes [`Adapter::open`].
    pub fn close(&self) {
        call!(NdisFreeNetBufferListPool(self.pool()));
    }

    /// The registration attributes, with these `AttributeFlags`.
    pub fn set_registration_attributes(&self, flags: u32) -> sys::NDIS_STATUS {
        let mut attributes = sys::NDIS_MINIPORT_ADAPTER_ATTRIBUTES {
            RegistrationAttributes: sys::NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES {
                Header: sys::NDIS_OBJECT_HEADER::new(
                    sys::NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES,
                    sys::NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1,
                    sys::NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1,
                ),
                MiniportAdapterContext: ptr::from_ref(self).cast_mut().cast(),
                AttributeFlags: flags,
                CheckForHangTimeInSeconds: 0,
                InterfaceType: sys::NdisInterfaceInternal,
            },
        };
        call!(NdisMSetMiniportAttributes(
            self.handle(),
            &raw mut attributes
        ))
    }

    /// The general attributes.
    pub fn set_general_attributes(&self) -> sys::NDIS_STATUS {
        self.set_general_attributes_with(&mut sys::NDIS_PM_CAPABILITIES {
            Header: sys::NDIS_OBJECT_HEADER::new(
                sys::NDIS_OBJECT_TYPE_DEFAULT,
                sys::NDIS_PM_CAPABILITIES_REVISION_2,
                sys::NDIS_SIZEOF_NDIS_PM_CAPABILITIES_REVISION_2,
            ),
            ..sys::NDIS_PM_CAPABILITIES::zeroed()
        })
    }

    /// The same with these capabilities; null if the adapter is to be halted to sleep.
    pub fn set_general_attributes_with(
        &self,
        power: *mut sys::NDIS_PM_CAPABILITIES,
    ) -> sys::NDIS_STATUS {
        let mut address = [0; 32];
        address[..6].copy_from_slice(&ADDRESS);
        let mut attributes = sys::NDIS_MINIPORT_ADAPTER_ATTRIBUTES {
            GeneralAttributes: sys::NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES {
                Header: sys::NDIS_OBJECT_HEADER::new(
                    sys::NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES,
                    sys::NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2,
                    sys::NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2,
                ),
                MediaType: sys::NdisMedium802_3,
                PhysicalMediumType: sys::NdisPhysicalMedium802_3,
                MtuSize: 1500,
                MaxXmitLinkSpeed: SPEED,
                XmitLinkSpeed: SPEED,
                MaxRcvLinkSpeed: SPEED,
                RcvLinkSpeed: SPEED,
                MediaConnectState: sys::MediaConnectStateConnected,
                MediaDuplexState: sys::MediaDuplexStateFull,
                LookaheadSize: 1500,
                MacOptions: sys::NDIS_MAC_OPTION_NO_LOOPBACK,
                SupportedPacketFilters: sys::NDIS_PACKET_TYPE_DIRECTED
                    | sys::NDIS_PACKET_TYPE_MULTICAST
                    | sys::NDIS_PACKET_TYPE_ALL_MULTICAST
                    | sys::NDIS_PACKET_TYPE_BROADCAST
                    | sys::NDIS_PACKET_TYPE_PROMISCUOUS,
                MaxMulticastListSize: 32,
                MacAddressLength: 6,
                PermanentMacAddress: address,
                CurrentMacAddress: address,
                AccessType: sys::NET_IF_ACCESS_BROADCAST,
                DirectionType: sys::NET_IF_DIRECTION_SENDRECEIVE,
                ConnectionType: sys::NET_IF_CONNECTION_DEDICATED,
                IfType: sys::IF_TYPE_ETHERNET_CSMACD,
                SupportedOidList: OIDS.as_ptr().cast_mut(),
                SupportedOidListLength: size_of_val(OIDS) as u32,
                PowerManagementCapabilitiesEx: power,
                ..sys::NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES::zeroed()
            },
        };
        call!(NdisMSetMiniportAttributes(
            self.handle(),
            &raw mut attributes
        ))
    }

    /// Stops traffic; completes later if frames are out.
    pub fn pause(&self) -> sys::NDIS_STATUS {
        if self.busy.fetch_sub(1, Ordering::AcqRel) == 1 {
            SUCCESS
        } else {
            sys::NDIS_STATUS_PENDING
        }
    }

    /// Lets traffic flow.
    pub fn restart(&self) -> sys::NDIS_STATUS {
        self.busy.fetch_add(1, Ordering::AcqRel);
        SUCCESS
    }

    /// Indicates a frame of its own, if it runs and there is memory.
    pub fn indicate(&self) {
        if !self.enter() {
            return;
        }
        match Nbl::frame(self.handle(), self.pool(), self.handle()) {
            Some(nbl) => call!(NdisMIndicateReceiveNetBufferLists(
                self.handle(),
                nbl.0,
                0,
                1,
                0
            )),
            None => self.leave(),
        }
    }

    /// Completes sends with success.
    pub fn complete(&self, nbls: Nbl) {
        nbls.set_status(SUCCESS);
        call!(NdisMSendNetBufferListsComplete(self.handle(), nbls.0, 0));
    }

    /// Frees frames that were indicated.
    pub fn take_back(&self, nbls: Nbl) {
        for nbl in nbls.chain() {
            nbl.free();
            self.leave();
        }
    }

    /// Answers a request: statistics are zero, and what may be set is taken.
    pub fn answer(&self, request: *mut sys::NDIS_OID_REQUEST) -> sys::NDIS_STATUS {
        let oid = code(request);
        // SAFETY: NDIS lends the request to the driver until it is completed.
        let request = unsafe { &mut *request };
        match (request.RequestType, oid) {
            (sys::NdisRequestSetInformation, oid) if OIDS.contains(&oid) => {
                // SAFETY: the request is a set.
                let set = unsafe { &mut request.DATA.SET_INFORMATION };
                set.BytesRead = set.InformationBufferLength;
                SUCCESS
            }
            (
                sys::NdisRequestQueryInformation | sys::NdisRequestQueryStatistics,
                sys::OID_GEN_STATISTICS,
            ) => {
                // SAFETY: the request is a query.
                statistics(unsafe { &mut request.DATA.QUERY_INFORMATION })
            }
            (sys::NdisRequestQueryInformation, sys::OID_PNP_QUERY_POWER) => SUCCESS,
            _ => sys::NDIS_STATUS_NOT_SUPPORTED,
        }
    }

    /// Counts a frame that is about to be indicated; refuses if the adapter does not run.
    fn enter(&self) -> bool {
        let more = |busy| (busy != 0).then_some(busy + 1);
        self.busy
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, more)
            .is_ok()
    }

    /// A frame is back. The last one after a pause completes that.
    fn leave(&self) {
        if self.busy.fetch_sub(1, Ordering::AcqRel) == 1 {
            call!(NdisMPauseComplete(self.handle()));
        }
    }
}

/// Which OID a request is about.
pub fn code(request: *mut sys::NDIS_OID_REQUEST) -> sys::NDIS_OID {
    // SAFETY: NDIS lends the request until it is completed.
    let data = unsafe { &(*request).DATA };
    // SAFETY: every kind begins with the OID.
    unsafe { data.Oid }
}

/// `DriverEntry` of a miniport driver.
pub fn load<D: Miniport>(
    driver: *mut sys::DRIVER_OBJECT,
    registry_path: *mut sys::UNICODE_STRING,
) -> sys::NTSTATUS {
    let status = register::<D>(driver, registry_path, 0);
    if status != SUCCESS {
        return status;
    }
    let status = D::entry(&ADAPTER);
    if status != SUCCESS {
        ADAPTER.deregister();
    }
    status
}

/// Registers the miniport edge, with these `Flags`.
pub(crate) fn register<D: Miniport>(
    driver: *mut sys::DRIVER_OBJECT,
    registry_path: *mut sys::UNICODE_STRING,
    flags: u32,
) -> sys::NDIS_STATUS {
    let mut characteristics = sys::NDIS_MINIPORT_DRIVER_CHARACTERISTICS {
        Header: sys::NDIS_OBJECT_HEADER::new(
            sys::NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS,
            sys::NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2,
            sys::NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2,
        ),
        MajorNdisVersion: 6,
        MinorNdisVersion: 30,
        Flags: flags,
        InitializeHandlerEx: Some(initialize::<D>),
        HaltHandlerEx: Some(halt::<D>),
        UnloadHandler: Some(unload::<D>),
        PauseHandler: Some(pause::<D>),
        RestartHandler: Some(restart::<D>),
        OidRequestHandler: Some(oid::<D>),
        SendNetBufferListsHandler: Some(send::<D>),
        ReturnNetBufferListsHandler: Some(returned::<D>),
        CancelSendHandler: Some(cancel),
        DevicePnPEventNotifyHandler: Some(pnp_event::<D>),
        ShutdownHandlerEx: Some(shutdown::<D>),
        CancelOidRequestHandler: Some(cancel),
        ..sys::NDIS_MINIPORT_DRIVER_CHARACTERISTICS::zeroed()
    };
    D::characteristics(&mut characteristics);
    ADAPTER.object.store(driver, Ordering::Release);
    call!(NdisMRegisterMiniportDriver(
        driver,
        registry_path,
        ptr::null_mut(),
        &raw mut characteristics,
        ADAPTER.driver.as_ptr(),
    ))
}

/// The adapter of this image.
pub static ADAPTER: Adapter = Adapter::new();

unsafe extern "efiapi" fn initialize<D: Miniport>(
    handle: sys::NDIS_HANDLE,
    _driver: sys::NDIS_HANDLE,
    _parameters: *mut sys::NDIS_MINIPORT_INIT_PARAMETERS,
) -> sys::NDIS_STATUS {
    ADAPTER.handle.store(handle, Ordering::Release);
    D::initialize(&ADAPTER)
}

unsafe extern "efiapi" fn halt<D: Miniport>(
    _context: sys::NDIS_HANDLE,
    _action: sys::NDIS_HALT_ACTION,
) {
    D::halt(&ADAPTER);
}

unsafe extern "efiapi" fn unload<D: Miniport>(_driver: *mut sys::DRIVER_OBJECT) {
    D::unload(&ADAPTER);
}

unsafe extern "efiapi" fn pause<D: Miniport>(
    _context: sys::NDIS_HANDLE,
    _parameters: *mut sys::NDIS_MINIPORT_PAUSE_PARAMETERS,
) -> sys::NDIS_STATUS {
    D::pause(&ADAPTER)
}

unsafe extern "efiapi" fn restart<D: Miniport>(
    _context: sys::NDIS_HANDLE,
    _parameters: *mut sys::NDIS_MINIPORT_RESTART_PARAMETERS,
) -> sys::NDIS_STATUS {
    D::restart(&ADAPTER)
}

unsafe extern "efiapi" fn oid<D: Miniport>(
    _context: sys::NDIS_HANDLE,
    request: *mut sys::NDIS_OID_REQUEST,
) -> sys::NDIS_STATUS {
    D::oid(&ADAPTER, request)
}

unsafe extern "efiapi" fn send<D: Miniport>(
    _context: sys::NDIS_HANDLE,
    nbls: *mut sys::NET_BUFFER_LIST,
    _port: sys::NDIS_PORT_NUMBER,
    _flags: u32,
) {
    D::send(&ADAPTER, Nbl(nbls));
}

unsafe extern "efiapi" fn returned<D: Miniport>(
    _context: sys::NDIS_HANDLE,
    nbls: *mut sys::NET_BUFFER_LIST,
    _flags: u32,
) {
    D::returned(&ADAPTER, Nbl(nbls));
}

/// Nothing is ever kept that could be cancelled.
unsafe extern "efiapi" fn cancel(_context: sys::NDIS_HANDLE, _id: *mut c_void) {}

unsafe extern "efiapi" fn pnp_event<D: Miniport>(
    _context: sys::NDIS_HANDLE,
    _event: *mut sys::NET_DEVICE_PNP_EVENT,
) {
    D::pnp_event(&ADAPTER);
}

unsafe extern "efiapi" fn shutdown<D: Miniport>(
    _context: sys::NDIS_HANDLE,
    _action: sys::NDIS_SHUTDOWN_ACTION,
) {
    D::shutdown(&ADAPTER);
}

fn statistics(query: &mut sys::NDIS_OID_REQUEST_QUERY) -> sys::NDIS_STATUS {
    let answer = sys::NDIS_STATISTICS_INFO {
        Header: sys::NDIS_OBJECT_HEADER::new(
            sys::NDIS_OBJECT_TYPE_DEFAULT,
            sys::NDIS_STATISTICS_INFO_REVISION_1,
            sys::NDIS_SIZEOF_STATISTICS_INFO_REVISION_1,
        ),
        ..sys::NDIS_STATISTICS_INFO::zeroed()
    };
    query.BytesNeeded = size_of_val(&answer) as u32;
    if query.InformationBufferLength < query.BytesNeeded {
        return sys::NDIS_STATUS_INVALID_LENGTH;
    }
    let buffer = query.InformationBuffer.cast::<sys::NDIS_STATISTICS_INFO>();
    // SAFETY: the buffer is as long as the request says, which was compared.
    unsafe { buffer.write_unaligned(answer) };
    query.BytesWritten = query.BytesNeeded;
    SUCCESS
}

/// What the adapter answers.
const OIDS: &[sys::NDIS_OID] = &[
    sys::OID_GEN_STATISTICS,
    sys::OID_GEN_CURRENT_PACKET_FILTER,
    sys::OID_GEN_CURRENT_LOOKAHEAD,
    sys::OID_802_3_MULTICAST_LIST,
    sys::OID_PNP_SET_POWER,
    sys::OID_PNP_QUERY_POWER,
];

const ADDRESS: [u8; 6] = [0x02, b'a', b'l', b'a', b'r', b'm'];

/// Bits per second.
const SPEED: u64 = 1_000_000_000;
