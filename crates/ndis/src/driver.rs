//! The driver as a whole: where its state lives, and its registrations with NDIS.

use alloc::boxed::Box;
use core::{
    ffi::c_void,
    ptr::{self, NonNull},
    sync::atomic::{AtomicPtr, Ordering},
};

use ndis_sys as sys;

use crate::{
    contract::Contract,
    irql::Passive,
    mem::try_box,
    miniport::{self, Miniport},
    protocol::{self, Protocol},
    status::{Result, Status},
    string,
};

/// A driver with both edges: what NDIS calls that belongs to no adapter and no binding.
///
/// Its state must be complete before the first registration: NDIS may bind while
/// `NdisRegisterProtocolDriver` has not yet returned.
pub trait Driver: Sized + Send + Sync + 'static {
    /// The upper edge.
    type Miniport: Miniport<Driver = Self>;
    /// The lower edge.
    type Protocol: Protocol<Driver = Self>;

    /// Where the state lives from `DriverEntry` to unload.
    fn cell() -> &'static DriverCell<Self>;

    /// The registration of the lower edge, which opening an adapter needs.
    fn protocol(&self) -> &ProtocolRegistration;

    /// `MiniportDriverUnload`: undo all that `DriverEntry` did. NDIS has halted every adapter.
    fn unload(at: Passive<'_>);

    /// `ProtocolUninstall`: let go of what could keep the driver from being unloaded. NDIS has
    /// unbound every adapter.
    fn uninstall(&self, at: Passive<'_>);

    /// A PnP event for all bindings (`ProtocolNetPnPEvent` without a binding).
    ///
    /// # Errors
    /// What the event may fail with; see [`Protocol::net_pnp_event`].
    fn net_pnp_event(&self, event: crate::pnp::NetPnpEvent<'_>, at: Passive<'_>) -> Result;
}

/// The place for a driver's state, which some callbacks get no pointer to.
///
/// # Invariants
/// Null, or a leaked box that stays until [`remove`](Self::remove).
pub struct DriverCell<D> {
    state: AtomicPtr<D>,
}

/// The arguments of `DriverEntry`, lent for its length.
#[derive(Clone, Copy)]
pub struct Entry<'entry> {
    driver_object: NonNull<sys::DRIVER_OBJECT>,
    registry_path: NonNull<sys::UNICODE_STRING>,
    at: Passive<'entry>,
}

/// The registration of the upper edge: `NdisMRegisterMiniportDriver`.
#[derive(Default)]
pub struct MiniportRegistration {
    handle: AtomicPtr<c_void>,
}

/// The registration of the lower edge: `NdisRegisterProtocolDriver`.
#[derive(Default)]
pub struct ProtocolRegistration {
    handle: AtomicPtr<c_void>,
}

/// A registration that `DriverEntry` made and that is undone unless it is [kept](Self::keep).
#[must_use = "a registration that is not kept is undone"]
pub struct Registered<'entry, R: Deregister> {
    registration: &'entry R,
    at: Passive<'entry>,
}

