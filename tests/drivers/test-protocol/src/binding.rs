//! A binding, from bind to unbind.
//!
//! Bind, unbind and pause wait for what they begin: NDIS calls them on threads that may wait.

use alloc::boxed::Box;
use core::{
    ffi::c_void,
    ptr,
    sync::atomic::{AtomicI32, AtomicPtr, AtomicU32, Ordering},
};

use driver_registry::{Configuration, Name};
use ndis::{
    Passive, Status,
    sync::{Event, Rundown},
};
use ndis_sys as sys;

use crate::{
    TAG, entry,
    report::{self, Counters},
    requests, traffic,
};

/// A binding.
pub(crate) struct Binding {
    handle: AtomicPtr<c_void>,
    /// The address of the adapter below.
    pub(crate) address: [u8; 6],
    /// Of the frames that it sends.
    pub(crate) pool: sys::NDIS_HANDLE,
    pub(crate) timer: sys::NDIS_HANDLE,
    /// How many frames are still to be sent.
    pub(crate) to_send: AtomicU32,
    /// How many go in one chain.
    pub(crate) chain: u32,
    pub(crate) echoes: bool,
    /// Frames that were sent and are not back. Open while the binding runs.
    pub(crate) sends: Rundown,
    /// Who writes the counters on behalf of all bindings.
    pub(crate) reports: Rundown,
    pub(crate) counters: Counters,
    status: AtomicI32,
    done: Event,
}

// SAFETY: handles are NDIS's and usable on any thread; the rest is made for sharing.
unsafe impl Sync for Binding {}

impl Binding {
    /// The handle of the open adapter.
    pub(crate) fn handle(&self) -> sys::NDIS_HANDLE {
        self.handle.load(Ordering::Acquire)
    }

    /// What was begun is complete.
    pub(crate) fn completed(&self, status: sys::NDIS_STATUS) {
        self.status.store(status, Ordering::Release);
        self.done.set();
    }

    /// Waits for what `begin` begins, if it does not end at once.
    pub(crate) fn wait_for(
        &self,
        at: Passive<'_>,
        begin: impl FnOnce() -> sys::NDIS_STATUS,
    ) -> ndis::Result {
        self.done.reset();
        let mut status = begin();
        if status == sys::NDIS_STATUS_PENDING {
            self.done.wait(at);
            status = self.status.load(Ordering::Acquire);
        }
        Status::from_raw(status).ok()
    }

    fn new(parameters: &sys::NDIS_BIND_PARAMETERS) -> ndis::Result<Box<Self>> {
        let mut address = [0; 6];
        address.copy_from_slice(&parameters.CurrentMacAddress[..6]);
        ndis::mem::try_box(Self {
            handle: AtomicPtr::default(),
            address,
            pool: ptr::null_mut(),
            timer: ptr::null_mut(),
            to_send: AtomicU32::new(0),
            chain: 0,
            echoes: false,
            sends: Rundown::try_new()?,
            reports: Rundown::try_new()?,
            counters: Counters::default(),
            status: AtomicI32::new(0),
            done: Event::try_new()?,
        })
    }

    fn open(
        &self,
        context: sys::NDIS_HANDLE,
        parameters: &sys::NDIS_BIND_PARAMETERS,
        at: Passive<'_>,
    ) -> ndis::Result {
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
        let own = ptr::from_ref(self).cast_mut().cast();
        let place = self.handle.as_ptr();
        // SAFETY: called in the bind that `context` is of; what is pointed at lives until the open is
        // complete, for which this waits.
        self.wait_for(at, || unsafe {
            sys::NdisOpenAdapterEx(entry::registration(), own, &raw mut open, context, place)
        })
    }

    /// Takes what the binding needs, now that the adapter is open.
    fn equip(&mut self) -> ndis::Result {
        // SAFETY: the adapter is open for longer, and this is PASSIVE_LEVEL.
        if let Some(configuration) = unsafe { Configuration::open(self.handle()) } {
            *self.to_send.get_mut() = configuration.number(&SEND_FRAMES).unwrap_or(0);
            self.echoes = configuration.number(&ECHO).unwrap_or(0) != 0;
            self.chain = configuration.number(&SEND_CHAIN).unwrap_or(0);
        }
        if self.chain == 0 {
            self.chain = DEFAULT_CHAIN;
        }
        let mut parameters = sys::NET_BUFFER_LIST_POOL_PARAMETERS {
            Header: sys::NDIS_OBJECT_HEADER::new(
                sys::NDIS_OBJECT_TYPE_DEFAULT,
                sys::NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
                sys::NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
            ),
            fAllocateNetBuffer: 1,
            PoolTag: TAG,
            ..sys::NET_BUFFER_LIST_POOL_PARAMETERS::zeroed()
        };
        // SAFETY: the adapter is open.
        self.pool =
            unsafe { sys::NdisAllocateNetBufferListPool(self.handle(), &raw mut parameters) };
        if self.pool.is_null() {
            return Err(Status::RESOURCES);
        }
        let mut timer = sys::NDIS_TIMER_CHARACTERISTICS {
            Header: sys::NDIS_OBJECT_HEADER::new(
                sys::NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS,
                sys::NDIS_TIMER_CHARACTERISTICS_REVISION_1,
                sys::NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1,
            ),
            AllocationTag: TAG,
            TimerFunction: Some(traffic::tick),
            FunctionContext: ptr::from_mut(self).cast(),
        };
        // SAFETY: as above; the timer is cancelled, and its function has returned, before the binding
        // goes.
        let status = unsafe {
            sys::NdisAllocateTimerObject(self.handle(), &raw mut timer, &raw mut self.timer)
        };
        Status::from_raw(status).ok()
    }

    /// Gives back what the binding has, and closes the adapter. No traffic flows.
    fn close(&self, at: Passive<'_>) {
        self.counters.write(self.handle());
        if !self.timer.is_null() {
            // SAFETY: the timer was cancelled at the pause, and after this its function has returned.
            unsafe { sys::KeFlushQueuedDpcs() };
            // SAFETY: as above.
            unsafe { sys::NdisFreeTimerObject(self.timer) };
        }
        if !self.pool.is_null() {
            // SAFETY: all its NBLs are back since the pause.
            unsafe { sys::NdisFreeNetBufferListPool(self.pool) };
        }
        // SAFETY: the adapter is open, and nothing uses the handle any more. A close does not fail.
        let _closed = self.wait_for(at, || unsafe { sys::NdisCloseAdapterEx(self.handle()) });
    }

    fn pause(&self, at: Passive<'_>) {
        // SAFETY: the timer is the binding's, and this is PASSIVE_LEVEL.
        unsafe { sys::NdisCancelTimerObject(self.timer) };
        self.sends.drain(at);
        self.counters.write(self.handle());
    }

    fn restart(&self) {
        self.sends.open();
        let (first, period) = (-10_000 * i64::from(TICK), TICK);
        // SAFETY: the timer is the binding's.
        unsafe { sys::NdisSetTimerObject(self.timer, first, period, ptr::null_mut()) };
    }
}

/// The binding that a context is.
///
/// # Safety
/// NDIS passed it to a function of the driver that runs.
pub(crate) unsafe fn lend<'callback>(context: *mut c_void) -> &'callback Binding {
    // SAFETY: it is the box that `bind` leaked, which stays until the end of unbind.
    unsafe { &*context.cast::<Binding>() }
}