/// A registration that can be undone.
pub trait Deregister {
    /// Undoes it. Does nothing if there is none.
    fn deregister(&self, at: Passive<'_>);
}

impl<D> DriverCell<D> {
    /// An empty place.
    #[must_use]
    pub const fn empty() -> Self {
        Self {
            state: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Puts the state in its place. `DriverEntry` does this first.
    ///
    /// # Errors
    /// [`Status::RESOURCES`] if the pool has no room.
    pub fn install(&'static self, state: D) -> Result<&'static D> {
        let state = Box::into_raw(try_box(state)?);
        let before = self.state.swap(state, Ordering::AcqRel);
        assert!(before.is_null(), "a driver is loaded once at a time");
        // SAFETY: a leaked box, which stays until `remove`.
        Ok(unsafe { &*state })
    }

    /// The state, if the driver is loaded.
    pub fn get(&self) -> Option<&D> {
        // SAFETY: null or a leaked box that stays until `remove`, whose caller promises that nobody
        // uses it then.
        unsafe { self.state.load(Ordering::Acquire).as_ref() }
    }

    /// Takes the state out, and with it all that it owns.
    ///
    /// # Safety
    /// Nobody uses the state any more: both edges are deregistered, and no callback runs.
    pub unsafe fn remove(&self) -> Option<Box<D>> {
        let state = self.state.swap(ptr::null_mut(), Ordering::AcqRel);
        // SAFETY: a leaked box, and the caller says that nobody else uses it.
        (!state.is_null()).then(|| unsafe { Box::from_raw(state) })
    }
}

impl<'entry> Entry<'entry> {
    /// The arguments of `DriverEntry`.
    ///
    /// # Safety
    /// They are what the system passed to the `DriverEntry` that is running, at PASSIVE_LEVEL.
    #[must_use]
    pub unsafe fn new(
        driver_object: *mut c_void,
        registry_path: *const c_void,
    ) -> Option<Entry<'entry>> {
        Some(Self {
            driver_object: NonNull::new(driver_object.cast())?,
            registry_path: NonNull::new(registry_path.cast_mut().cast())?,
            // SAFETY: the caller says that the IRQL is PASSIVE_LEVEL.
            at: unsafe { Passive::assume() },
        })
    }

    /// The driver's own object: what the event log knows it by.
    pub(crate) const fn driver_object(&self) -> NonNull<c_void> {
        self.driver_object.cast()
    }

    /// The IRQL of `DriverEntry`.
    #[must_use]
    pub const fn at(&self) -> Passive<'entry> {
        self.at
    }
}

impl MiniportRegistration {
    /// Registers the upper edge of an intermediate driver.
    ///
    /// # Errors
    /// What `NdisMRegisterMiniportDriver` says; nothing is registered then.
    pub fn register<'entry, D: Driver>(
        &'entry self,
        entry: &Entry<'entry>,
        contract: Contract,
    ) -> Result<Registered<'entry, Self>> {
        let mut characteristics = miniport::characteristics::<D>(contract);
        // SAFETY: the arguments are those of the running `DriverEntry`, and the characteristics are
        // filled as the contract wants them (NdisMRegisterMiniportDriver). The handle goes to its
        // place at once, because callbacks may come before the function returns.
        let status = unsafe {
            sys::NdisMRegisterMiniportDriver(
                entry.driver_object.as_ptr(),
                entry.registry_path.as_ptr(),
                ptr::null_mut(),
                &raw mut characteristics,
                self.handle.as_ptr(),
            )
        };
        Status::from_raw(status).ok()?;
        Ok(Registered::new(self, entry.at))
    }

    pub(crate) fn handle(&self) -> sys::NDIS_HANDLE {
        self.handle.load(Ordering::Acquire)
    }
}

impl ProtocolRegistration {
    /// Registers the lower edge under `name`, which must be the name of the driver's service.
    ///
    /// # Errors
    /// What `NdisRegisterProtocolDriver` says; nothing is registered then.
    pub fn register<'entry, D: Driver>(
        &'entry self,
        entry: &Entry<'entry>,
        name: &'static [u16],
        contract: Contract,
    ) -> Result<Registered<'entry, Self>> {
        let mut characteristics = protocol::characteristics::<D>(contract, string::raw(name));
        // SAFETY: the characteristics are filled as the contract wants them
        // (NdisRegisterProtocolDriver). NDIS may bind before the function returns, so the handle
        // goes to its place at once.
        let status = unsafe {
            sys::NdisRegisterProtocolDriver(
                ptr::null_mut(),
                &raw mut characteristics,
                self.handle.as_ptr(),
            )
        };
        Status::from_raw(status).ok()?;
        Ok(Registered::new(self, entry.at))
    }

    pub(crate) fn handle(&self) -> sys::NDIS_HANDLE {
        self.handle.load(Ordering::Acquire)
    }

    /// NDIS has told the handle, before the registration returned it.
    pub(crate) fn registered(&self, handle: sys::NDIS_HANDLE) {
        self.handle.store(handle, Ordering::Release);
    }
}

impl Deregister for MiniportRegistration {
    fn deregister(&self, _at: Passive<'_>) {
        let handle = self.handle.swap(ptr::null_mut(), Ordering::AcqRel);
        if !handle.is_null() {
            // SAFETY: the handle is that of a registration that was not yet undone, and the IRQL is
            // PASSIVE_LEVEL. The caller is `DriverEntry` or unload, as NDIS demands.
            unsafe { sys::NdisMDeregisterMiniportDriver(handle) };
        }
    }
}

impl Deregister for ProtocolRegistration {
    fn deregister(&self, _at: Passive<'_>) {
        // Bindings that are still open are unbound inside the call, and use the handle.
        let handle = self.handle();
        if !handle.is_null() {
            // SAFETY: as for the miniport; no lock is held.
            unsafe { sys::NdisDeregisterProtocolDriver(handle) };
            self.handle.store(ptr::null_mut(), Ordering::Release);
        }
    }
}

impl<'entry, R: Deregister> Registered<'entry, R> {
    pub(crate) const fn new(registration: &'entry R, at: Passive<'entry>) -> Self {
        Self { registration, at }
    }

    /// Leaves the registration to unload.
    pub fn keep(self) {
        core::mem::forget(self);
    }
}

impl<R: Deregister> Drop for Registered<'_, R> {
    fn drop(&mut self) {
        self.registration.deregister(self.at);
    }
}