/// `ProtocolBindAdapterEx`.
pub(crate) unsafe extern "efiapi" fn bind(
    _driver: sys::NDIS_HANDLE,
    context: sys::NDIS_HANDLE,
    parameters: *mut sys::NDIS_BIND_PARAMETERS,
) -> sys::NDIS_STATUS {
    // SAFETY: NDIS binds at PASSIVE_LEVEL.
    let at = unsafe { Passive::assume() };
    // SAFETY: NDIS lends the parameters for the length of the call.
    let parameters = unsafe { &*parameters };
    let mut binding = match Binding::new(parameters) {
        Ok(binding) => binding,
        Err(status) => return status.raw(),
    };
    if let Err(status) = binding.open(context, parameters, at) {
        return status.raw();
    }
    let ready = binding
        .equip()
        .and_then(|()| requests::set_filter(&binding, requests::FILTER, at))
        .and_then(|()| report::remember(&binding));
    if let Err(status) = ready {
        binding.close(at);
        return status.raw();
    }
    // NDIS has its address as the context, until unbind.
    let _context = Box::into_raw(binding);
    sys::NDIS_STATUS_SUCCESS
}

/// `ProtocolUnbindAdapterEx`.
pub(crate) unsafe extern "efiapi" fn unbind(
    _unbind: sys::NDIS_HANDLE,
    context: sys::NDIS_HANDLE,
) -> sys::NDIS_STATUS {
    // SAFETY: NDIS unbinds at PASSIVE_LEVEL.
    let at = unsafe { Passive::assume() };
    // SAFETY: the box that `bind` leaked, and NDIS unbinds once.
    let binding = unsafe { Box::from_raw(context.cast::<Binding>()) };
    report::forget(&binding, at);
    // Fails only if the adapter is gone, and then it receives nothing.
    let _set = requests::set_filter(&binding, 0, at);
    binding.close(at);
    sys::NDIS_STATUS_SUCCESS
}

/// `ProtocolOpenAdapterCompleteEx`.
pub(crate) unsafe extern "efiapi" fn open_complete(
    context: sys::NDIS_HANDLE,
    status: sys::NDIS_STATUS,
) {
    // SAFETY: NDIS passed it; `bind` waits for this.
    unsafe { lend(context) }.completed(status);
}

/// `ProtocolCloseAdapterCompleteEx`.
pub(crate) unsafe extern "efiapi" fn close_complete(context: sys::NDIS_HANDLE) {
    // SAFETY: NDIS passed it; `close` waits for this.
    unsafe { lend(context) }.completed(sys::NDIS_STATUS_SUCCESS);
}

/// `ProtocolNetPnPEvent`.
pub(crate) unsafe extern "efiapi" fn event(
    context: sys::NDIS_HANDLE,
    notification: *mut sys::NET_PNP_EVENT_NOTIFICATION,
) -> sys::NDIS_STATUS {
    // SAFETY: NDIS tells events at PASSIVE_LEVEL.
    let at = unsafe { Passive::assume() };
    // SAFETY: NDIS lends the notification until the event is complete.
    let code = unsafe { (*notification).NetPnPEvent.NetEvent };
    if context.is_null() {
        // It is about the driver as a whole.
        if code == sys::NetEventReconfigure {
            report::all(at);
        }
        return sys::NDIS_STATUS_SUCCESS;
    }
    // SAFETY: NDIS passed it.
    let binding = unsafe { lend(context) };
    match code {
        sys::NetEventPause => binding.pause(at),
        sys::NetEventRestart => binding.restart(),
        _ => {}
    }
    sys::NDIS_STATUS_SUCCESS
}

/// `ProtocolStatusEx`: nothing that the adapter says changes what this driver does.
pub(crate) unsafe extern "efiapi" fn status(
    _context: sys::NDIS_HANDLE,
    _indication: *mut sys::NDIS_STATUS_INDICATION,
) {
}

/// Time between two sends, in milliseconds.
const TICK: i32 = 20;

const DEFAULT_CHAIN: u32 = 2;

static SEND_FRAMES: Name<10> = Name::new(b"SendFrames");
static SEND_CHAIN: Name<9> = Name::new(b"SendChain");
static ECHO: Name<4> = Name::new(b"Echo");
